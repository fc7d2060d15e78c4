"""Ladder: each rung ``after_s`` from the request, unless the alert was seen or answered."""

from typing import Any

import pytest

from tests.core.world import Medic, Night


def one(**keys: Any) -> Night:
    return Night(1, ladder=[("websocket", 0), ("sms", 20)], **keys).report()


def test_each_at_its_own_time() -> None:
    night = one()
    night.wait(80)
    assert night.requests(1, "alert") == [("websocket", 0), ("sms", 20)]


def test_from_the_request_not_from_the_report() -> None:
    night = Night(2, waves=[(0, 1), (30, 1)]).report()
    night.wait(80)
    assert night.requests(2, "alert") == [("websocket", 30), ("sms", 50)]


def test_delivered_is_not_yet_seen() -> None:
    night = one()
    night.deliver(1)
    night.wait(20)
    assert ("sms", 20) in night.requests(1, "alert")


@pytest.mark.parametrize("what", ["see", "accept", "decline", "enough", "expire"])
def test_not_once_seen_or_answered_or_ended(what: str) -> None:
    night = one(answer_within_s=10 if what == "expire" else 90)
    if what == "see":
        night.see(1)
    elif what == "enough":
        night.enough()
    elif what != "expire":
        night.answer(1, what)  # type: ignore[arg-type]
    night.wait(80)
    assert night.requests(1, "alert") == [("websocket", 0)]


def test_a_medic_without_a_socket_has_failed_that_rung_at_once() -> None:
    night = Night([Medic("m", 60, ("sms",))]).report()
    assert night.requests(1, "alert") == [("sms", 0)]


def test_the_core_knows_no_channel_by_heart() -> None:
    ladder = [("webpush", 0), ("sms", 5), ("voice", 30)]
    night = Night([Medic("m", 60, ("webpush", "sms", "voice"))], ladder=ladder).report()
    night.wait(60)
    assert night.requests(1, "alert") == [("webpush", 0), ("sms", 5), ("voice", 30)]
