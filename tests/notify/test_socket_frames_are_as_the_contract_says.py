"""The frames of the `websocket` channel, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from notify.message import Message, Position, frame


@pytest.mark.parametrize("purpose", ["alert", "update"])
def test_an_alert_and_an_update_have_the_same_fields(another: Callable[..., Message], purpose: str) -> None:
    expires_at_ms = 1_764_000_060_250  # 2025-11-24T16:01:00.250Z
    assert json.loads(frame(another(purpose=purpose, expires_at_ms=expires_at_ms))) == {
        "type": purpose,
        "id": "n-1",
        "alert_id": "a-1",
        "incident": {
            "id": "i-1",
            "kind": "cardiac_arrest",
            "position": {"lat": 52.09073, "lon": 5.12142},
            "address": "Oudegracht 128, Utrecht",
            "directions": "tweede deur",
            "drill": False,
        },
        "role": "direct",
        "instruction": "go",
        "distance_m": 350,
        "eta_s": 120,
        "travel": "estimate",
        "expires_at": "2025-11-24T16:01:00.250Z",
    }


def test_times_have_milliseconds_also_where_there_are_none(another: Callable[..., Message]) -> None:
    told = json.loads(frame(another(expires_at_ms=1_764_000_060_000)))
    assert told["expires_at"] == "2025-11-24T16:01:00.000Z"


def test_a_position_tells_its_accuracy_where_known(another: Callable[..., Message]) -> None:
    told = json.loads(frame(another(position=Position(52.0, 5.0, 30.0))))
    assert told["incident"]["position"] == {"lat": 52.0, "lon": 5.0, "accuracy_m": 30.0}


def test_a_stand_down_tells_its_reason(another: Callable[..., Message]) -> None:
    told = json.loads(frame(another(purpose="stand_down", reason="covered", message_id="n-2")))
    assert told == {"type": "stand_down", "id": "n-2", "alert_id": "a-1", "reason": "covered"}


def test_no_phone_digits_or_language_reach_a_socket(message: Message) -> None:
    assert "digits" not in frame(message)
    assert "language" not in frame(message)
