"""One simulated medic: her phone rings once for an alert, and she acts as her behaviour plans.

She knows what a real medic's device knows, the public contract's frames and texts, and nothing of the
service.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Any, Protocol

import msgspec

from simulations.behaviour import Behaviour, Plan
from simulations.population import Resident

ALERTS_REMEMBERED = 32
STEPS_ON_THE_WAY = 12
USUAL_M_PER_S = 2.3
"""Median speed of alerted volunteers (Jonsson et al. 2020), for an SMS, which gives a distance only."""

Frame = dict[str, Any]

_LINK = re.compile(r"q=(-?\d+\.\d+),(-?\d+\.\d+)")
_DIGITS = re.compile(r"\b(\d)=")
_DISTANCE = re.compile(r"(\d+(?:[.,]\d+)?) (k?)m\b")


class Line(Protocol):
    """How what she says leaves her phone: the app, or a text message."""

    async def say(self, word: str, episode: "Episode") -> None:
        """`seen`, `accept`, `decline`, `arrived` or `finished`, about one alert."""

    async def stand_at(self, lat: float, lon: float) -> None:
        """Where she is now."""


class Heard(msgspec.Struct, frozen=True):
    """Something reached a phone: what the device saw, beside what the service says."""

    medic_id: str
    place: str
    channel: str
    purpose: str
    at_ms: int


@dataclass(slots=True)
class Episode:
    """One medic and one alert, from its ringing until she is done."""

    place: str
    lat: float
    lon: float
    usual_travel_s: float
    line: Line
    plan: Plan
    nth: int = 0
    alert_id: str | None = None
    digits: tuple[str, str] | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    acting: asyncio.Task[None] | None = None

    def stop(self) -> None:
        if self.acting is not None:
            self.acting.cancel()

    def over(self) -> bool:
        return self.acting is None or self.acting.done()


def place_of(lat: float, lon: float) -> str:
    """Names an incident by its place, all that both a frame and an SMS tell; five decimals are a metre."""
    return f"{lat:.5f},{lon:.5f}"


class VirtualMedic:
    """Her state is small: thousands of her fit beside the service. Everything kept is bounded."""

    __slots__ = ("_behaviour", "_episodes", "_on_heard", "_rung", "lat", "lon", "medic_id", "resident")

    def __init__(
        self, medic_id: str, resident: Resident, behaviour: Behaviour, on_heard: Callable[[Heard], None]
    ) -> None:
        self.medic_id = medic_id
        self.resident = resident
        self.lat, self.lon = resident.lat, resident.lon
        self._behaviour = behaviour
        self._on_heard = on_heard
        self._episodes: dict[str, Episode] = {}
        self._rung: dict[str, Episode] = {}

    def hear_frame(self, frame: Frame, line: Line) -> None:
        """A frame of the socket, or an entry of `GET /v1/me/alerts`; unknown types are ignored."""
        alert_id = frame.get("alert_id")
        known = self._rung.get(alert_id) if alert_id else None
        match frame.get("type"):
            case "alert" if alert_id and known is None:
                self._ring(frame, line)
            case "update" if known is not None:
                self._note(known.place, "websocket", "update")
                _heed(known, frame)
            case "stand_down" if known is not None:
                self._note(known.place, "websocket", "stand_down")
                known.stop()
            case "error" if known is not None:
                known.stop()

    def hear_sms(self, text: str, line: Line) -> None:
        """A text with a link is a call, one without tells her that she is no longer needed."""
        link = _LINK.search(text)
        if link is None:
            self._stand_down_by_sms()
            return
        lat, lon = float(link[1]), float(link[2])
        known = self._episodes.get(place_of(lat, lon))
        digits = _DIGITS.findall(text)
        self._note(place_of(lat, lon), "sms", "alert" if digits else "update")
        if known is not None and not known.over():
            return  # her app rang for it already
        if len(digits) == 2:
            episode = self._episode(lat, lon, _distance_m(text) / USUAL_M_PER_S, line)
            episode.digits = (digits[0], digits[1])
            self._begin(episode)

    def stop(self) -> None:
        for episode in self._episodes.values():
            episode.stop()

    def _ring(self, frame: Frame, line: Line) -> None:
        at = frame["incident"]["position"]
        episode = self._episode(at["lat"], at["lon"], float(frame["eta_s"]), line)
        episode.alert_id = frame["alert_id"]
        self._note(episode.place, "websocket", "alert")
        self._rung[episode.alert_id] = episode
        if len(self._rung) > ALERTS_REMEMBERED:
            del self._rung[next(iter(self._rung))]
        _heed(episode, frame)
        self._begin(episode)

    def _episode(self, lat: float, lon: float, usual_travel_s: float, line: Line) -> Episode:
        place = place_of(lat, lon)
        before = self._episodes.pop(place, None)
        nth = 0
        if before is not None:
            before.stop()
            nth = before.nth + 1
        plan = self._behaviour.plan(place, self.resident.name, nth)
        episode = Episode(place, lat, lon, usual_travel_s, line, plan, nth)
        episode.go.set()
        return episode

    def _begin(self, episode: Episode) -> None:
        self._episodes[episode.place] = episode
        if len(self._episodes) > ALERTS_REMEMBERED:
            self._episodes.pop(next(iter(self._episodes))).stop()
        episode.acting = asyncio.create_task(self._act(episode))

    def _stand_down_by_sms(self) -> None:
        if self._episodes:
            latest = self._episodes[next(reversed(self._episodes))]
            self._note(latest.place, "sms", "stand_down")
            if latest.digits is not None:
                latest.stop()

    def _note(self, place: str, channel: str, purpose: str) -> None:
        self._on_heard(Heard(self.medic_id, place, channel, purpose, int(time() * 1000)))

    async def _act(self, episode: Episode) -> None:
        """Her plan, from noticing to finished; a stand-down cancels it wherever she is."""
        with suppress(asyncio.CancelledError, ConnectionError):
            await self._answer(episode)
            if episode.plan.answer == "accept":
                await self._go(episode)

    async def _answer(self, episode: Episode) -> None:
        plan = episode.plan
        if plan.notice_s is None:
            return
        await asyncio.sleep(plan.notice_s)
        await episode.line.say("seen", episode)
        if plan.answer is not None and plan.answer_s is not None:
            await asyncio.sleep(max(0.0, plan.answer_s - plan.notice_s))
            await episode.line.say(plan.answer, episode)

    async def _go(self, episode: Episode) -> None:
        plan = episode.plan
        await self._travel(episode, 1.0 if plan.arrives else plan.gives_up_share)
        if plan.arrives:
            await episode.line.say("arrived", episode)
            await asyncio.sleep(plan.on_scene_s)
            await episode.line.say("finished", episode)
        elif plan.after == "withdraws":
            await episode.line.say("decline", episode)

    async def _travel(self, episode: Episode, share: float) -> None:
        """Straight towards the incident, in a few steps; "wait" holds her where she is."""
        from_lat, from_lon = self.lat, self.lon
        step_s = episode.plan.travel_s(episode.usual_travel_s) / STEPS_ON_THE_WAY
        for step in range(1, int(STEPS_ON_THE_WAY * share) + 1):
            await asyncio.sleep(step_s)
            await episode.go.wait()
            done = step / STEPS_ON_THE_WAY
            self.lat = from_lat + (episode.lat - from_lat) * done
            self.lon = from_lon + (episode.lon - from_lon) * done
            await episode.line.stand_at(self.lat, self.lon)


def _heed(episode: Episode, frame: Frame) -> None:
    at = frame["incident"]["position"]
    episode.lat, episode.lon = at["lat"], at["lon"]
    if frame.get("instruction") == "wait":
        episode.go.clear()
    else:
        episode.go.set()


def _distance_m(text: str) -> float:
    """`350 m` or `1.2 km` in a text, just before its link; 1 km where none is found."""
    found = _DISTANCE.findall(text[: text.find("http")])
    if not found:
        return 1000.0
    number, kilo = found[-1]
    return float(number.replace(",", ".")) * (1000.0 if kilo else 1.0)
