"""A scenario: one TOML file, checked, with every default filled in and every file that it names read."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from dispatch.core import policy
from dispatch.core.policy import Policies, Policy, PolicyError
from simulations.calls import YEARS
from simulations.planning.arrivals import Source
from simulations.planning.errors import ScenarioError
from simulations.planning.grid import Grid, read_grid
from simulations.planning.keys import MEDICS_MAX, NO_NAME, REPLICATIONS_MAX, ScenarioKeys, is_name, read_keys
from simulations.planning.population import Listed, at_work, count_of, read_medics
from simulations.planning.records import Floats
from simulations.planning.region import Region, read_text, region_of
from simulations.planning.sections import (
    AmbulanceKeys,
    ArrestsKeys,
    BehaviourKeys,
    IncidentsKeys,
    MedicsKeys,
    TimesKeys,
)
from simulations.planning.sources import Setting, source_of
from simulations.planning.table import BadRows, Row, amount, read_rows
from simulations.planning.unused import in_vain

__all__ = ["Scenario", "ScenarioError", "read"]

AMBULANCE_COLUMNS = {"to_kerb_s": ("to_kerb_s",)}
DAY_S = 86_400
CALLS_MAX = 5_000_000
"""In one replication."""

SHIPPED = "shipped"
"""In place of a policy's file."""

_EXAMPLES = Path(__file__).parent.parent / "examples"

REACHED_OVER = "websocket"
"""The simulated medics are within reach of their app, and of nothing else."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """Ready to run. ``kinds``: those of its calls, in the order of ``Calls.kind``."""

    file: str
    keys: ScenarioKeys
    seed: int
    replications: int
    zone: ZoneInfo
    region: Region
    grid: Grid | None
    """None: no coverage by cell."""
    source: Source
    kinds: tuple[str, ...]
    medic_count: int
    listed: tuple[Listed, ...]
    """The medics of a CSV; empty: they are drawn."""
    ambulance_sample_s: Floats | None
    policies: Mapping[str, Policies]
    inputs: tuple[Path, ...]
    """Every file that was read, the scenario's own first."""
    digest: str
    """Of the keys, the policies and the content of every file that was read: 32 hex digits."""
    notes: tuple[str, ...]
    """What was left out of which file, and which keys are set in vain, a line each."""
    words: tuple[str, ...]
    """Of the command that reads it again: its file, the policies added, whether bad rows are left out."""

    @property
    def title(self) -> str:
        return self.keys.title or Path(self.file).stem

    @property
    def medics(self) -> MedicsKeys:
        return self.keys.medics

    @property
    def behaviour(self) -> BehaviourKeys:
        return self.keys.behaviour

    @property
    def incidents(self) -> IncidentsKeys:
        return self.keys.incidents

    @property
    def arrests(self) -> ArrestsKeys:
        return self.keys.arrests

    @property
    def times(self) -> TimesKeys:
        return self.keys.times

    @property
    def ambulance(self) -> AmbulanceKeys:
        return self.keys.ambulance

    @property
    def years(self) -> float:
        """How long a replication lasts."""
        return self.source.years


def read(
    path: Path | str,
    policies: Sequence[Path | str] = (),
    replications: int | None = None,
    seed: int | None = None,
    *,
    skip_bad_rows: bool = False,
) -> Scenario:
    """Reads and checks ``path`` and all that it names. ``policies`` are compared beside the file's own.

    A path `examples/NAME` that does not exist is that shipped example. Raises `ScenarioError`.
    """
    source_path, file = _found(Path(path)), str(path)
    text, folder = read_text(source_path), source_path.parent
    keys = read_keys(text, file)
    keys = _with_options(keys, policies, replications, seed)
    bad = BadRows(skip_bad_rows)
    region = region_of(keys.region, file, folder)
    grid = None if keys.grid.csv is None else read_grid(folder / keys.grid.csv, region, bad)
    zone = ZoneInfo(keys.time_zone)
    setting = Setting(
        file, folder, region, grid, zone, _starts_at(keys, zone, file), keys.weeks, at_work(keys.medics),
        keys.medics.works,
    )  # fmt: skip
    source, kinds = source_of(keys.incidents, setting, bad)
    if source.expected > CALLS_MAX:
        raise ScenarioError(file, "incidents", f"more than {CALLS_MAX:,} calls in a replication")
    if source.expected == 0:
        raise ScenarioError(file, "incidents", "no calls at all: every rate is 0")
    if keys.medics.places == "incidents" and not _has_places(keys):
        raise ScenarioError(file, "medics.places", "'incidents' needs incidents.csv or incidents.collisions")
    listed = () if keys.medics.csv is None else read_medics(folder / keys.medics.csv, region, bad)
    count = len(listed) or count_of(keys.medics, region.area_km2, file)
    if count > MEDICS_MAX:
        raise ScenarioError(file, "medics", f"{count:,} are more than {MEDICS_MAX:,}")
    compared = {name: _policies(name, where, file, folder) for name, where in keys.policies.items()}
    for name, several in compared.items():
        _check_satisfiable(name, several, kinds, count, keys, file)
    return Scenario(
        file=file,
        keys=keys,
        seed=keys.seed,
        replications=keys.replications,
        zone=zone,
        region=region,
        grid=grid,
        source=source,
        kinds=kinds,
        medic_count=count,
        listed=listed,
        ambulance_sample_s=_ambulance_sample(keys, folder, bad),
        policies=compared,
        inputs=(
            source_path,
            *(folder / name for name in _files(keys)),
            *(folder / where for where in keys.policies.values() if where != SHIPPED),
        ),
        digest=_digest(keys, compared, folder),
        notes=(
            *bad.notes,
            *(f"{file}: {line}" for line in (*in_vain(keys, kinds), *_ladders_in_vain(compared, kinds))),
        ),
        words=(
            str(path),
            *(word for one in policies for word in ("--policy", str(one))),
            *(("--skip-bad-rows",) if skip_bad_rows else ()),
        ),
    )


def _found(path: Path) -> Path:
    """Where it is: there, or shipped. Its paths start from its folder."""
    if path.exists():
        return path
    if path.parts[:1] == ("examples",) and len(path.parts) == 2:
        shipped = _EXAMPLES / path.name
        if shipped.is_file():
            return shipped
    raise ScenarioError(str(path), "", f"there is no such file; shipped are {', '.join(examples())}")


def examples() -> list[str]:
    """The shipped scenarios, as `read` takes them."""
    return sorted(f"examples/{one.name}" for one in _EXAMPLES.glob("*.toml"))


def _with_options(
    keys: ScenarioKeys, policies: Sequence[Path | str], replications: int | None, seed: int | None
) -> ScenarioKeys:
    """The command line's words come before the file's."""
    named = dict(keys.policies)
    for one in policies:
        # Absolute: the file's own paths start from its folder, those of the command line do not.
        name = _unused(Path(one).stem, named)
        if not is_name(name):
            raise ScenarioError(str(one), "", f"{NO_NAME}: give it one in the scenario's [policies]")
        named[name] = str(Path(one).absolute())
    if replications is not None and not 1 <= replications <= REPLICATIONS_MAX:
        raise ScenarioError("--replications", "", f"{replications} is not within 1 to {REPLICATIONS_MAX}")
    if seed is not None and not 0 <= seed < 2**63:
        raise ScenarioError("--seed", "", f"{seed} is not within 0 to {2**63 - 1}")
    return msgspec.structs.replace(
        keys,
        policies=named,
        replications=keys.replications if replications is None else replications,
        seed=keys.seed if seed is None else seed,
    )


def _unused(name: str, taken: Mapping[str, str]) -> str:
    nth = 2
    unused = name
    while unused in taken:
        unused, nth = f"{name}-{nth}", nth + 1
    return unused


def _starts_at(keys: ScenarioKeys, zone: ZoneInfo, file: str) -> int:
    """Midnight of the first day, local time, in ms."""
    try:
        day = datetime.strptime(keys.starts, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise ScenarioError(file, "starts", f"{keys.starts!r} is no day like 2026-01-05") from None
    if not YEARS[0] <= day.year < YEARS[1]:
        reason = f"{keys.starts!r} is not within the years {YEARS[0]} to {YEARS[1] - 1}"
        raise ScenarioError(file, "starts", reason)
    return int(day.timestamp()) * 1000


def _has_places(keys: ScenarioKeys) -> bool:
    return keys.incidents.csv is not None or keys.incidents.collisions is not None


def _ambulance_sample(keys: ScenarioKeys, folder: Path, bad: BadRows) -> Floats | None:
    if keys.ambulance.csv is None:
        return None

    def seconds(row: Row) -> float:
        return amount(row["to_kerb_s"], "to_kerb_s", DAY_S)

    rows = read_rows(folder / keys.ambulance.csv, AMBULANCE_COLUMNS, ("to_kerb_s",), seconds, bad)
    return np.array(rows)


# --- policies


def _policies(name: str, where: str, file: str, folder: Path) -> Policies:
    if where == SHIPPED:
        return policy.shipped()
    path = folder / where
    if not path.exists():
        raise ScenarioError(file, f"policies.{name}", f"there is no file {path}, and it is not 'shipped'")
    try:
        return policy.override(read_text(path), file=str(path))
    except PolicyError as error:
        raise ScenarioError(file, f"policies.{name}", str(error)) from None


def _check_satisfiable(
    name: str, policies: Policies, kinds: Sequence[str], medics: int, keys: ScenarioKeys, file: str
) -> None:
    """No kind of the calls may have a policy that nothing could ever satisfy."""
    for kind in kinds:
        if kind not in policies:
            known = ", ".join(policies)
            raise ScenarioError(file, f"policies.{name}", f"has no kind {kind!r} (has: {known})")
        reason = _never(policies[kind], medics, keys.medics.skills)
        if reason is not None:
            raise ScenarioError(file, f"policies.{name}", f"{kind}: can never be satisfied: {reason}")


def _never(policy: Policy, medics: int, skills: Mapping[str, float]) -> str | None:
    if policy.wanted > medics:
        return f"{policy.wanted} medics are wanted, and there {'is' if medics == 1 else 'are'} {medics}"
    asked = min(policy.alerts_max, sum(wave.alerts for wave in policy.waves))
    if policy.wanted > asked:
        return f"{policy.wanted} medics are wanted, and {asked} are asked at most"
    if policy.skills_any and not any(skills.get(skill, 0.0) > 0 for skill in policy.skills_any):
        return f"no medic has a skill of {', '.join(policy.skills_any)} (medics.skills)"
    if all(rung.channel != REACHED_OVER for rung in policy.ladder):
        return f"the simulated medics are reached over {REACHED_OVER}, and the ladder has none"
    return None


def _ladders_in_vain(compared: Mapping[str, Policies], kinds: Sequence[str]) -> Iterator[str]:
    """What is tried over other channels before fails at once, so her app is told at once all the same."""
    shipped = {one.ladder for one in policy.shipped().values()}
    for name, several in compared.items():
        ladders = {kind: several[kind].ladder for kind in kinds}
        set_here = [kind for kind, one in ladders.items() if len(one) > 1 and one not in shipped]
        if set_here:
            reason = f"it changes nothing: the simulated medics are reached over {REACHED_OVER}"
            yield f"policies.{name}: sets the ladder of {', '.join(set_here)}, and {reason}"


def _digest(keys: ScenarioKeys, policies: Mapping[str, Policies], folder: Path) -> str:
    about = {
        "keys": msgspec.to_builtins(keys),
        "policies": {
            name: {kind: policy.digest(one) for kind, one in several.items()}
            for name, several in policies.items()
        },
        "files": {name: _file_digest(folder / name) for name in _files(keys)},
    }
    del about["keys"]["policies"]
    return hashlib.sha256(msgspec.json.encode(about, order="sorted")).hexdigest()[:32]


def _files(keys: ScenarioKeys) -> list[str]:
    named = (
        keys.region.geojson, keys.region.h3, keys.grid.csv, keys.medics.csv, keys.incidents.rates,
        keys.incidents.csv, keys.ambulance.csv,
    )  # fmt: skip
    return [name for name in named if name is not None]


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
