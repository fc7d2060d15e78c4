"""The keys of a scenario file: known ones, of the right type, within their bounds."""

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from simulations.planning.errors import ScenarioError
from simulations.planning.records import MODES, WEEK_HOURS
from simulations.planning.sections import (
    AmbulanceKeys,
    ArrestsKeys,
    BehaviourKeys,
    GridKeys,
    IncidentsKeys,
    MedicsKeys,
    RegionKeys,
    Section,
    TimesKeys,
)

MEDICS_MAX = 2_000_000
REPLICATIONS_MAX = 100_000
PER_YEAR_MAX = 10_000_000
WEIGHT_MAX = 1_000_000
"""Only their proportions count: sums stay finite."""

NAME_MAX = 40
NO_NAME = f"a policy's name has 1 to {NAME_MAX} letters, no $ and no _ at its beginning"


class ScenarioKeys(Section, frozen=True):
    """The whole file."""

    region: RegionKeys
    medics: MedicsKeys
    incidents: IncidentsKeys
    title: str = ""
    seed: int = 1
    replications: int = 30
    stop_within_s: float | None = None
    """None: all of them, else as soon as the differences are known to within this."""
    bootstrap: int = 0
    """So many replications more, each with the samples drawn anew."""
    weeks: int = 52
    starts: str = "2026-01-05"
    time_zone: str = "UTC"
    grid: GridKeys = GridKeys()
    behaviour: BehaviourKeys = BehaviourKeys()
    times: TimesKeys = TimesKeys()
    arrests: ArrestsKeys = ArrestsKeys()
    ambulance: AmbulanceKeys = AmbulanceKeys()
    policies: dict[str, str] = msgspec.field(default_factory=lambda: {"shipped": "shipped"})


S = TypeVar("S", bound=Section)

_BY_NAME: Mapping[str, type[Section]] = {
    "region": RegionKeys,
    "grid": GridKeys,
    "medics": MedicsKeys,
    "behaviour": BehaviourKeys,
    "incidents": IncidentsKeys,
    "arrests": ArrestsKeys,
    "times": TimesKeys,
    "ambulance": AmbulanceKeys,
}

_BOUNDS: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "replications": (1, REPLICATIONS_MAX),
    "stop_within_s": (0, 86_400),
    "bootstrap": (0, REPLICATIONS_MAX),
    "weeks": (1, 520),
    "medics.count": (1, MEDICS_MAX),
    "medics.per_km2": (0, 10_000),
    "medics.works": (0, 1),
    "behaviour.logit_per_km": (-20, 0),
    "behaviour.logit_night": (-10, 10),
    "behaviour.medic_effect_sd": (0, 10),
    "behaviour.incident_effect_sd": (0, 10),
    "behaviour.speed_m_s": (0.1, 50),
    "incidents.per_year": (0, PER_YEAR_MAX),
    "incidents.by_hour": (0, WEIGHT_MAX),
    "arrests.recognised_share": (0.01, 1),
    "arrests.bystander_cpr": (0, 1),
}
_SHARES = ("seen", "_share", "flats", "accepts_if_seen", "_if_not_accepting", "_if_accepted")
_SECONDS_MAX, _SIGMA_MAX = 86_400, 3
_WHOLE_MAX = 1e15
SHOWN_MAX = 40
"""Of a number that is wrong, characters."""


def read_keys(text: str, file: str) -> ScenarioKeys:
    """Raises `ScenarioError` with the first thing that is wrong."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also: a whole number too long, brackets too deep
        raise ScenarioError(file, "", f"not TOML: {error}") from None
    _check_known(table, file)
    for name in ("region", "medics", "incidents"):
        if name not in table:
            raise ScenarioError(file, name, "is missing")
    keys = _converted(table, file)
    for key, reason in _faults(keys):
        raise ScenarioError(file, key, reason)
    return keys


def _check_known(table: Mapping[str, Any], file: str) -> None:
    _check_names(table, ScenarioKeys, "", file)
    for name, section in _BY_NAME.items():
        inner = table.get(name, {})
        if not isinstance(inner, dict):
            raise ScenarioError(file, name, f"is a section: write it as [{name}]")
        _check_names(inner, section, f"{name}.", file)


def _check_names(table: Mapping[str, Any], section: type[Section], before: str, file: str) -> None:
    for key in table:
        if key not in section.__struct_fields__:
            raise ScenarioError(file, before + key, f"unknown key{_nearest(key, section, before)}")


def _nearest(key: str, section: type[Section], before: str) -> str:
    near = difflib.get_close_matches(key, section.__struct_fields__, n=1)
    if near:
        return f"; did you mean '{before}{near[0]}'?"
    homes = [name for name, other in _BY_NAME.items() if key in other.__struct_fields__]
    return f"; it belongs to [{homes[0]}]" if homes else ""


def _converted(table: Mapping[str, Any], file: str) -> ScenarioKeys:
    try:
        return msgspec.convert(table, ScenarioKeys, strict=True)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`") or "?"
        raise ScenarioError(file, key, _in_words(what, key)) from None


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def _in_words(what: str, key: str) -> str:
    """What msgspec says of a value, for who writes TOML, which has no null and no enum."""
    if what.startswith("Invalid enum value"):
        return f"{what.removeprefix('Invalid enum value ')} is none of {', '.join(_choices(key))}"
    plain = re.sub("`([^`]+)`", lambda found: _types(found[1].split(" | ")), what)
    return plain[:1].lower() + plain[1:]


def _types(names: list[str]) -> str:
    left = [name for name in names if name != "null" and not (name == "int" and "float" in names)]
    return " or ".join(_WORDS.get(name, name) for name in left)


def _choices(key: str) -> Iterator[str]:
    section, _, name = key.partition(".")
    hint = get_type_hints(_BY_NAME[section])[name]
    for part in (hint, *get_args(hint)):
        if get_origin(part) is Literal:
            yield from get_args(part)


def _faults(keys: ScenarioKeys) -> Iterator[tuple[str, str]]:
    for key, value in numbers(keys):
        low, high = _bounds(key)
        if not low <= value <= high or value == math.inf:
            yield key, f"{_shown(value)} is not {_within(low, high)}"
    yield from _one_of("region", keys.region, ("bbox", "geojson", "h3"))
    yield from _one_of("medics", keys.medics, ("count", "per_km2", "csv"))
    yield from _medics_faults(keys)
    yield from _one_of(
        "incidents", keys.incidents, ("per_year", "rates", "csv", "collisions"), also="per_year"
    )
    yield from _incident_faults(keys.incidents)
    yield from _behaviour_faults(keys.behaviour)
    for key, zone in (("time_zone", keys.time_zone), ("incidents.clock", keys.incidents.clock)):
        if zone is not None and not _is_zone(zone):
            yield key, f"{zone!r} is no time zone: write it like 'Europe/Dublin' or 'UTC'"
    samples = (keys.incidents.csv, keys.incidents.collisions, keys.medics.csv, keys.ambulance.csv)
    if keys.bootstrap and not any(samples):
        yield "bootstrap", "there is no sample to draw anew: no CSV of calls, medics or drives"
    if not keys.policies:
        yield "policies", "none to compare"
    for name in keys.policies:
        if not is_name(name):
            yield f"policies.{name[:NAME_MAX]}", NO_NAME


def numbers(keys: Section, before: str = "") -> Iterator[tuple[str, float]]:
    """Every number of the file with its key, those in lists and tables too."""
    for name in keys.__struct_fields__:
        yield from _numbers_in(getattr(keys, name), before + name)


def _numbers_in(value: object, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Section):
        yield from numbers(value, f"{key}.")
    elif isinstance(value, dict):
        for inner, one in value.items():
            yield from _numbers_in(one, f"{key}.{inner}")
    elif isinstance(value, tuple):
        for one in value:
            yield from _numbers_in(one, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value


def _bounds(key: str) -> tuple[float, float]:
    if key in _BOUNDS:
        return _BOUNDS[key]
    section, _, name = key.partition(".")
    if section in ("policies", "region"):
        return -360, 360
    if key.startswith(("medics.modes.", "medics.skills.", "incidents.kinds.", "medics.available")):
        return 0, 1
    if name.startswith("moving_m_s."):
        return 0.1, 50
    if name == "work_days":
        return 1, 7
    if name == "work_hours":
        return 0, 24
    if name.endswith("sigma"):
        return 0, _SIGMA_MAX
    if name.endswith("_s"):
        return 0, _SECONDS_MAX
    return (0, 1) if name.endswith(_SHARES) else (0, math.inf)


def _shown(value: float) -> str:
    """To the last digit: rounded, what is beyond a bound may look as if it were within."""
    text = str(int(value) if value == value // 1 and abs(value) < _WHOLE_MAX else value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."


def _within(low: float, high: float) -> str:
    if math.isinf(high):
        return f"a finite number from {low:g} on"
    return f"within {low:,} to {high:,}"


def _one_of(name: str, section: Section, ways: tuple[str, ...], also: str = "") -> Iterator[tuple[str, str]]:
    """``also`` may stand beside another way."""
    given = [way for way in ways if getattr(section, way) is not None]
    if not given:
        yield name, f"give one of {', '.join(ways)}"
    if len([way for way in given if way != also]) > 1:
        yield f"{name}.{given[1]}", f"stands beside {given[0]}: give one of the two"


def _medics_faults(keys: ScenarioKeys) -> Iterator[tuple[str, str]]:
    medics = keys.medics
    for key, modes in (("medics.modes", medics.modes), ("behaviour.moving_m_s", keys.behaviour.moving_m_s)):
        for mode in modes:
            if mode not in MODES:
                yield key, f"{mode!r} is no mode: {', '.join(MODES)}"
    slow = [mode for mode in MODES if mode not in keys.behaviour.moving_m_s]
    if slow:
        yield "behaviour.moving_m_s", f"has no speed for {', '.join(slow)}"
    if abs(sum(medics.modes.values()) - 1) > 1e-6:
        yield "medics.modes", f"the shares add up to {sum(medics.modes.values()):g}, not to 1"
    if isinstance(medics.available, tuple) and len(medics.available) not in (24, WEEK_HOURS):
        yield (
            "medics.available",
            f"one share, 24 by hour or {WEEK_HOURS} by hour of the week from Monday 0:00",
        )
    if not medics.work_hours[0] < medics.work_hours[1]:
        yield "medics.work_hours", "ends before it begins"
    if medics.places == "grid" and keys.grid.csv is None:
        yield "medics.places", "there is no grid: name its file with grid.csv"


def _incident_faults(incidents: IncidentsKeys) -> Iterator[tuple[str, str]]:
    if incidents.csv is not None and incidents.clock is None:
        why = "name the clock that the file's times are on, such as 'Europe/Dublin' or 'UTC'"
        yield "incidents.clock", f"is missing: {why}"
    if incidents.csv is None and incidents.clock is not None:
        yield "incidents.clock", "is for the times of incidents.csv"
    if incidents.resample and incidents.csv is None:
        yield "incidents.resample", "is for the calls of incidents.csv"
    if incidents.per_year is not None and (incidents.rates or (incidents.csv and not incidents.resample)):
        yield "incidents.per_year", "stands in the file already: leave it out"
    if incidents.by_hour and (incidents.csv or incidents.collisions):
        yield "incidents.by_hour", "the calls have hours of their own: leave it out"
    if incidents.by_hour and len(incidents.by_hour) not in (24, WEEK_HOURS):
        yield (
            "incidents.by_hour",
            f"{len(incidents.by_hour)} weights: give 24 or {WEEK_HOURS} from Monday 0:00",
        )
    if incidents.by_hour and not sum(incidents.by_hour) > 0:
        yield "incidents.by_hour", "all are 0"
    if abs(sum(incidents.kinds.values()) - 1) > 1e-6:
        yield "incidents.kinds", f"the shares add up to {sum(incidents.kinds.values()):g}, not to 1"


def _behaviour_faults(behaviour: BehaviourKeys) -> Iterator[tuple[str, str]]:
    if behaviour.arrives_if_accepted + behaviour.withdraws_if_accepted > 1 + 1e-9:
        yield "behaviour.withdraws_if_accepted", "more than all of them, with arrives_if_accepted"
    if behaviour.on_scene_s[0] > behaviour.on_scene_s[1]:
        yield "behaviour.on_scene_s", "the first is the shortest, the second the longest"


def is_name(policy: str) -> bool:
    """Whether a policy may be called so: its name stands in tables and in the legends of drawings."""
    return (
        0 < len(policy) <= NAME_MAX and policy.isprintable() and "$" not in policy and policy[0] not in "_ "
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
