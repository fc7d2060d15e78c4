"""What can be asked of an incident. A command carries all that its decision needs from outside, as data.

``at`` is the only time a decision knows: integer milliseconds since the epoch, from the database's clock.
``policy`` is the incident's own policy (for a changed kind, the new kind's). ``candidates`` are the medics
whom the roster found for the decision's ``Search``; None says that nobody has looked yet.
"""

from typing import Literal, TypeAlias

import msgspec

from dispatch.core.events import Answer, By, Hazard, Setting
from dispatch.core.policy import Policy


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A medic who may be asked now. ``first``: the number of her first alert for this incident, if any.

    ``channels``: those of the ladder on which she can be reached at this moment.
    """

    medic_id: str
    distance_m: int
    eta_s: int
    channels: tuple[str, ...]
    first: int | None = None


class Search(msgspec.Struct, frozen=True, gc=False):
    """Whom a decision looks for: the ``count`` best by ``eta_s`` within ``reach_s`` who are available.

    ``exclude`` holds first alert numbers of medics who may not be asked (again) now, ``again`` those of
    medics asked before who may; at most ``new_max`` of the found may be medics never asked for this incident.
    """

    count: int
    reach_s: int
    fix_stale_s: int
    skills_any: tuple[str, ...]
    cleared_only: bool
    drill: bool
    priority: int
    channels: tuple[str, ...]
    exclude: tuple[int, ...]
    again: tuple[int, ...]
    new_max: int


class Standing(msgspec.Struct, frozen=True):
    """How an alerted medic stands to an incident that changed: her travel time now, and does she still fit.

    ``eta_s``, ``distance_m``: None where it is not known where she is. ``fits``: skills, clearance and
    channels are as the (new) policy and setting want.
    """

    n: int
    eta_s: int | None
    distance_m: int | None
    fits: bool


class Command(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="command"):
    at: int
    by: By = "timer"
    key: str | None = None
    policy: Policy
    candidates: tuple[Candidate, ...] | None = None


class Open(Command, frozen=True, kw_only=True, tag=True):
    """``never_alert``: the code is mapped to so. ``position_good``: accurate enough, or with an address."""

    reference: str
    kind: str
    priority: int
    setting: Setting
    drill: bool
    hazard: Hazard
    called_at: int
    ambulance_due_at: int | None
    position_good: bool
    never_alert: bool = False
    paused: bool = False


class Update(Command, frozen=True, kw_only=True, tag=True):
    """``fields`` names what the control room gave; values of what decides beside it.

    ``standing`` covers every live alert where place, kind or setting changed.
    """

    fields: tuple[str, ...]
    kind: str | None = None
    never_alert: bool | None = None
    priority: int | None = None
    setting: Setting | None = None
    hazard: Hazard | None = None
    ambulance_due_at: int | None = None
    ambulance_arrived_at: int | None = None
    position_good: bool = False
    standing: tuple[Standing, ...] = ()


class GiveAnswer(Command, frozen=True, kw_only=True, tag=True):
    """``engaged``: accepted or arrived on another real incident; ``suspended``: she may not come to any.

    ``eta_s``: her travel time now, if known.
    """

    n: int
    answer: Answer
    channel: str | None
    eta_s: int | None = None
    engaged: bool = False
    suspended: bool = False


class See(Command, frozen=True, kw_only=True, tag=True):
    """A person opened the alert. (That a machine has it comes as ``Settle``.)"""

    n: int
    channel: str


class NotUnderstand(Command, frozen=True, kw_only=True, tag=True):
    """The medic of alert ``n`` wrote a text that is no answer."""

    n: int
    channel: str


class Settle(Command, frozen=True, kw_only=True, tag=True):
    """The outcome of a send, or a later word of the provider or the device about it."""

    n: int
    k: int
    result: Literal["sent", "delivered", "failed"]
    reason: str = ""
    definite: bool = False


class SocketAppeared(Command, frozen=True, kw_only=True, tag=True):
    n: int


class Leave(Command, frozen=True, kw_only=True, tag=True):
    """The medic of alert ``n`` is no longer to be had: why."""

    n: int
    why: Literal["suspended", "opted_out", "deleted", "engaged"]


class More(Command, frozen=True, kw_only=True, tag=True):
    count: int


class Enough(Command, frozen=True, kw_only=True, tag=True):
    pass


class Tick(Command, frozen=True, kw_only=True, tag=True):
    pass


class Pause(Command, frozen=True, kw_only=True, tag=True):
    pass


class Resume(Command, frozen=True, kw_only=True, tag=True):
    pass


class Cancel(Command, frozen=True, kw_only=True, tag=True):
    pass


class Close(Command, frozen=True, kw_only=True, tag=True):
    pass


class Reopen(Command, frozen=True, kw_only=True, tag=True):
    pass


AnyCommand: TypeAlias = (
    Open
    | Update
    | GiveAnswer
    | See
    | NotUnderstand
    | Settle
    | SocketAppeared
    | Leave
    | More
    | Enough
    | Tick
    | Pause
    | Resume
    | Cancel
    | Close
    | Reopen
)


class Refused(Exception):
    """A command that the incident does not take; nothing was changed. ``code`` is the contract's 409 word."""

    def __init__(self, code: Literal["covered", "ended", "held", "engaged", "not_engaged"]) -> None:
        super().__init__(code)
        self.code = code
