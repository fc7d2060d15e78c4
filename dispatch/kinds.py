"""The kinds of incidents, from the operator's files: how each is alerted, and which codes stand for it."""

from collections.abc import Collection
from typing import NamedTuple

from dispatch.codes import Codes, read_codes
from dispatch.core.policy import Policies, PolicyError, override, shipped
from dispatch.roster.drill_devices import KIND as DRILL
from dispatch.settings import Settings

SENT_BY = ("websocket", "sms")
"""What this version sends by. A ladder may name other channels, which planners try (`dispatch simulate`)."""


class Kinds(NamedTuple):
    """What a control room can report."""

    policies: Policies
    codes: Codes


def read_kinds(settings: Settings) -> Kinds:
    """Raises PolicyError and CodesError."""
    policies = _read_policies(settings)
    return Kinds(policies, read_codes(settings.codes_file, policies) if settings.codes_file else {})


def reaching_nobody(policies: Policies, channels: Collection[str]) -> str | None:
    """In a line the kinds whose ladders have none of ``channels``; None where each has one."""
    kinds = [
        kind
        for kind, policy in policies.items()
        if not any(rung.channel in channels for rung in policy.ladder)
    ]
    if not kinds:
        return None
    why = f"no rung of its ladder is {' or '.join(channels)}, and there is no other channel"
    return f"nobody is asked for {', '.join(kinds)}: {why}"


def _read_policies(settings: Settings) -> Policies:
    """The shipped policies, or those with the operator's file laid over them."""
    path = settings.policy_file
    if path is None:
        return shipped()
    try:
        policies = override(path.read_text("utf-8"), file=str(path))
    except (OSError, UnicodeError) as error:
        raise PolicyError(f"{path}: can not be read: {error}") from None
    if DRILL in policies:
        raise PolicyError(f"{path}: {DRILL}: is the kind of the watchdog's own drills; name yours otherwise")
    return policies
