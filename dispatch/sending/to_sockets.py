"""Notifications over the websocket: put on a medic's sockets at once, and known as sent a moment later.

Her device acknowledges most messages before that moment; what it has is delivered, and that it was sent
before needs no decision of its own.
"""

import asyncio
from collections.abc import Iterable

from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.incident import Alert, Note
from dispatch.deciding.decisions import Decisions
from dispatch.deciding.live import Live
from dispatch.deciding.orders import settling
from dispatch.deciding.plan import Part
from dispatch.grace import Grace
from dispatch.ids import NotificationId, alert_id, notification_id
from dispatch.nodes.presence import Presence
from dispatch.roster.roster import Roster
from dispatch.sending.messages import message, message_now, still_holds
from notify.channel import Sent
from notify.message import Framed, frame
from notify.websocket import SocketHub

WEBSOCKET = "websocket"
SENT_AFTER_S = 0.1
OVER = ("declined", "expired", "failed", "finished")
"""The states of an alert of which nothing is sent any more, until she is told to stop."""


class ToSockets:
    """While the ``grace`` lasts a medic without a socket is expected back; then she has failed that rung.

    That is said by the node that has the incident, of a medic who has no socket on any node. What is for a
    socket on another node is put there by that node, which follows what is decided here.
    """

    def __init__(
        self,
        *,
        roster: Roster,
        presence: Presence,
        clock: Clock,
        hub: SocketHub,
        decisions: Decisions,
        grace: Grace,
    ) -> None:
        self._presence = presence
        self._roster, self._clock, self._hub = roster, clock, hub
        self._decisions = decisions
        self._grace = grace
        self._expected: dict[NotificationId, bool] = {}
        """With whether it was for the first time."""
        self._put_just_now: list[tuple[Live, int, int]] = []

    @property
    def waiting(self) -> int:
        """Put on a socket, and not known as sent yet."""
        return len(self._put_just_now)

    def prepare(self, part: Part) -> None:
        """Makes the alerts that a plan requests into frames, while it is being committed."""
        record = part.record(feed_pos=0, node=None)  # of which no message says anything
        asked = {one.n: one for one in part.asked}
        for event in part.events:
            if not isinstance(event, e.NotificationRequested) or event.channel != WEBSOCKET:
                continue
            hers = asked.get(event.n)
            if hers is None or event.purpose != "alert" or not self._hub.connected(hers.medic_id):
                continue
            medic = self._roster.get(hers.medic_id)
            if medic is not None:
                alert = message(record, hers, event.k, event.purpose, medic)
                part.live.ready[event.n, event.k] = Framed(alert, frame(alert))

    def put(self, live: Live, n: int, note: Note, *, first: bool = True) -> None:
        """On all her sockets here. With none anywhere it failed, but for a while after a start.

        Not the ``first`` time: a device may have had it from a node that died, so nothing is certain. Nor
        beside other nodes: one may have put it on a socket that has come and gone since the commit.
        """
        medic_id = live.medic_of(n)
        medic = self._roster.get(medic_id) if medic_id is not None else None
        if medic is None or live.record is None or live.record.details is None:
            self._failed(live, n, note, "deleted")
            return
        now = self._clock.now_ms()
        known = live.ready.get((n, note.k))
        if known is not None:
            outcome = self._hub.put(medic.id, *known)
        else:
            outcome = self._hub.put(medic.id, message_now(live, n, note, medic, self._roster, now))
        if isinstance(outcome, Sent):
            if note.pending:
                self._sent_later(live, n, note.k)
        elif self._presence.elsewhere(medic.id) or not self._decisions.ours(live):
            return
        elif self._grace.lasts(now):
            self._expected[NotificationId(live.id, n, note.k)] = first
        else:
            self._failed(live, n, note, "no_socket", definite=first and self._decisions.alone)

    def resume(self, live: Live) -> None:
        """After a load: devices get what they have not read, and what is no longer true has its outcome."""
        if live.record is None:
            return
        state = live.record.state
        for alert in state.alerts:
            if alert.n in live.answered or alert.state in OVER:
                self.forget(live, alert.n)
            if self._has_socket(live, alert.n):
                self.appeared(live, alert.n)  # asked for elsewhere, where it was not known yet
            else:
                for note in self._unread(live, alert):
                    self.put(live, alert.n, note, first=False)
                self.let_go(live, (alert.n,))
        for n in live.answered:
            self._tell_answered(live, n)
        live.new.clear()
        live.answered.clear()

    def appeared(self, live: Live, n: int) -> None:
        """A socket of hers did: what it may lack is put on it, what else had failed is asked for anew."""
        if live.record is None:
            return
        alert = live.record.state.alert(n)
        for note in self._unread(live, alert):
            self.put(live, n, note, first=False)
        self.let_go(live, (n,))
        # What is on her socket now has one id. It was put there at once, since by the time that a request for
        # it is decided an SMS may have been heard, which would be the end of it.
        state = live.record.state
        failed = [
            one for one in _last_tried(alert) if one.state == "failed" and still_holds(state, alert, one)
        ]
        if not all(self._kept(live, n, note) for note in failed):
            self._decisions.post(
                live, lambda now: c.SocketAppeared(at=now.at, by="medic", policy=now.rules, n=n)
            )

    def vanished(self, live: Live, n: int) -> None:
        """The last socket of hers on another node did: what was left to that node has failed."""
        if live.record is None or not self._decisions.ours(live):
            return
        self.let_go(live, (n,))
        for note in self._unread(live, live.record.state.alert(n)):
            if note.pending and (live, n, note.k) not in self._put_just_now:
                self.put(live, n, note, first=False)

    def answered(self, live: Live, n: int, *, told: bool) -> None:
        """What was said before her answer is not repeated. ``told``: who took it tells her devices."""
        self.forget(live, n)
        if not told:
            self._tell_answered(live, n)

    def forget(self, live: Live, n: int) -> None:
        """A device that comes back reads how the alert is; what it was told before is not so any more."""
        if (medic_id := live.medic_of(n)) is not None:
            self._hub.forget(medic_id, alert_id(live.id, n))

    def _tell_answered(self, live: Live, n: int) -> None:
        """The devices that are here, of an answer that came by SMS, by opting out, or at another node."""
        medic_id = live.medic_of(n)
        if medic_id is not None and live.record is not None:
            self._hub.tell_answered(medic_id, [(alert_id(live.id, n), live.record.state.alert(n).state)])

    def let_go(self, live: Live, numbers: Iterable[int]) -> None:
        """What is no longer true comes to its outcome. A device may have had it from another node."""
        if live.record is None:
            return
        state = live.record.state
        for n in dict.fromkeys(numbers):
            alert = state.alert(n)
            for note in alert.notes:
                if note.channel == WEBSOCKET and note.pending and not still_holds(state, alert, note):
                    self._no_longer_true(live, n, note)

    def end_grace(self) -> None:
        """Who has not come back by now is not expected any more; nothing before the grace has passed."""
        if not self._expected or self._grace.lasts(self._clock.now_ms()):
            return
        expected, self._expected = self._expected, {}
        for known, first in expected.items():
            live = self._decisions.memory.get(known.incident_id)
            if live is None or live.record is None or live.note(known.n, known.k) is None:
                continue
            # She may have come meanwhile, and have it, or have been told to stop.
            self.let_go(live, (known.n,))
            for note in self._unread(live, live.record.state.alert(known.n)):
                if note.k == known.k and note.pending:
                    self.put(live, known.n, note, first=first)

    def close(self) -> None:
        self._tell_sent()

    def _unread(self, live: Live, alert: Alert) -> list[Note]:
        """What a device may lack: not acknowledged, still what she is to be told, and not kept by the hub."""
        return [
            note
            for note in _last_tried(alert)
            if (_unheard(live, alert, note) or _heard_elsewhere(live, alert, note))
            and not self._kept(live, alert.n, note)
        ]

    def _kept(self, live: Live, n: int, note: Note) -> bool:
        """It is on her sockets here, and waits for her acknowledgement."""
        medic_id = live.medic_of(n)
        return medic_id is not None and self._hub.keeps(medic_id, notification_id(live.id, n, note.k))

    def _has_socket(self, live: Live, n: int) -> bool:
        medic_id = live.medic_of(n)
        return medic_id is not None and self._hub.connected(medic_id)

    def _failed(self, live: Live, n: int, note: Note, reason: str, *, definite: bool = True) -> None:
        if note.pending and self._decisions.ours(live):
            self._decisions.post(live, settling(n, note.k, "failed", reason=reason, definite=definite))

    def _no_longer_true(self, live: Live, n: int, note: Note) -> None:
        if (live, n, note.k) not in self._put_just_now:  # else it is told as sent in a moment
            self._failed(live, n, note, "no_longer_true", definite=False)

    def _sent_later(self, live: Live, n: int, k: int) -> None:
        if not self._put_just_now:
            asyncio.get_running_loop().call_later(SENT_AFTER_S, self._tell_sent)
        self._put_just_now.append((live, n, k))

    def _tell_sent(self) -> None:
        put, self._put_just_now = self._put_just_now, []
        for live, n, k in put:
            note = live.note(n, k)
            if note is not None and note.pending:
                self._decisions.post(live, settling(n, k, "sent"), ("sent", n, k))


def _unheard(live: Live, alert: Alert, note: Note) -> bool:
    """No device of hers is known to have it."""
    assert live.record is not None
    waits = note.state in ("requested", "sent") and (alert.n, note.k) not in live.had
    return waits and still_holds(live.record.state, alert, note)


def _heard_elsewhere(live: Live, alert: Alert, note: Note) -> bool:
    """She was told elsewhere before this node knew of it: the devices that are here lack it still.

    Over whatever channel: what was not put on a socket, as none was known of, is put on the one that is here.
    """
    assert live.record is not None
    if (alert.n, note.k) not in live.new or note.pending:
        return False
    if note.purpose == "alert":
        return alert.open and alert.heard > 0 and not note.unsent
    return still_holds(live.record.state, alert, note)


def _last_tried(alert: Alert) -> Iterable[Note]:
    """Of each message to her, what was last put on her sockets, or was to be."""
    return {note.message: note for note in alert.notes if note.channel == WEBSOCKET}.values()
