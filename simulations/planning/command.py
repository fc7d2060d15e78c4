"""`dispatch simulate`: reads a scenario, runs it with a bar that shows the time left, tells the results."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from simulations.planning.runs import Results, run
from simulations.planning.scenario import Scenario, ScenarioError, read

DONE, FAILED, WRONG_USE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line can set."""

    scenario: Path
    policies: tuple[Path, ...] = ()
    replications: int | None = None
    seed: int | None = None
    as_json: bool = False
    skip_bad_rows: bool = False


def simulate(options: Options) -> int:
    """The exit status. Results to stdout, all else to stderr."""
    try:
        scenario = read(
            options.scenario,
            options.policies,
            options.replications,
            options.seed,
            skip_bad_rows=options.skip_bad_rows,
        )
    except ScenarioError as error:
        _say(f"dispatch simulate: {error}")
        for line in error.listed:
            _say(f"  {line}")
        return WRONG_USE
    for note in (*scenario.notes, _about(scenario)):
        _say(note)
    try:
        results = _run(scenario)
    except OSError as error:
        _say(f"dispatch simulate: {error or type(error).__name__}")
        return FAILED
    if results.rows:
        told = msgspec.json.encode(as_json(scenario, results)).decode()
        sys.stdout.write((told if options.as_json else "\n".join(_lines(results))) + "\n")
    if results.stopped:
        _say(f"stopped: {len(results.rows)} of {scenario.replications} replications are done")
    return FAILED if results.stopped else DONE


def _about(scenario: Scenario) -> str:
    return (
        f"{scenario.title}: {scenario.medic_count:,} medics, {scenario.source.expected:,.0f} alarms in each of"
        f" {scenario.replications} replications, {len(scenario.policies)} policies, seed {scenario.seed}"
    )


def _run(scenario: Scenario) -> Results:
    columns = (TextColumn("replications"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=scenario.replications)
        return run(scenario, lambda done: bar.update(task, completed=done))


def as_json(scenario: Scenario, results: Results) -> dict[str, Any]:
    """What `--json` prints: for each policy and measure the mean over replications, and each one's value."""
    return {
        "scenario": scenario.file,
        "digest": scenario.digest,
        "seed": scenario.seed,
        "replications": len(results.rows),
        "complete": not results.stopped,
        "policies": {
            name: {measure: {"mean": mean, "values": values} for measure, mean, values in _of(results, column)}
            for column, name in enumerate(results.policies)
        },
    }


def _of(results: Results, column: int) -> Iterator[tuple[str, float, list[float]]]:
    names = dict.fromkeys(name for row in results.rows for name in row[column])
    for name in names:
        values = [row[column][name] for row in results.rows if name in row[column]]
        yield name, float(np.mean(values)), values


def _lines(results: Results) -> Iterator[str]:
    """A tab between columns."""
    yield "policy\tmeasure\tmean"
    for column, policy in enumerate(results.policies):
        for measure, mean, _ in _of(results, column):
            yield f"{policy}\t{measure}\t{mean:.4g}"


def _say(line: str) -> None:
    with suppress(OSError):  # nobody reads any more
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
