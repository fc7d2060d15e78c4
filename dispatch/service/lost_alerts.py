"""Alerts that the database has lost: who may have had one is told to stop, though no event says so.

A standby that was promoted may lack the last commits. No decision can end what they alerted for: there is no
incident to decide on, or it is back to where it was. And its medics are on their way.
"""

from collections.abc import Awaitable, Callable, Iterable

from msgspec.structs import replace

from dispatch.clock import Clock
from dispatch.core.incident import Alert
from dispatch.deciding.decisions import KEEP_ENDED_MS, Decisions
from dispatch.ids import AlertId, alert_id
from dispatch.records import Asked, Record
from dispatch.roster.roster import Roster
from dispatch.sending.messages import message
from dispatch.tasks import Tasks
from notify.message import Message
from notify.websocket import SocketHub

REASON = "lost"
NO_NOTIFICATION = 0
"""Notifications count from 1, so that an acknowledgement of this is none of theirs."""
DECIDED_ANEW_S = 5.0
"""What is due at once, where the last decisions are lost, is decided by then: often the same medics are asked
again, under the same ids, and theirs goes on."""


class LostAlerts:
    """Each is told over the sockets of this node, as long as an end is kept for devices that come back."""

    def __init__(
        self,
        decisions: Decisions,
        *,
        hub: SocketHub,
        roster: Roster,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
        paused: Callable[[], bool],
    ) -> None:
        self._decisions, self._hub, self._roster, self._clock = decisions, hub, roster, clock
        self._sleep, self._paused = sleep, paused
        self._of: dict[str, dict[AlertId, tuple[int, Message]]] = {}
        """By medic, with since when (ms) she is to be told, and what."""
        self._waiting = Tasks()

    def lost(self, record: Record, asked: Iterable[Asked]) -> None:
        """These alerts of the incident as it was are lost."""
        for one in asked:
            self._hub.forget(one.medic_id, alert_id(record.id, one.n))
        to_tell = [one for one in asked if _may_show(record.state.alert(one.n))]
        if to_tell and record.details is not None:
            self._waiting.spawn(self._tell_all(record, to_tell))

    def socket_appeared(self, medic_id: str) -> None:
        """A device of hers may show one still."""
        if self._paused():
            return
        for alert, (_, stop) in tuple(self._of.get(medic_id, {}).items()):
            live = self._decisions.memory.get(alert.incident_id)
            if live is not None and live.medic_of(alert.n) == medic_id:
                self._drop(medic_id, alert)  # asked again
            elif not self._hub.keeps(medic_id, stop.message_id):
                self._hub.put(medic_id, stop)

    def acknowledged(self, medic_id: str, message_id: str) -> None:
        """A device of hers has stopped."""
        for alert, (_, stop) in tuple(self._of.get(medic_id, {}).items()):
            if stop.message_id == message_id:
                self._drop(medic_id, alert)

    def forget(self, medic_id: str) -> None:
        """She is deleted."""
        self._of.pop(medic_id, None)

    def tidy(self) -> None:
        """Forgets those of long ago, and tells what was not told, as during a pause."""
        before = self._clock.now_ms() - KEEP_ENDED_MS
        for medic_id, hers in tuple(self._of.items()):
            for alert, (since, _) in tuple(hers.items()):
                if since < before:
                    self._drop(medic_id, alert)
            self.socket_appeared(medic_id)

    async def close(self) -> None:
        await self._waiting.cancel()

    async def _tell_all(self, record: Record, asked: Iterable[Asked]) -> None:
        await self._sleep(DECIDED_ANEW_S)
        for one in asked:
            if (medic := self._roster.get(one.medic_id)) is None:
                continue
            stop = replace(message(record, one, NO_NOTIFICATION, "stand_down", medic), reason=REASON)
            hers = self._of.setdefault(medic.id, {})
            hers[AlertId(record.id, one.n)] = (self._clock.now_ms(), stop)
            self.socket_appeared(medic.id)

    def _drop(self, medic_id: str, alert: AlertId) -> None:
        hers = self._of.get(medic_id, {})
        hers.pop(alert, None)
        if not hers:
            self._of.pop(medic_id, None)


def _may_show(alert: Alert) -> bool:
    """A device of hers may still: she has not ended it herself, nor is known to have been told to stop."""
    over = alert.state in ("declined", "finished")
    return alert.may_know and not over and (alert.told != "stand_down" or alert.heard != alert.message)
