"""Whoever watches the demo sees who comes and who is stood down, in whatever terminal."""

import io

import pytest
from rich.console import Console

from simulations.demo.live_view import WIDE_COLUMNS, picture
from simulations.demo.timeline import Timeline
from tests.simulations.test_a_timeline_tells_one_incident import CALL, EVENTS, INCIDENT, POSTED_MS, RESIDENTS


def shown(columns: int) -> str:
    timelines = [Timeline(CALL, POSTED_MS) for _ in range(2)]
    for one in timelines:
        for event in EVENTS:
            one.apply(event)
        one.identify(INCIDENT)
    console = Console(width=columns, file=io.StringIO())
    wide = columns >= WIDE_COLUMNS
    console.print(
        picture("Title", ["A note."], timelines, timelines[0], RESIDENTS, POSTED_MS + 4_000, wide=wide)
    )
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("columns", [80, WIDE_COLUMNS - 1, WIDE_COLUMNS, 200])
def test_who_comes_and_who_is_stood_down(columns: int) -> None:
    words = " ".join(shown(columns).replace("│", " ").split())
    for told in ("Medic 1", "Medic 2", "20 ms", "is going", "3.0 s", "stood down at", "enough are"):
        assert told in words, told
    (other,) = [line for line in shown(columns).splitlines() if "4.0 s ago " in line]
    for told in (CALL.title[:10], " covered ", " 2 ", " 1 "):
        assert told in other, told
