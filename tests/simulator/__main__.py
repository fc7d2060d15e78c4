"""`python -m tests.simulator`: as many seeds as asked for, on all cores; `--seed S` replays one exactly.

Exit code 0 when nothing was violated, 1 otherwise.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.simulator.runs import Sum, failure, run_seed
from tests.simulator.world import Finding


def main(arguments: list[str] | None = None) -> int:
    asked = parse(arguments)
    if asked.seed is not None:
        findings: Iterator[Finding] = iter([run_seed(asked.seed, asked.mode)])
    else:
        findings = many(asked.first, asked.seeds, asked.minutes)
    whole = Sum()
    with progress(asked) as bar:
        task = bar.add_task("simulating", total=asked.seeds)
        for finding in findings:
            whole.add(finding)
            text = f"{whole.incidents} incidents, {whole.violations} violations"
            bar.update(task, completed=whole.seeds, description=text)
            if finding.violations:
                told = sys.stderr if asked.json else sys.stdout
                told.write(failure(finding) + "\n")
                told.flush()
    tell(whole, as_json=asked.json)
    return 1 if whole.failed else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev soak", description="Runs the fault simulator.")
    parser.add_argument("--seeds", type=int, help="so many seeds (200, unless --minutes is given)")
    parser.add_argument("--minutes", type=float, help="for so long")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--seed", type=int, help="this one alone, exactly as it was")
    parser.add_argument("--mode", choices=("safety", "liveness"), help="with --seed: another than its own")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        asked.seeds = 1
    elif asked.seeds is None and asked.minutes is None:
        asked.seeds = 200
    return asked


def many(first: int, seeds: int | None, minutes: float | None) -> Iterator[Finding]:
    """As they come; a seed that was begun is finished."""
    cores = os.cpu_count() or 1
    until = None if minutes is None else time.monotonic() + 60 * minutes
    left = itertools.count(first) if seeds is None else iter(range(first, first + seeds))
    under_way: dict[Future[Finding], None] = {}
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        while True:
            if until is None or time.monotonic() < until:
                for seed in itertools.islice(left, 2 * cores - len(under_way)):
                    under_way[pool.submit(run_seed, seed)] = None
            if not under_way:
                return
            for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                del under_way[done]
                yield done.result()


def progress(asked: argparse.Namespace) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=asked.json)


def tell(whole: Sum, *, as_json: bool) -> None:
    if not as_json:
        sys.stdout.write(whole.told() + "\n")
        return
    failed = [{"seed": one.seed, "violations": one.violations} for one in whole.failed]
    about = {"seeds": whole.seeds, "incidents": whole.incidents, "commits": whole.commits}
    sys.stdout.write(json.dumps({**about, "faults": whole.faults, "failed": failed}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
