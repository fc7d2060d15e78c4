"""The results for a program: one JSON document, and CSV files beside the report.

CSV rather than Parquet: some thousand rows, which every program and every planner can open. How it was
spread and how long it took are not in them, so that the same seed gives the same bytes.
"""

import csv
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulations.planning import spread, tally
from simulations.planning.comparison import Rows, compare, estimate, with_inputs
from simulations.planning.groups import COLUMNS, Groups
from simulations.planning.incident_effect import SHOWN, on_and_off
from simulations.planning.intervals import Interval
from simulations.planning.measures import MEASURES
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario
from simulations.planning.tally import Tally

PERCENTS = (10, 25, 50, 75, 90)
Thing = dict[str, Any]

EXCLUDED = "intervals are of chance between replications; how wrong the inputs may be is not in them"
EXCLUDED_BUT = (
    "intervals are of chance between replications; with_inputs also has what samples in the files could have "
    "been; how wrong rates, grid, behaviour and times may be is in neither"
)


def document(scenario: Scenario, results: Results) -> bytes:
    """What ``--json`` prints; docs/simulation.md says what each part is. Of at least one replication.

    What there is nothing to tell of is left out; null is never, or forever.
    """
    return msgspec.json.format(msgspec.json.encode(_document(scenario, results)), indent=1) + b"\n"


def write_csv(scenario: Scenario, results: Results, report: Path) -> list[Path]:
    """Beside the report: every replication's measures and, where there is a grid, the cells. The paths."""
    values, *cells = written = csv_paths(scenario, report)
    _write(values, ("replication", "policy", "measure", "value"), _values(results))
    for path in cells:
        _write(path, ("h3", "policy", *COLUMNS), _cells(results))
    return written


def csv_paths(scenario: Scenario, report: Path) -> list[Path]:
    """Where `write_csv` writes; the cells only where there is a grid."""
    cells = [] if scenario.grid is None else [report.with_suffix(".cells.csv")]
    return [report.with_suffix(".csv"), *cells]


def summed(results: Results) -> list[Tally]:
    """By policy, over all replications."""
    return [tally.total(column) for column in zip(*results.rows, strict=True)]


def _document(scenario: Scenario, results: Results) -> Thing:
    sums = summed(results)
    return {
        "scenario": {
            "title": scenario.title,
            "file": scenario.file,
            "digest": scenario.digest,
            "seed": scenario.seed,
            "medics": scenario.medic_count,
            "years": scenario.years,
            "notes": scenario.notes,
            "keys": msgspec.to_builtins(scenario.keys),
        },
        "versions": {"python": ".".join(map(str, sys.version_info[:3])), **spread.versions()},
        "replications": {
            "asked": scenario.replications,
            "done": len(results.rows),
            "ended": results.ended,
            **({"redrawn": len(results.redrawn)} if scenario.keys.bootstrap else {}),
        },
        "intervals": {
            "level": results.level,
            "over": "replications",
            "exclude": EXCLUDED_BUT if has_inputs(results) else EXCLUDED,
        },
        "measures": list(_estimates(results)),
        "differences": list(_differences(results)),
        **_incident_effect(scenario, results),
        "quantiles": [
            {"policy": policy, "percent": percent, **_quantiles(sums[column], percent)}
            for column, policy in enumerate(results.policies)
            for percent in PERCENTS
            if sums[column].first_medic.any()
        ],
        "by_hour": list(_groups("hour", results.policies, [one.by_hour for one in sums])),
        "by_kind": list(_groups("kind", results.policies, [one.by_kind for one in sums])),
        "by_cell": [] if scenario.grid is None else list(_by_cell(results.policies, sums)),
    }


def _estimates(results: Results) -> Iterator[Thing]:
    for column, policy in enumerate(results.policies):
        for measure in MEASURES:
            found = estimate(results.rows, column, measure.name, results.level)
            if found is not None:
                yield {"policy": policy, "measure": measure.name, "mean": found.mean, **_bounds(found)}


def _differences(results: Results) -> Iterator[Thing]:
    for one in compare(results.rows, results.level):
        thing = {
            "policy": results.policies[one.policy],
            "baseline": results.policies[one.baseline],
            "measure": one.measure,
            "difference": one.difference.mean,
            **_bounds(one.difference),
        }
        if one.variance_ratio is not None:
            thing["variance_ratio"] = one.variance_ratio
        wide = with_inputs(one, results.redrawn, results.level)
        if wide is not None:
            thing["with_inputs"] = _bounds(wide)
        yield thing


def has_inputs(results: Results) -> bool:
    """Whether the differences have an interval with what the samples could have been."""
    return len(results.rows) > 1 and len(results.redrawn) > 1


def _incident_effect(scenario: Scenario, results: Results) -> Thing:
    """Nothing where no replication was made again."""
    both = on_and_off(scenario, results)
    if both is None:
        return {}
    measures = [
        {
            "policy": policy,
            "measure": one.measure,
            "off": _mean(both.off, column, one.measure),
            "on": _mean(both.on, column, one.measure),
            "difference": one.difference.mean,
            **_bounds(one.difference),
        }
        for column, policy in enumerate(results.policies)
        for one in (both.difference(column, name, results.level) for name in SHOWN)
        if one is not None
    ]
    about = {"in_this_run": both.is_on, "sd": both.sd, "replications": len(both.on)}
    return {"incident_effect": {**about, "measures": measures}}


def _mean(rows: Rows, policy: int, measure: str) -> float | None:
    found = estimate(rows, policy, measure)
    return None if found is None else found.mean


def _bounds(found: Interval) -> Thing:
    if found.low is None:
        return {"n": found.n}
    return {"low": found.low, "high": found.high, "n": found.n}


def _quantiles(one: Tally, percent: int) -> Thing:
    counted = {"first_medic_s": one.first_medic, "ambulance_s": one.ambulance, "seconds_gained": one.gained}
    return {name: tally.quantile_s(counts, percent) for name, counts in counted.items()}


def _groups(name: str, policies: Sequence[str], groups: Sequence[Groups]) -> Iterator[Thing]:
    for policy, group in zip(policies, groups, strict=True):
        for key, counts in zip(group.keys.tolist(), group.counts.tolist(), strict=True):
            yield {"policy": policy, name: key, **dict(zip(COLUMNS, counts, strict=True))}


def _by_cell(policies: Sequence[str], sums: Sequence[Tally]) -> Iterator[Thing]:
    for thing in _groups("h3", policies, [one.by_cell for one in sums]):
        yield {**thing, "h3": f"{thing['h3']:x}"}


def _values(results: Results) -> Iterator[tuple[object, ...]]:
    for replication, row in enumerate(results.rows):
        for policy, one in zip(results.policies, row, strict=True):
            for measure, value in one.values.items():
                yield replication, policy, measure, "inf" if math.isinf(value) else repr(value)


def _cells(results: Results) -> Iterator[tuple[object, ...]]:
    for thing in _by_cell(results.policies, summed(results)):
        yield thing["h3"], thing["policy"], *(thing[name] for name in COLUMNS)


def _write(path: Path, names: Sequence[str], rows: Iterator[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(names)
        lines.writerows(rows)
