"""A drill of the watchdog: reported, alerted, acknowledged by the test device, closed, like any incident.

It goes through the dispatcher, the appender, the feed and the channels that a real one takes. Its policy is
its own, and finds the test device alone.
"""

import asyncio
import contextlib
from typing import Literal

import asyncpg
import msgspec

from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.incident import Alert
from dispatch.core.lifecycle import INCIDENT_LIVES
from dispatch.core.policy import Policy, Rung, Wave
from dispatch.records import Details, Medic, NewIncident, Position, Record
from dispatch.roster.drill_devices import KIND, SKILL, is_test_device, own_skill
from dispatch.roster.roster import Roster
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import feed, incidents

Result = Literal["came_back", "not_asked", "nobody_found", "not_sent", "silent", "not_shown", "failed"]

KEY = "watchdog"
"""What stands for a control room's key in the drill's events."""
WAIT_S_MAX = 60
FIX_STALE_S = 7 * 24 * 3600
LADDER = ("websocket", "sms")
LOOK_S = 1.0
STUCK_S = 120
"""A drill open for so long is nobody's any more: each node closes its own within ``WAIT_S_MAX``."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a drill. ``detail`` and ``hint`` are for /readyz; ``seconds``: report to receipt."""

    result: Result
    detail: str
    hint: str = ""
    seconds: float | None = None

    @property
    def ok(self) -> bool:
        return self.result == "came_back"


def wait_s(interval_s: int) -> int:
    """How long a drill is waited for."""
    return max(1, min(WAIT_S_MAX, interval_s // 2))


def drill_policy(medic_id: str, interval_s: int) -> Policy:
    """The test device and nobody else, over its socket, then by SMS where it takes any."""
    answer_s = wait_s(interval_s)
    return Policy(
        priority=9,
        wanted=1,
        waves=(Wave(0, 1),),
        replace=False,
        alerts_max=1,
        reach_s=60,
        answer_within_s=answer_s,
        better_by_s=0,
        ladder=(Rung("websocket", 0), Rung("sms", answer_s // 3)),
        before_ambulance_only=False,
        private_needs_clearance=False,
        skills_any=(own_skill(medic_id),),
        overdue_factor=1.0,
        overdue_s_min=36_000,
        engaged_s_max=60,
        auto_close_s=STUCK_S + 60,
        stale_after_s=900,
        accuracy_m_max=100_000,
        fix_stale_s=FIX_STALE_S,
        look_again_s=1,
        look_s_max=answer_s,
        asks_max=1,
        near_m=1,
    )


class Drills:
    """``room_id``: the watchdog's control room; ``name``: this node's, in the drills' references."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool,
        dispatcher: Dispatcher,
        roster: Roster,
        clock: Clock,
        room_id: str,
        medic_id: str,
        name: str,
        interval_s: int,
    ) -> None:
        self._pool, self._dispatcher, self._roster, self._clock = pool, dispatcher, roster, clock
        self._room_id, self._medic_id, self._name = room_id, medic_id, name
        self.wait_s = wait_s(interval_s)
        self._left: str | None = None

    async def one(self) -> Outcome:
        """Holds a drill. Raises Unavailable and what the database raises; the drill is then left open."""
        medic = self._roster.get(self._medic_id)
        hindrance = self._hindrance(medic)
        if hindrance is not None or medic is None:
            return hindrance or _UNKNOWN
        after = await feed.position(self._pool, self._room_id)
        record = await self._dispatcher.open(self._room_id, KEY, self._report(medic))
        self._left = record.id
        try:
            return await self._come_back(record, after)
        finally:
            await self._end(record.id)
            self._left = None

    async def end_stuck(self) -> int:
        """Closes the drills that nobody ended: its own last one, and those of nodes that died. How many."""
        page = await incidents.list_page(self._pool, self._room_id, limit=100, states=INCIDENT_LIVES)
        before = self._clock.now_ms() - STUCK_S * 1000
        stuck = [one.id for one in page.items if one.id == self._left or one.state.opened_at < before]
        for incident_id in stuck:
            await self._end(incident_id)
        self._left = None
        return len(stuck)

    # --- within

    async def _end(self, incident_id: str) -> None:
        with contextlib.suppress(c.Refused, LookupError):  # it has ended already
            await self._dispatcher.command(incident_id, KEY, c.Close)

    def _hindrance(self, medic: Medic | None) -> Outcome | None:
        """Why there is no use in a drill."""
        if medic is None:
            return _UNKNOWN
        if not is_test_device(medic):
            hint = f"Give it the skill `{SKILL}` (PATCH /v1/medics/ID): nothing else asks it then."
            return Outcome("not_asked", "the medic of DISPATCH_WATCHDOG_MEDIC is no test device", hint)
        if not (medic.available and medic.drills and medic.verified) or medic.suspended:
            hint = "Make it verified, not suspended, available, and willing to take drills (PATCH /v1/me)."
            return Outcome("not_asked", "the test device does not take drills", hint)
        if self._position(medic) is None:
            return Outcome("not_asked", "it is not known where the test device is", "Give it a place.")
        if not self._roster.channels_to(medic.id, LADDER, self._clock.now_ms()):
            hint = "Start it, and see that its network, the proxy and its token let it connect."
            return Outcome("not_asked", "the test device has no socket, and gets no SMS", hint)
        return None

    def _position(self, medic: Medic) -> Position | None:
        """Where a search finds her, so that it is on the spot."""
        fix = self._roster.fix(medic.id)
        if fix is not None and fix.at > self._clock.now_ms() - FIX_STALE_S * 1000:
            return Position(fix.lat, fix.lon)
        return Position(medic.places[0].lat, medic.places[0].lon) if medic.places else None

    def _report(self, medic: Medic) -> NewIncident:
        position = self._position(medic)
        assert position is not None, "else there is no drill"
        reference = f"{self._name[:40]}-{self._clock.now_ms()}"
        return NewIncident(reference=reference, kind=KIND, details=Details(position), drill=True)

    async def _come_back(self, record: Record, after: int) -> Outcome:
        """Waits until the feed shows that the device has it."""
        try:
            async with asyncio.timeout(self.wait_s):
                event = await self._acknowledged(record.id, after)
        except TimeoutError:
            return self._where_it_broke(await self._dispatcher.get(record.id))
        seconds = (event.at - record.state.opened_at) / 1000
        return Outcome("came_back", f"the last drill came back after {seconds:.3f} s", seconds=seconds)

    async def _acknowledged(self, incident_id: str, after: int) -> e.Event:
        while True:
            written = await feed.read(self._pool, self._room_id, after=after, limit=100)
            for one in written:
                after = one.feed_pos
                if one.incident_id == incident_id and isinstance(one.event, _ACKNOWLEDGED):
                    return one.event
            if not written:
                await self._dispatcher.wakeups.later_than(self._room_id, after, LOOK_S)

    def _where_it_broke(self, record: Record | None) -> Outcome:
        if record is None or not record.state.alerts:
            detail = "the drill found nobody to ask, though the test device could be reached"
            hint = "See its quiet hours, its certificate, and whether another drill holds it."
            return Outcome("nobody_found", detail, hint)
        alert = record.state.alerts[-1]
        if alert.delivered_at is not None:
            hint = (
                "The database or this node's following of it stands still: see the other checks and the log."
            )
            return Outcome("not_shown", "the test device has the drill, but the feed does not show it", hint)
        ways = _ways(alert, "sent")
        if ways:
            hint = (
                "See whether it still runs, its network, and the proxy between; then the channel's own check."
            )
            detail = f"the test device did not acknowledge a drill sent by {ways} within {self.wait_s} s"
            return Outcome("silent", detail, hint)
        ways = _ways(alert, "requested", "failed") or "any channel"
        hint = "See the channels' own checks, and the log; if this node alone says so, restart it."
        return Outcome("not_sent", f"a drill could not be sent by {ways} within {self.wait_s} s", hint)


_ACKNOWLEDGED = (e.AlertDelivered, e.AlertSeen, e.AlertAnswered)
_UNKNOWN = Outcome(
    "not_asked",
    "there is no medic with the id in DISPATCH_WATCHDOG_MEDIC",
    "Register a test device, or correct the id.",
)


def _ways(alert: Alert, *states: str) -> str:
    """The channels by which the alert is at one of these."""
    return ", ".join(dict.fromkeys(note.channel for note in alert.notes if note.state in states))
