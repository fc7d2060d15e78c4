"""``./dev validate``: one line a check, theirs and ours; exit code 1 when one falls outside."""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from simulations.validation import erlang_loss, hypercube, one_at_a_time, outstanding, poisson_field
from simulations.validation.check import Check

ALL: dict[str, Callable[..., list[Check]]] = {
    "outstanding": outstanding.checks,
    "erlang_loss": erlang_loss.checks,
    "hypercube": hypercube.checks,
    "one_at_a_time": one_at_a_time.checks,
    "poisson_field": poisson_field.checks,
}
"""The longest first."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev validate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ALL)}; all without")
    parser.add_argument("--bias", type=float, default=0.0, help="an error put into the world: 0.02 is 2 %%")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - ALL.keys():
        parser.error(f"no check is named {', '.join(sorted(unknown))}: there are {', '.join(ALL)}")
    outside = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(ALL[name], put_in=given.bias) for name in given.names or ALL]
        for run in runs:
            for check in run.result():
                print(check.line(), flush=True)
                outside += not check.agrees
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
