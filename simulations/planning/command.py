"""`dispatch simulate`: reads a scenario, runs it with a bar that shows the time left, tells the results."""

import math
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from simulations.planning import writable
from simulations.planning.comparison import compare, estimate
from simulations.planning.incident_effect import switched
from simulations.planning.measures import MEASURES
from simulations.planning.results import document, write_csv
from simulations.planning.runs import Results, run
from simulations.planning.scenario import Scenario, ScenarioError, read
from simulations.planning.spread import VersionsDiffer, WorkerDied
from simulations.planning.words import NEVER, counted, possible

DONE, FAILED, WRONG_USE = 0, 1, 2

NO_DASK = "--dask needs the extra: pip install 'responder-alert-dispatch[dask]'"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line can set."""

    scenario: Path
    report: Path | None = None
    policies: tuple[Path, ...] = ()
    replications: int | None = None
    seed: int | None = None
    as_json: bool = False
    jobs: int = 1
    dask: str | None = None
    skip_bad_rows: bool = False


def simulate(options: Options) -> int:
    """The exit status. Results to stdout, all else to stderr, where what is wrong is one line."""
    try:
        return _simulated(options)
    except ScenarioError as error:
        _say(f"dispatch simulate: {error}")
        for line in error.listed:
            _say(f"  {line}")
        return WRONG_USE
    except ImportError as error:
        if options.dask is None or error.name not in ("dask", "distributed"):
            raise
        _say(f"dispatch simulate: {NO_DASK}")
        return WRONG_USE
    except (VersionsDiffer, WorkerDied, OSError) as error:
        _say(f"dispatch simulate: {error or type(error).__name__}")
        return FAILED
    except KeyboardInterrupt:
        _say("stopped: no replication is done")
        return FAILED


def _simulated(options: Options) -> int:
    scenario = read(
        options.scenario,
        options.policies,
        options.replications,
        options.seed,
        skip_bad_rows=options.skip_bad_rows,
    )
    if sys.stdout is None:
        raise ScenarioError("stdout", "", "is closed, and the results go there")
    if options.report is not None:
        writable.check(scenario, options.report)
    for note in (*scenario.notes, _about(scenario)):
        _say(note)
    results = _run(scenario, options)
    if not results.rows:
        raise KeyboardInterrupt
    if results.stopped:
        _say(f"stopped: {_done(scenario, results)}")
    whole = options.report is None or _written(scenario, results, options.report)
    told = document(scenario, results).decode() if options.as_json else "\n".join(_lines(results)) + "\n"
    sys.stdout.write(told)
    return FAILED if results.stopped or not whole else DONE


def _done(scenario: Scenario, results: Results) -> str:
    done = f"{len(results.rows)} of {counted(scenario.replications, 'replication')} are done"
    if not scenario.keys.bootstrap:
        return done
    return f"{done}, and {len(results.redrawn)} of {scenario.keys.bootstrap} with samples drawn anew"


def _written(scenario: Scenario, results: Results, path: Path) -> bool:
    """Whether all files are whole. Where they are not, what was found is told on stdout all the same."""
    try:
        from simulations.planning import report  # it draws: a second that the others need not wait

        report.write(scenario, results, path)
        _say(f"written: {path}")
        for one in write_csv(scenario, results, path):
            _say(f"written: {one}")
    except OSError as error:
        _say(f"dispatch simulate: {path} and what goes beside it: {error.strerror or error}")
        return False
    except KeyboardInterrupt:
        _say(f"stopped: {path} and what goes beside it may not be whole")
        return False
    return True


def _about(scenario: Scenario) -> str:
    size = f"{counted(scenario.medic_count, 'medic')}, about {counted(scenario.source.expected, 'alarm')}"
    runs = f"in each of {counted(scenario.replications, 'replication')}"
    compared = counted(len(scenario.policies), "policy", "policies")
    return f"{scenario.title}: {size} {runs}, {compared}, seed {scenario.seed}"


def _run(scenario: Scenario, options: Options) -> Results:
    """With the incident's effect on and off where somebody reads of it."""
    again = switched(scenario.behaviour) if options.report is not None or options.as_json else None
    columns = (TextColumn("replications"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=scenario.replications + scenario.keys.bootstrap)
        return run(
            scenario,
            lambda done: bar.update(task, completed=done),
            jobs=options.jobs,
            dask=options.dask,
            again=again,
        )


def _lines(results: Results) -> Iterator[str]:
    """The measures with their intervals, then the differences; a tab between columns."""
    yield "measure\tpolicy\tmean\tlow\thigh"
    for measure in MEASURES:
        for column, policy in enumerate(results.policies):
            found = estimate(results.rows, column, measure.name, results.level)
            if found is not None:
                low, high = possible(measure, found)
                if low == high:  # no replication differs from another, which is no certainty
                    low = high = None
                yield f"{measure.name}\t{policy}\t{_numbers(found.mean, low, high)}"
    for one in compare(results.rows, results.level):
        names = f"{results.policies[one.policy]} - {results.policies[one.baseline]}"
        difference = one.difference
        yield f"{one.measure}\t{names}\t{_numbers(difference.mean, difference.low, difference.high)}"


def _numbers(mean: float, low: float | None, high: float | None) -> str:
    """What there is no interval of has a dash."""
    bounds = ("-" if bound is None else f"{bound:.4g}" for bound in (low, high))
    return "\t".join((NEVER if math.isinf(mean) else f"{mean:.4g}", *bounds))


def _say(line: str) -> None:
    with suppress(OSError):  # nobody reads any more
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
