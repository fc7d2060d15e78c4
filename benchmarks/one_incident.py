"""An incident decided by the core alone, decision by decision, each as what is to be appended of it."""

from collections.abc import Callable, Sequence

import msgspec

from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.core.decide import Decision, decide
from dispatch.core.policy import shipped
from dispatch.ids import new_incident_id
from dispatch.records import Asked, Details, Position
from dispatch.store.appends import Append, Stream

ALERTS = 10
"""How many medics are asked."""
ACCEPT = 3
"""How many of them accept; the others decline before."""
STEP_MS = 500
"""From one decision to the next."""
POLICY = shipped()["cardiac_arrest"]
DETAILS = Details(
    Position(53.35, -6.26, 12.0), "12 Main Street, Dublin 1", "blue door", "man of 54, collapsed"
)

MakeCommand = Callable[[int], c.Command]
"""The command as at a time (ms)."""


class OneIncident:
    """``open`` first, then ``then`` as often as need be; ``at`` is the time (ms) of the last decision."""

    def __init__(self, room_id: str, medic_ids: Sequence[str], at: int) -> None:
        self.id, self.at = new_incident_id(at), at
        self._room_id, self._medic_ids = room_id, medic_ids
        self.decided: Decision

    def open(self) -> Append:
        """Opened, and its medics alerted."""
        candidates = tuple(
            c.Candidate(medic_id, 300 + 40 * n, 120 + 10 * n, ("websocket", "sms"))
            for n, medic_id in enumerate(self._medic_ids)
        )
        command = c.Open(
            at=self.at,
            by="control_room",
            key="key",
            policy=POLICY,
            candidates=candidates,
            reference=self.id,
            kind="cardiac_arrest",
            priority=POLICY.priority,
            setting="public",
            drill=False,
            hazard="none",
            called_at=self.at,
            ambulance_due_at=None,
            position_good=True,
        )
        self.decided = decide(None, command)
        asked = tuple(Asked(n, who.medic_id, who.distance_m, n % 4) for n, who in self.decided.asked)
        inputs = msgspec.json.encode(candidates)
        return self._append(self.decided.events, asked=asked, details=DETAILS, inputs=inputs)

    def then(self, *commands: MakeCommand) -> Append:
        """These together, a moment later."""
        self.at += STEP_MS
        events: list[e.Event] = []
        for make in commands:
            before = self.decided
            self.decided = decide(before.state, make(self.at), quiet_until=before.quiet_until)
            events += self.decided.events
        return self._append(tuple(events))

    def _append(
        self,
        events: tuple[e.Event, ...],
        *,
        asked: tuple[Asked, ...] = (),
        details: Details | None = None,
        inputs: bytes | None = None,
    ) -> Append:
        state, due_at = self.decided.state, self.decided.due_at
        return Append((Stream(self.id, self._room_id, events, state, due_at, asked, details, inputs),))


def delivered(n: int, k: int = 1) -> MakeCommand:
    """Her device has alert ``n``'s message ``k``."""
    return lambda at: c.Settle(at=at, policy=POLICY, n=n, k=k, result="delivered", by="medic")


def without_socket(n: int, k: int) -> MakeCommand:
    """She had no device that could take it."""
    return lambda at: c.Settle(at=at, policy=POLICY, n=n, k=k, result="failed", reason="no_socket")


def answered(n: int, answer: e.Answer) -> MakeCommand:
    return lambda at: c.GiveAnswer(
        at=at, by="medic", policy=POLICY, candidates=(), n=n, answer=answer, channel="websocket"
    )


def closed(at: int) -> c.Command:
    return c.Close(at=at, by="control_room", key="key", policy=POLICY)
