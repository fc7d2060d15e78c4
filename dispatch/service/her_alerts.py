"""Which alerts of incidents in memory each medic has, and what her device is to show of them."""

from collections.abc import Iterable

import msgspec

from dispatch.core import events as e
from dispatch.core.incident import Alert
from dispatch.deciding.decisions import Decisions
from dispatch.deciding.live import Live
from dispatch.ids import AlertId
from dispatch.records import Medic
from dispatch.sending.messages import message
from dispatch.sending.to_sockets import WEBSOCKET
from notify.message import Message

MISSED = ("expired", "failed")
"""Alerts that she may accept still while the incident lives, unless she is suspended: then what her device
shows is over, and where the incident is is no longer for her."""


class Shown(msgspec.Struct, frozen=True):
    """One of a medic's alerts as her device shows it."""

    message: Message
    state: str


class HerAlerts:
    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._of: dict[str, dict[AlertId, None]] = {}

    def __len__(self) -> int:
        """How many medics are known to have some."""
        return len(self._of)

    def loaded(self, live: Live) -> None:
        for n, asked in live.by_n.items():
            self._add(asked.medic_id, live, n)

    def happened(self, live: Live, events: Iterable[e.Event]) -> None:
        for event in events:
            if isinstance(event, e.AlertRequested) and (medic_id := live.medic_of(event.n)) is not None:
                self._add(medic_id, live, event.n)

    def of(self, medic_id: str) -> list[tuple[Live, int]]:
        """Her alerts, each with its incident, oldest first."""
        known = tuple(self._of.get(medic_id, ()))
        found = ((self._decisions.memory.get(incident_id), n) for incident_id, n in known)
        return [(live, n) for live, n in found if live is not None]

    def shown(self, medic: Medic) -> list[Shown]:
        """What her device is to show: accepted and arrived, open, and missed ones of live incidents."""
        shown = []
        for live, n in self.of(medic.id):
            record, asked = live.record, live.by_n.get(n)
            if record is None or not record.state.live or asked is None:
                continue  # not asked: deleted at another node, which this one has not heard of yet
            alert = record.state.alert(n)
            if alert.open or alert.engaged or (alert.state in MISSED and not medic.suspended):
                shown.append(Shown(message(record, asked, _told_by(alert), "alert", medic), alert.state))
        return shown

    def forget(self, medic_id: str) -> None:
        """She is deleted: nothing leads from her alerts to her."""
        for live, _ in self.of(medic_id):
            live.let_go(medic_id)
        self._of.pop(medic_id, None)

    def gone(self, live: Live) -> None:
        """An incident that is no longer in memory."""
        for n, asked in live.by_n.items():
            self.drop(asked.medic_id, AlertId(live.id, n))

    def drop(self, medic_id: str, alert: AlertId) -> None:
        """An alert that is not hers any more, or is in memory no longer."""
        known = self._of.get(medic_id, {})
        known.pop(alert, None)
        if not known:
            self._of.pop(medic_id, None)

    def _add(self, medic_id: str, live: Live, n: int) -> None:
        self._of.setdefault(medic_id, {})[AlertId(live.id, n)] = None


def _told_by(alert: Alert) -> int:
    """The alert's notification that her sockets had last, whose id they acknowledge; else its first."""
    told = [note for note in alert.notes if note.purpose == "alert"]
    on_sockets = [note.k for note in told if note.channel == WEBSOCKET]
    return on_sockets[-1] if on_sockets else told[0].k if told else 1
