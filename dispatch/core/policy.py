"""Policies: per incident kind, how many of whom are asked, how far, in which waves, over which channels.

The text of a policy file goes in, checked policies come out; reading the file is the caller's. A policy is
known by the hash of its content, so that an incident keeps the one it was opened with and two nodes with
different files stay right.
"""

import difflib
import functools
import hashlib
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec


class PolicyError(ValueError):
    """A policy file that can not be used; the text names file, key and reason in one line."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class Wave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``alerts`` more become due ``after_s`` on the waves' clock."""

    after_s: int
    alerts: int


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the ladder: this channel, ``after_s`` from the alert's request."""

    channel: str
    after_s: int


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind's policy; RULES and docs/policies.md give each key's meaning. Times are whole seconds."""

    priority: int
    wanted: int
    waves: tuple[Wave, ...]
    replace: bool
    alerts_max: int
    reach_s: int
    answer_within_s: int
    better_by_s: int
    ladder: tuple[Rung, ...]
    before_ambulance_only: bool
    private_needs_clearance: bool
    skills_any: tuple[str, ...]
    overdue_factor: float
    overdue_s_min: int
    engaged_s_max: int
    auto_close_s: int
    stale_after_s: int
    accuracy_m_max: int
    fix_stale_s: int
    look_again_s: int
    look_s_max: int
    asks_max: int
    near_m: int


Policies = Mapping[str, Policy]
"""A policy by kind."""

# Inclusive bounds. A zero where time must pass would make ticks without end.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "priority": (1, 9),
    "wanted": (1, 100),
    "alerts_max": (1, 1000),
    "reach_s": (1, 7200),
    "answer_within_s": (5, 3600),
    "better_by_s": (0, 3600),
    "overdue_factor": (0, 100),
    "overdue_s_min": (1, 36_000),
    "engaged_s_max": (60, 86_400),
    "auto_close_s": (60, 604_800),
    "stale_after_s": (1, 604_800),
    "accuracy_m_max": (1, 100_000),
    "fix_stale_s": (1, 604_800),
    "look_again_s": (1, 3600),
    "look_s_max": (1, 86_400),
    "asks_max": (1, 100),
    "near_m": (1, 10_000),
}
CHANNELS = ("websocket", "webpush", "sms", "voice")


@functools.lru_cache(maxsize=256)
def digest(policy: Policy) -> str:
    """Content hash: 32 hex digits of SHA-256 over the policy's JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(policy, order="sorted")).hexdigest()[:32]


def shipped() -> Policies:
    """The policies that come with the service."""
    return parse_all(_shipped_text())


def parse_all(text: str, *, file: str = "policies.toml") -> Policies:
    """A whole policy file that stands by itself."""
    tables = _tables(text, file)
    everywhere = tables.pop("all", {})
    return {kind: _policy({**everywhere, **table}, file, kind) for kind, table in tables.items()}


def override(text: str, *, file: str) -> Policies:
    """The shipped policies with ``text`` laid over them key by key; a new kind must be whole.

    Raises PolicyError naming file, key and reason.
    """
    tables = _tables(text, file)
    everywhere = tables.pop("all", {})
    base = {kind: msgspec.to_builtins(policy) for kind, policy in shipped().items()}
    shared = _tables(_shipped_text(), "policies.toml")["all"]
    return {
        kind: _policy({**base.get(kind, shared), **everywhere, **tables.get(kind, {})}, file, kind)
        for kind in {**base, **tables}
    }


def _shipped_text() -> str:
    return resources.files("dispatch.core").joinpath("policies.toml").read_text("utf-8")


def _tables(text: str, file: str) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also: too many digits in a number, too many brackets
        raise PolicyError(f"{file}: not TOML: {error}") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise PolicyError(f"{file}: {name}: stands outside any kind; put it below [all] or [KIND]")
        _check_kind(name, file)
        for key in table:
            if key not in Policy.__struct_fields__:
                raise PolicyError(f"{file}: {name}.{key}: unknown key{_nearest(key)}")
    return tables


def _is_word(text: str) -> bool:
    """As medics' skills and our kinds are."""
    letters = text.replace("_", "a")
    return 0 < len(text) <= 40 and text.isascii() and letters.isalnum() and text == text.lower()


def _check_kind(kind: str, file: str) -> None:
    if not _is_word(kind):
        raise PolicyError(f"{file}: {kind}: a kind is a word of at most 40 small letters, digits and '_'")


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, Policy.__struct_fields__, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _policy(table: dict[str, Any], file: str, kind: str) -> Policy:
    for key in Policy.__struct_fields__:
        if key not in table:
            raise PolicyError(f"{file}: {kind}.{key}: is missing")
    try:
        policy = msgspec.convert(table, Policy)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`") or "?"
        raise PolicyError(f"{file}: {kind}.{key}: {what[:1].lower()}{what[1:]}") from None
    for key, reason in _faults(policy):
        raise PolicyError(f"{file}: {kind}.{key}: {reason}")
    return policy


def _faults(policy: Policy) -> list[tuple[str, str]]:
    """Each key that is out of bounds or contradicts another, with the reason."""
    faults = [
        (key, f"{getattr(policy, key)} is not within {low}..{high}")
        for key, (low, high) in BOUNDS.items()
        if not low <= getattr(policy, key) <= high
    ]
    afters = [wave.after_s for wave in policy.waves]
    if not afters or afters[0] != 0 or afters != sorted(set(afters)):
        faults.append(("waves", "the first is at after_s = 0, and each later one has a larger after_s"))
    if any(not 1 <= wave.alerts <= 1000 or wave.after_s > policy.look_s_max for wave in policy.waves):
        faults.append(("waves", "alerts lie within 1..1000, and no after_s is above look_s_max"))
    channels = [rung.channel for rung in policy.ladder]
    if not channels or len(set(channels)) != len(channels) or not set(channels) <= set(CHANNELS):
        faults.append(("ladder", f"each channel at most once, at least one, out of {', '.join(CHANNELS)}"))
    rungs = [rung.after_s for rung in policy.ladder]
    if rungs and (rungs[0] != 0 or rungs != sorted(rungs) or rungs[-1] > policy.answer_within_s):
        late = "the first rung is at after_s = 0, none is earlier than the last or later than answer_within_s"
        faults.append(("ladder", late))
    if not all(map(_is_word, policy.skills_any)):
        faults.append(("skills_any", "a skill is a word of at most 40 small letters, digits and '_'"))
    return faults
