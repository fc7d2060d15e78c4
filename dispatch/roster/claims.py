"""Which alerts medics hold, and how urgent an incident must be to ask one who holds some (RULES, "Free")."""

import msgspec

ENGAGED = 0
"""Urgency of an accepted real alert: no incident is more urgent."""
FREE = 2**15 - 1
"""Urgency of holding nothing."""
_DRILL = 1000
"""Any drill is less urgent than any real incident."""


class Held(msgspec.Struct, frozen=True, gc=False):
    """An alert that a medic holds: open, or ``engaged`` (accepted or arrived)."""

    incident_id: str
    n: int
    priority: int
    drill: bool
    engaged: bool


def urgency(priority: int, drill: bool) -> int:
    """The lower, the more urgent; never as low as ENGAGED."""
    return priority + (_DRILL if drill else 0)


class Claims:
    """Alerts held, by medic id. Knows nothing of who is in the roster, so that news may come in any order."""

    def __init__(self) -> None:
        self._held: dict[str, dict[tuple[str, int], Held]] = {}
        self._holders: dict[str, dict[str, None]] = {}

    def __bool__(self) -> bool:
        """Whether anybody holds one."""
        return bool(self._held)

    def hold(self, medic_id: str, held: Held) -> None:
        """Holds the alert, or takes over what has changed of it."""
        self._held.setdefault(medic_id, {})[held.incident_id, held.n] = held
        self._holders.setdefault(held.incident_id, {})[medic_id] = None

    def release(self, medic_id: str, incident_id: str, n: int) -> None:
        """Lets the alert go; nothing where it is not held."""
        alerts = self._held.get(medic_id)
        if alerts is None or alerts.pop((incident_id, n), None) is None:
            return
        if not alerts or all(held.incident_id != incident_id for held in alerts.values()):
            holders = self._holders[incident_id]
            holders.pop(medic_id, None)
            if not holders:
                del self._holders[incident_id]
        if not alerts:
            del self._held[medic_id]

    def of(self, medic_id: str) -> tuple[Held, ...]:
        alerts = self._held.get(medic_id)
        return tuple(alerts.values()) if alerts else ()

    def holders(self, incident_id: str) -> dict[str, None]:
        """The medics who hold an alert of this incident, in the order in which they came to."""
        return dict(self._holders.get(incident_id, ()))

    def urgency(self, medic_id: str) -> int:
        """Only a more urgent incident than this may ask her. An accepted drill keeps her from nothing."""
        alerts = self._held.get(medic_id)
        return min(map(_urgency, alerts.values())) if alerts else FREE


def _urgency(held: Held) -> int:
    if held.engaged:
        return FREE if held.drill else ENGAGED
    return urgency(held.priority, held.drill)
