"""``./dev validate``: one line a check, theirs and ours; exit code 1 when one falls outside."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from simulations.validation import (
    data,
    data_files,
    erlang_loss,
    hartslagnu,
    hypercube,
    one_at_a_time,
    outstanding,
    poisson_field,
    van_den_berg,
)
from simulations.validation.check import Check
from simulations.validation.line import Line

ALL: dict[str, Callable[..., list[Check]]] = {
    "outstanding": outstanding.checks,
    "erlang_loss": erlang_loss.checks,
    "hypercube": hypercube.checks,
    "one_at_a_time": one_at_a_time.checks,
    "poisson_field": poisson_field.checks,
}
"""The longest first. An error can be put into each."""

BESIDE: dict[str, tuple[Callable[[], Sequence[Line]], ...]] = {
    "van_den_berg": tuple(partial(van_den_berg.checks, accept=answer) for answer in (1, 2)),
    "hartslagnu": (hartslagnu.checks,),
    "data_files": (data_files.checks,),
}
"""Beside what others found, and beside data."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev validate", description=__doc__)
    names = (*ALL, *BESIDE)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all without")
    parser.add_argument(
        "--bias", type=float, default=0.0, help=f"an error put into {', '.join(ALL)}: 0.02 is 2 %%"
    )
    parser.add_argument("--data", metavar="FOLDER", help="of the data files; without, ../shared/data")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(names):
        parser.error(f"no check is named {', '.join(sorted(unknown))}: there are {', '.join(names)}")
    if given.data:
        os.environ[data.FOLDER] = os.path.abspath(given.data)
    outside = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(job) for name in given.names or names for job in _jobs(name, given.bias)]
        for run in runs:
            for line in run.result():
                print(line.line(), flush=True)
                outside += not line.agrees
    return 1 if outside else 0


def _jobs(name: str, bias: float) -> Sequence[Callable[[], Sequence[Line]]]:
    return BESIDE[name] if name in BESIDE else (partial(ALL[name], put_in=bias),)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
