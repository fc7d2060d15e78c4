"""The incidents in this node's memory: loaded once, and after each commit as the database has them.

With an incident come its claims: the roster knows who holds an alert of it for as long as she does. One that
has ended and has nothing left to do or to tell is let go at once, and read again should anybody ask.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from dispatch.core import events as e
from dispatch.core.incident import Alert
from dispatch.core.ladder import unheard
from dispatch.deciding.digit_pairs import DigitPairs
from dispatch.deciding.live import Live
from dispatch.deciding.plan import Part
from dispatch.records import Asked, Record
from dispatch.roster.roster import Roster
from dispatch.store.trouble import unavailable_in_trouble

WEBSOCKET = "websocket"
_MOVES_A_CLAIM: frozenset[type[e.AnyEvent]] = frozenset(
    {e.AlertRequested, e.AlertAnswered, e.AlertExpired, e.AlertFailed, e.AlertStoodDown}
)
"""Events after which a medic holds an alert, holds it otherwise, or holds it no more."""

UNKNOWN_S = 60.0
"""For how long a commit that nobody heard of may come to light: the database gives it up within 40 s."""


class Memory:
    """``load`` reads an incident from the store.

    ``loaded`` is told of each that was read, and whether this node may have decided what it does not know;
    ``gone`` of each that was let go; ``lost`` of those whom alerts asked that the database has no more, with
    the incident as it was: a standby was promoted that had not received them.
    """

    def __init__(
        self,
        *,
        load: Callable[[str], Awaitable[Record | None]],
        loaded: Callable[[Live, bool], None],
        gone: Callable[[Live], None] = lambda _: None,
        lost: Callable[[Record, list[Asked]], None] = lambda _, __: None,
        roster: Roster,
        digit_pairs: DigitPairs,
    ) -> None:
        self._load, self._loaded, self._gone, self._lost = load, loaded, gone, lost
        self._roster = roster
        self._digit_pairs = digit_pairs
        self._lives: dict[str, Live] = {}
        self._unknown_until: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._lives)

    def all(self) -> tuple[Live, ...]:
        return tuple(self._lives.values())

    def get(self, incident_id: str) -> Live | None:
        """The incident, where it is in memory."""
        return self._lives.get(incident_id)

    def known(self, incident_ids: Iterable[str]) -> dict[str, Record]:
        """What memory has of these incidents, as the database had it; without those to be loaded again."""
        lives = [
            live for one in incident_ids if (live := self._lives.get(one)) is not None and not live.stale
        ]
        return {live.id: live.record for live in lives if live.record is not None}

    async def live(self, incident_id: str) -> Live:
        """The incident, loaded where need be. LookupError: there is none; Unavailable."""
        live = self._lives.get(incident_id)
        if live is None:
            record = await self.read(incident_id)
            if record is None:
                raise LookupError("no such incident")
            live = self.adopt(record)
        return live

    async def read(self, incident_id: str) -> Record | None:
        """The incident as the store has it. Raises Unavailable."""
        with unavailable_in_trouble():
            return await self._load(incident_id)

    def begin(self, incident_id: str, room_id: str) -> Live:
        """An incident that is about to be opened."""
        live = self._lives[incident_id] = Live(incident_id, room_id)
        live.opening = True
        return live

    def drop(self, live: Live) -> None:
        """One that was not opened, or of which that is not known."""
        if self._lives.get(live.id) is live:
            del self._lives[live.id]

    def adopt(self, record: Record, *, doubt: bool = True) -> Live:
        """An incident that was read; nothing where it is in memory already."""
        live = self._lives.get(record.id)
        if live is None:
            live = self._lives[record.id] = Live(record.id, record.control_room_id)
            self._take_over(live, record, doubt=doubt)
        return live

    def doubt(self, incident_ids: Collection[str]) -> set[str]:
        """Memory may lag behind: they are loaded again before anything is decided on them. Their ids."""
        for incident_id in incident_ids:
            if (live := self._lives.get(incident_id)) is not None:
                live.stale = True
        return set(incident_ids)

    def unknown(self, incident_ids: Collection[str]) -> None:
        """A decision of this node about them may be committed, or come to be.

        Of what is read meanwhile nobody can say whether it was read before that: so what they have to send by
        then may be this node's to send, though it is read as if others had decided it.
        """
        now = asyncio.get_running_loop().time()
        self._unknown_until = {one: until for one, until in self._unknown_until.items() if until > now}
        self._unknown_until |= dict.fromkeys(incident_ids, now + UNKNOWN_S)
        self.doubt(incident_ids)

    def doubt_all(self) -> None:
        for live in self._lives.values():
            live.stale = True

    async def load_again(self, live: Live) -> None:
        """After a conflict, or a commit of which nothing is known, memory follows the database again."""
        record = await self.read(live.id)
        if record is None:
            self._lose(live)
            raise LookupError("no such incident")
        self._take_over(live, record, doubt=True)

    async def load_whole(self, live: Live) -> None:
        """The incident as the database has it, which may have lost what memory knows of it, or all of it."""
        if live.record is None:
            return
        record = await self.read(live.id)
        if record is None:
            self._lose(live)
        else:  # what went out by what is lost does not count as told
            self._take_over(live, record, doubt=True, anew=True)

    def follow_others(self, live: Live, record: Record) -> None:
        """As it was read from the store, where that is newer. The caller has its lock, or nobody has."""
        known = live.record
        if known is None:  # being opened here: that decision's own end tells
            return
        newer = record.feed_pos > known.feed_pos
        if newer or (record.feed_pos == known.feed_pos and (live.stale or record.node != known.node)):
            self._take_over(live, record, doubt=live.stale)

    def follow(self, part: Part, feed_pos: int, node: str) -> None:
        """``node`` has committed a plan's part. Who holds what by that is for ``follow_claims`` to say."""
        part.live.follow(part.record(feed_pos, node), part.asked, quiet_until=part.quiet_until)

    def follow_claims(self, part: Part) -> None:
        """The roster's side of ``follow``, before anything else is decided."""
        for asked in part.asked:
            self._digit_pairs.given(asked.medic_id, asked.digit_pair, part.events[0].at)
        self._claims_changed(part)

    def here(self, live: Live) -> Live:
        """The incident as memory has it; one that was let go meanwhile comes back."""
        known = self._lives.get(live.id)
        if known is None:
            known = self._lives[live.id] = live
            self._loaded(live, True)
        return known

    def let_go(self, live: Live) -> None:
        """Forgets one that has ended, if it has nothing left to do and nobody to tell."""
        if live.record is not None and live.idle and _over(live.record) and not _may_be_told(live.record):
            self._forget(live)

    def forget_ended(self, before: int) -> None:
        """Lets go of incidents that ended before then (ms) and have nothing left to do but to tell."""
        for live in self.all():
            record = live.record
            if record is None or not live.idle or not _over(record):
                continue
            assert record.state.ended_at is not None
            if record.state.ended_at < before or not _may_be_told(record):
                self._forget(live)

    def _forget(self, live: Live) -> None:
        if self._lives.get(live.id) is live:
            del self._lives[live.id]
            self._gone(live)

    def _lose(self, live: Live) -> None:
        """The database has it no more: nothing is decided on it, and whoever asks finds none."""
        before, live.record = live.record, None
        if before is not None:
            self._forget(live)
            self._forget_lost(live, before)

    def _forget_lost(self, live: Live, before: Record) -> None:
        lost = live.lost_since(before)
        for asked in lost:
            self._roster.release_alert(asked.medic_id, live.id, asked.n)
        if lost:
            self._lost(before, lost)

    def _take_over(self, live: Live, record: Record, *, doubt: bool, anew: bool = False) -> None:
        before = live.record
        live.load(record, anew=anew)
        if before is not None:
            self._forget_lost(live, before)
        for alert in record.state.alerts:
            self._claim(live, alert)
            if (asked := live.by_n.get(alert.n)) is not None:
                self._digit_pairs.given(asked.medic_id, asked.digit_pair, alert.requested_at)
        until = self._unknown_until.get(live.id)
        self._loaded(live, doubt or (until is not None and asyncio.get_running_loop().time() < until))

    def _claims_changed(self, part: Part) -> None:
        """Keeps the roster's claims as the committed state has them."""
        assert part.state is not None
        touched: dict[int, None] = {}
        event: Any
        for event in part.events:
            if type(event) in _MOVES_A_CLAIM:
                touched[event.n] = None
            elif type(event) is e.IncidentUpdated and event.priority is not None:
                touched |= dict.fromkeys(range(1, len(part.state.alerts) + 1))
        for n in touched:
            self._claim(part.live, part.state.alert(n))

    def _claim(self, live: Live, alert: Alert) -> None:
        medic_id = live.medic_of(alert.n)
        if medic_id is None or live.record is None:
            return
        if alert.open or alert.engaged:
            state = live.record.state
            self._roster.hold_alert(
                medic_id,
                incident_id=live.id,
                n=alert.n,
                priority=state.priority,
                drill=state.drill,
                engaged=alert.engaged,
            )
        else:
            self._roster.release_alert(medic_id, live.id, alert.n)


def _over(record: Record) -> bool:
    """Ended, and without anything left to be done of itself."""
    state = record.state
    if state.ended_at is None or record.due_at is not None or state.paused:
        return False
    return not any(note.pending for alert in state.alerts for note in alert.notes)


def _may_be_told(record: Record) -> bool:
    """A device may come back for its stand-down, or a provider report what became of a send.

    By what went to providers within the hour /readyz judges whether their reports arrive.
    """
    state = record.state
    return unheard(state) or any(
        note.channel != WEBSOCKET and not note.unsent for alert in state.alerts for note in alert.notes
    )
