"""docs/policies.md names every key with its bounds and values, and what ships is the rules' own table."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatch.core.policy import BOUNDS, CHANNELS, Policy, Rung, Wave, shipped

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")

# Typed from the rules.
KINDS = ("cardiac_arrest", "unconscious", "choking", "traffic_accident", "trauma", "other")
BY_KIND = """
priority        | 1             | 2            | 1            | 2            | 3            | 5
wanted          | 3             | 2            | 2            | 2            | 1            | 1
waves           | 0: 10, 45: 10 | 0: 5, 60: 5  | 0: 7, 60: 5  | 0: 5, 60: 5  | 0: 3, 60: 3  | 0: 3, 90: 3
replace         | true          | true         | true         | true         | true         | true
alerts_max      | 40            | 20           | 30           | 20           | 10           | 10
reach_s         | 720           | 600          | 480          | 600          | 600          | 600
answer_within_s | 60            | 60           | 45           | 60           | 90           | 120
better_by_s     | 60            | 90           | 60           | 90           | 120          | 120
ladder | websocket 0, sms 8 | websocket 0, sms 15 | websocket 0, sms 8 | websocket 0, sms 15 | websocket 0, sms 20 | websocket 0, sms 30
"""  # noqa: E501
FOR_ALL = """
before_ambulance_only = false, private_needs_clearance = true, skills_any = [], overdue_factor = 1.5,
overdue_s_min = 120, engaged_s_max = 3600, auto_close_s = 14400, stale_after_s = 900, accuracy_m_max = 500,
fix_stale_s = 900, look_again_s = 10, look_s_max = 1800, asks_max = 3, near_m = 100
"""


def by_kind() -> dict[str, dict[str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in BY_KIND.strip().splitlines()]
    return {row[0]: dict(zip(KINDS, row[1:], strict=True)) for row in rows}


def for_all() -> dict[str, str]:
    pairs = (pair.split("=") for pair in FOR_ALL.replace("\n", " ").split(","))
    return {key.strip(): value.strip() for key, value in pairs}


def shown(value: Any) -> str:
    """A value as the rules and the page write it."""
    match value:
        case (Wave(), *_):
            return ", ".join(f"{wave.after_s}: {wave.alerts}" for wave in value)
        case (Rung(), *_):
            return ", ".join(f"{rung.channel} {rung.after_s}" for rung in value)
    return msgspec.json.encode(value).decode()


def rows_of_page() -> dict[str, list[list[str]]]:
    """By key, each of its rows in the page's tables."""
    rows: dict[str, list[list[str]]] = {}
    for line in PAGE.splitlines():
        if (row := re.match(r"\| `(\w+)` \|(.*)\|$", line)) is not None:
            rows.setdefault(row[1], []).append([cell.strip() for cell in row[2].split(" | ")])
    return rows


def test_what_ships_is_the_rules_table() -> None:
    policies = shipped()
    assert tuple(policies) == KINDS
    for kind, policy in policies.items():
        for key, values in by_kind().items():
            assert shown(getattr(policy, key)) == values[kind], f"{kind}.{key}"
        for key, value in for_all().items():
            assert shown(getattr(policy, key)) == value, f"{kind}.{key}"
    assert set(by_kind()) | set(for_all()) == set(Policy.__struct_fields__)


def test_the_page_names_every_key_and_no_other() -> None:
    assert set(rows_of_page()) == set(Policy.__struct_fields__)


@pytest.mark.parametrize("key", by_kind())
def test_the_page_has_the_values_by_kind(key: str) -> None:
    values = rows_of_page()[key][1]
    assert values == [by_kind()[key][kind] for kind in KINDS]


@pytest.mark.parametrize("key", for_all())
def test_the_page_has_the_values_for_all(key: str) -> None:
    ((_, _, value),) = rows_of_page()[key]
    assert value == for_all()[key]


@pytest.mark.parametrize("key", BOUNDS)
def test_the_page_has_the_bounds_with_their_unit(key: str) -> None:
    low, high = BOUNDS[key]
    unit = {"s": " s", "m": " m"}.get(next((part for part in key.split("_")[1:] if part in "sm"), ""), "")
    assert rows_of_page()[key][0][1] == f"{low} to {high}{unit}"


def test_the_page_names_every_channel() -> None:
    assert all(f"`{channel}`" in PAGE for channel in CHANNELS)
