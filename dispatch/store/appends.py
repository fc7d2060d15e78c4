"""What is appended, and why an append may be refused."""

import msgspec

from dispatch.core.events import AnyEvent
from dispatch.core.incident import Incident
from dispatch.records import Asked, Details


class Stream(msgspec.Struct, frozen=True):
    """One incident's part of a decision.

    ``state`` is the incident after ``events``, of which there is at least one: the append expects to find
    ``state.seq - len(events)``. ``asked`` has a row for each new alert, ``details`` the personal side when
    opened or changed, ``inputs`` the decision's input as JSON when it is to be kept,
    ``provider_ids`` (n, k, id) what a provider calls a notification it has taken.
    """

    incident_id: str
    control_room_id: str
    events: tuple[AnyEvent, ...]
    state: Incident
    due_at: int | None
    asked: tuple[Asked, ...] = ()
    details: Details | None = None
    inputs: bytes | None = None
    provider_ids: tuple[tuple[int, int, str], ...] = ()

    @property
    def seq(self) -> int:
        """That of the first event, from 1."""
        return self.state.seq - len(self.events) + 1


class Remembered(msgspec.Struct, frozen=True):
    """A control room's idempotency key, kept in the same commit. ``subject``: what was answered with."""

    control_room_id: str
    key: str
    request_hash: bytes
    subject: str
    at: int


class Append(msgspec.Struct, frozen=True):
    """One decision, all or nothing: the incidents it touches (none, if it changed nothing) and its key."""

    streams: tuple[Stream, ...]
    remember: Remembered | None = None


class Claim(msgspec.Struct, frozen=True):
    """An alert that a medic holds: open, or engaged on it. ``priority`` is its incident's."""

    medic_id: str
    incident_id: str
    n: int
    priority: int
    drill: bool
    engaged: bool


class Conflict(Exception):
    """The append was refused and wrote nothing. What to do depends on which."""


class SeqConflict(Conflict):
    """Another decision about this incident was first (or it exists already): reload, and decide again."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id


class ClaimConflict(Conflict):
    """Medics of this append hold an alert elsewhere.

    Leave them out (or, for her own answer, end what else she holds in the same append), and decide again.
    """

    def __init__(self, claims: tuple[Claim, ...]) -> None:
        super().__init__(", ".join(f"{claim.incident_id}/{claim.n}" for claim in claims))
        self.claims = claims

    @property
    def medic_ids(self) -> frozenset[str]:
        return frozenset(claim.medic_id for claim in self.claims)


class Fenced(Conflict):
    """The lease of the life that wrote has ended: join anew, reload everything, and decide again."""


class KeyTaken(Conflict):
    """The idempotency key was used within 24 h, by a twin that was first: answer as it was answered."""


class ReferenceTaken(Conflict):
    """The control room opened ``incident_id`` with this reference within 24 h."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id


class Unavailable(Exception):
    """The database did not answer in time. It is not known whether the append was written: reload first."""


class Overloaded(Unavailable):
    """Too much waits already: certainly not written, and nothing was begun. Try again in a while."""
