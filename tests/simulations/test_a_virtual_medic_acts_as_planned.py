"""A simulated medic reads the service's own frames and texts, rings once, and does what her plan says.

Time moves by pace: at 2,000 her 40 seconds pass in 20 ms. What she says is caught where it leaves her phone.
"""

import asyncio
import json
from collections.abc import Iterable

import pytest

from notify.message import Message, Position, Purpose, frame
from notify.texts import sms_text
from simulations.behaviour import Behaviour, Habits
from simulations.demo.virtual_medic import Episode, Heard, VirtualMedic
from simulations.population import Resident

PACE = 2_000.0
RESIDENT = Resident("Medic 0001", "+353209100000", "en", "nurse", "foot", 53.34, -6.26, True)
GOES = Habits(seen=1.0, accepts_if_seen=1.0, arrives_if_accepted=1.0)
WITHDRAWS = Habits(seen=1.0, accepts_if_seen=1.0, arrives_if_accepted=0.0, withdraws_if_accepted=1.0)
GOES_SILENT = Habits(seen=1.0, accepts_if_seen=1.0, arrives_if_accepted=0.0, withdraws_if_accepted=0.0)
DECLINES = Habits(seen=1.0, accepts_if_seen=0.0, declines_if_not_accepting=1.0)
NEVER_SEES = Habits(seen=0.0)


class Recorder:
    """A line that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.spoke = asyncio.Event()
        self.positions: list[tuple[float, float]] = []

    async def say(self, word: str, episode: Episode) -> None:
        self.said.append(word)
        self.spoke.set()

    async def stand_at(self, lat: float, lon: float) -> None:
        self.positions.append((lat, lon))


class Watched:
    """A medic with her line and what her phone heard."""

    def __init__(self, habits: Habits) -> None:
        self.line = Recorder()
        self.heard: list[Heard] = []
        self.medic = VirtualMedic("m1", RESIDENT, Behaviour(1, PACE, habits), self.heard.append)

    def frames(self, *messages: Message) -> None:
        for message in messages:
            self.medic.hear_frame(json.loads(frame(message)), self.line)

    def texts(self, *messages: Message) -> None:
        for message in messages:
            self.medic.hear_sms(sms_text(message), self.line)

    async def until(self, said: Iterable[str]) -> None:
        wanted = list(said)
        async with asyncio.timeout(10):
            while self.line.said != wanted:
                assert wanted[: len(self.line.said)] == self.line.said
                self.line.spoke.clear()
                await self.line.spoke.wait()

    def purposes(self) -> list[tuple[str, str]]:
        return [(heard.channel, heard.purpose) for heard in self.heard]


def message(
    purpose: Purpose = "alert",
    alert: str = "a1",
    wait: bool = False,
    language: str = "en",
    lat: float = 53.35,
) -> Message:
    return Message(
        message_id=f"{alert}-{purpose}",
        alert_id=alert,
        purpose=purpose,
        incident_id="i1",
        kind="traffic_accident",
        position=Position(lat, -6.25),
        address="Dame Street 7",
        directions=None,
        drill=False,
        role="direct",
        instruction="wait" if wait else "go",
        distance_m=1_300,
        eta_s=60,
        travel="estimate",
        expires_at_ms=1_800_000_000_000,
        language="nl" if language == "nl" else "en",
        reason="covered" if purpose == "stand_down" else None,
        digits=("3", "4") if purpose != "stand_down" else None,
    )


async def plan_has_passed() -> None:
    """All of her tasks have ended."""
    async with asyncio.timeout(10):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


async def test_who_goes_is_seen_accepts_moves_arrives_and_finishes():
    watched = Watched(GOES)
    watched.frames(message())
    await watched.until(["seen", "accept", "arrived", "finished"])
    lats = [lat for lat, _ in watched.line.positions]
    assert lats == sorted(lats)
    assert watched.line.positions[-1] == pytest.approx((53.35, -6.25))
    assert (watched.medic.lat, watched.medic.lon) == pytest.approx((53.35, -6.25))


async def test_who_withdraws_declines_on_the_way():
    watched = Watched(WITHDRAWS)
    watched.frames(message())
    await watched.until(["seen", "accept", "decline"])


async def test_who_goes_silent_is_never_heard_again():
    watched = Watched(GOES_SILENT)
    watched.frames(message())
    await plan_has_passed()
    assert watched.line.said == ["seen", "accept"]


async def test_who_declines_stays_where_she_is():
    watched = Watched(DECLINES)
    watched.frames(message())
    await plan_has_passed()
    assert watched.line.said == ["seen", "decline"]
    assert watched.line.positions == []


async def test_who_never_looks_says_nothing_by_app_or_sms():
    watched = Watched(NEVER_SEES)
    watched.frames(message())
    watched.texts(message())
    await plan_has_passed()
    assert watched.line.said == []
    assert watched.purposes() == [("websocket", "alert"), ("sms", "alert")]


async def test_an_alert_that_comes_again_rings_once():
    watched = Watched(DECLINES)
    watched.frames(message(), message())
    await plan_has_passed()
    watched.frames(message())
    await plan_has_passed()
    assert watched.line.said == ["seen", "decline"]
    assert watched.purposes() == [("websocket", "alert")]


async def test_a_text_for_what_her_app_rang_for_starts_nothing_new():
    watched = Watched(GOES)
    watched.frames(message())
    watched.texts(message())
    await watched.until(["seen", "accept", "arrived", "finished"])


async def test_a_stand_down_stops_her_before_she_has_noticed():
    watched = Watched(GOES)
    watched.frames(message(), message("stand_down"))
    await plan_has_passed()
    assert watched.line.said == []
    assert watched.purposes() == [("websocket", "alert"), ("websocket", "stand_down")]


async def test_told_to_wait_she_stops_and_told_to_go_she_goes_on():
    watched = Watched(GOES)
    watched.frames(message(), message("update", wait=True))
    await watched.until(["seen", "accept"])
    await asyncio.sleep(0.05)  # a dozen of her steps
    assert watched.line.positions == []
    watched.frames(message("update"))
    await watched.until(["seen", "accept", "arrived", "finished"])


async def test_a_moved_incident_moves_where_she_goes():
    watched = Watched(GOES)
    watched.frames(message(), message("update", lat=53.36))
    await watched.until(["seen", "accept", "arrived", "finished"])
    assert watched.medic.lat == pytest.approx(53.36)


async def test_a_new_alert_for_the_same_place_is_another_draw():
    watched = Watched(DECLINES)
    for alert in ("a1", "a2"):
        watched.frames(message(alert=alert))
        await plan_has_passed()
    assert watched.line.said == ["seen", "decline"] * 2


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_texts_of_both_languages_are_answered_with_their_digits(language):
    answered: list[tuple[str, tuple[str, str] | None]] = []
    watched = Watched(DECLINES)

    class Texting(Recorder):
        async def say(self, word: str, episode: Episode) -> None:
            answered.append((word, episode.digits))

    watched.line = Texting()
    watched.texts(message(language=language))
    await plan_has_passed()
    assert answered == [("seen", ("3", "4")), ("decline", ("3", "4"))]


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_a_stand_down_by_sms_stops_who_was_called_by_sms(language):
    watched = Watched(GOES)
    watched.texts(message(language=language), message("stand_down", language=language))
    await plan_has_passed()
    assert watched.line.said == []
    assert watched.purposes() == [("sms", "alert"), ("sms", "stand_down")]


async def test_frames_of_unknown_type_or_alert_change_nothing():
    watched = Watched(GOES)
    for strange in (
        {},
        {"type": "poem"},
        {"type": "stand_down", "alert_id": "x"},
        {"type": "update", "alert_id": "x"},
    ):
        watched.medic.hear_frame(strange, watched.line)
    watched.medic.hear_sms("Your code is 123456", watched.line)
    assert watched.heard == []
