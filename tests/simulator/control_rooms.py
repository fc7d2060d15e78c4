"""Control rooms: they report with a key, ask again where no answer came, steer, and follow their feed.

Each keeps a log of its own: what was acknowledged to it, and every event that its feed showed.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dispatch.api.problem import Problem
from dispatch.auth import Key
from dispatch.core import commands as c
from dispatch.core.commands import Refused
from dispatch.records import Change, Details, NewIncident, Position
from dispatch.store import feed, medics
from dispatch.store.appends import ReferenceTaken, Remembered, Unavailable
from dispatch.store.feed import Written
from dispatch.store.trouble import DATABASE_TROUBLE
from tests.simulator.links import Faults
from tests.simulator.loop import SimLoop
from tests.simulator.nodes import Parts, Place

TROUBLE = (ConnectionError, TimeoutError, Unavailable, OSError, *DATABASE_TROUBLE)
AGAIN_S_MAX = 5.0
COMMANDS = {"enough": c.Enough, "cancel": c.Cancel, "close": c.Close, "reopen": c.Reopen}
Do = Callable[[Parts, Any], Coroutine[Any, Any, str]]


class Report:
    """One incident as its control room knows it. ``ids``: all it was answered with; one, if all is well."""

    def __init__(self, reference: str, new: NewIncident) -> None:
        self.reference, self.new = reference, new
        self.ids: dict[str, float] = {}
        self.ended = False

    @property
    def id(self) -> str | None:
        return next(iter(self.ids), None)


class ControlRoom:
    """``on_acknowledged(report)`` is told as soon as an answer has come."""

    def __init__(
        self,
        room_id: str,
        *,
        loop: SimLoop,
        faults: Faults,
        seed: object,
        places: list[Place],
        on_acknowledged: Callable[[str, str], None],
    ) -> None:
        self.id = room_id
        self._loop, self._faults = loop, faults
        self._random = Random(f"{seed} {room_id}")
        self._places = places
        self._on_acknowledged = on_acknowledged
        self.reports: list[Report] = []
        self.feed: list[Written] = []
        self.under_way = 0
        self.stopping = False
        self._keys = 0

    def begin(self) -> None:
        self._loop.create_task(self._follow())

    # --- its incidents

    def report_at(
        self, when_s: float, new: NewIncident, *, close_after_s: float, quiet: bool = False
    ) -> None:
        """``quiet``: it is left alone until it is closed, whatever else is stopping."""
        report = Report(new.reference, new)
        self.reports.append(report)
        self._loop.call_later(
            when_s, lambda: self._loop.create_task(self._life(report, close_after_s, quiet)) and None
        )

    async def _life(self, report: Report, close_after_s: float, quiet: bool) -> None:
        async def opened(parts: Parts, remember: Any) -> str:
            return (await parts.dispatcher.open(self.id, "key", report.new, remember)).id

        self.under_way += 1
        incident_id = await self._once("/v1/incidents", opened)
        report.ids[incident_id] = self._loop.time()
        self._on_acknowledged(self.id, incident_id)
        self.under_way -= 1
        until_s = self._loop.time() + close_after_s
        if quiet:
            await asyncio.sleep(close_after_s)
        while not self.stopping and self._loop.time() < until_s:
            await asyncio.sleep(min(self._random.uniform(2.0, 25.0), max(until_s - self._loop.time(), 0.1)))
            if not self.stopping and self._loop.time() < until_s and self._random.random() < 0.5:
                await self._steer(report, incident_id)
        await self._end(report, incident_id)

    async def _steer(self, report: Report, incident_id: str) -> None:
        word = self._random.choice(
            ("more", "more", "enough", "hazard", "moved", "priority", "cancel", "reopen", "kind")
        )
        try:
            if word == "more":
                await self._command(incident_id, "more")
            elif word in COMMANDS:
                await self._command(incident_id, word)
            else:
                await self._change(report, incident_id, word)
        except Refused:
            pass

    async def _end(self, report: Report, incident_id: str) -> None:
        with contextlib.suppress(Refused):  # cancelled before
            await self._command(incident_id, "close")
        report.ended = True

    async def _command(self, incident_id: str, word: str) -> None:
        async def do(parts: Parts, remember: Any) -> str:
            remembered = remember(incident_id) if remember else None
            if word == "more":
                await parts.dispatcher.more(incident_id, "key", 1, remembered)
            else:
                await parts.dispatcher.command(incident_id, "key", COMMANDS[word], remembered)  # type: ignore[arg-type]
            return incident_id

        await self._once(f"/v1/incidents/{incident_id}/{word}", do)

    async def _change(self, report: Report, incident_id: str, word: str) -> None:
        at = report.new.details.position
        change = Change(fields=(word,), details=report.new.details)
        if word == "hazard":
            change = replace(change, hazard=self._random.choice(("none", "hold", "block")))
        elif word == "priority":
            change = replace(change, priority=self._random.randint(1, 9))
        elif word == "kind":
            change = replace(change, kind=self._random.choice(("cardiac_arrest", "trauma", "other")))
        else:
            moved = Position(at.lat + self._random.uniform(-0.005, 0.005), at.lon)
            change = replace(change, fields=("position",), details=Details(moved))
        for _ in range(5):
            try:
                await self._place().ask(lambda parts: parts.dispatcher.update(incident_id, "key", change))
            except TROUBLE:
                await asyncio.sleep(self._random.uniform(0.2, AGAIN_S_MAX))
            else:
                return

    # --- medics

    async def suspend(self, medic_id: str) -> bool:
        return await self._patiently(lambda parts: _change_medic(parts, medic_id, suspended=True))

    async def opt_out(self, medic_id: str) -> bool:
        return await self._patiently(lambda parts: _change_medic(parts, medic_id, available=False))

    async def delete(self, medic_id: str) -> bool:
        return await self._patiently(lambda parts: parts.dispatcher.delete_medic(medic_id))

    async def _patiently(self, work: Callable[[Parts], Coroutine[Any, Any, Any]]) -> bool:
        for _ in range(20):
            try:
                await self._place().ask(work)
            except TROUBLE:
                await asyncio.sleep(self._random.uniform(0.2, AGAIN_S_MAX))
            else:
                return True
        return False

    # --- the same thing until it is answered

    async def _once(self, path: str, do: Do) -> str:
        """Posts with one idempotency key until an answer has come; what it was answered with."""
        self._keys += 1
        name = f"{self.id}-{self._keys}"
        while True:
            try:
                answer = await self._place().ask(lambda parts: self._post(parts, path, name, do))
            except TROUBLE:
                self._faults.count("post repeated")
                await asyncio.sleep(self._random.uniform(0.2, AGAIN_S_MAX))
                continue
            if (
                self._faults.level and self._random.random() < 0.02
            ):  # it sent it twice, or never read the answer
                self._faults.count("post repeated")
                continue
            return answer

    async def _post(self, parts: Parts, path: str, name: str, do: Do) -> str:
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(b"idempotency-key", name.encode())],
            "server": ("sim", 80),
            "scheme": "http",
        }

        async def first(remember: Callable[[str], Remembered] | None) -> Response:
            try:
                return Response(await do(parts, remember))
            except ReferenceTaken as taken:
                raise Problem("reference_in_use", incident_id=taken.incident_id) from None

        async def again(subject: str) -> Response:
            return Response(subject)

        key = Key("key", self.id, frozenset())
        return bytes((await parts.once(Request(scope), key, b"", first, again)).body).decode()

    def _place(self) -> Place:
        return self._random.choice(self._places)

    # --- its feed

    async def _follow(self) -> None:
        """From where it left off, at one node until that fails."""
        place = self._place()
        while True:
            after = self.feed[-1].feed_pos if self.feed else 0
            try:
                written = await place.ask(lambda parts, after=after: self._read(parts, after))
            except TROUBLE:
                await asyncio.sleep(self._random.uniform(0.2, 2.0))
                place = self._place()
                continue
            self.feed += written
            if self._faults.happens("follower goes elsewhere", 0.05):
                place = self._place()

    async def _read(self, parts: Parts, after: int) -> list[Written]:
        written = await feed.read(parts.node.pool, self.id, after=after, limit=200)
        if not written and await parts.dispatcher.wakeups.later_than(self.id, after, 15.0):
            written = await feed.read(parts.node.pool, self.id, after=after, limit=200)
        return written


async def _change_medic(parts: Parts, medic_id: str, **about: Any) -> None:
    before = await medics.get(parts.node.pool, medic_id)
    if before is None:
        return
    medic = await medics.change(parts.node.pool, medic_id, lambda now: replace(now, **about))
    if medic is not None:
        await parts.dispatcher.medic_changed(medic, before=before)
