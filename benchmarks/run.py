"""`./dev bench [NAME ...] [--quick]`: the benchmarks one after the other, each in a process of its own.

Every one measures its rival in the same run and prints ratios. Run it on a machine that does nothing else.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BENCHMARKS = {
    "report_to_phone": "POST sent until the last of 20 phones has it, beside a skeleton and the limit",
    "decisions": "incidents opened and whole lives a second, beside an insert of the same bytes",
    "nearest": "the nearest 20 of a million, beside a k-d tree, Redis and PostGIS; moves; memory",
    "socket_memory": "memory of a connected socket, at 5,000",
    "load": "a minute of whole lives with 5,000 sockets: what is lost, memory, POST",
    "restart": "kill -9 with 100,000 medics and pending alerts: until ready, until all is out",
    "simulation": "the planners' simulator beside SimPy; how time and memory grow",
    "core": "lives a second through decide and evolve alone",
}
ROOT = Path(__file__).parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of the first that failed, or 0."""
    listed = "\n".join(f"  {name:16} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=listed, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="those to run; all by default")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter; its figures prove nothing")
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: there is no {unknown[0]}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    quick = ["--quick"] if options.quick else []
    failed = 0
    for name in options.names or BENCHMARKS:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *quick]
        failed = subprocess.call(command, cwd=ROOT) or failed
    return failed


if __name__ == "__main__":
    sys.exit(main())
