"""``dispatch simulate``: what if, for planners, on the very code that decides."""

import os
import sys
from pathlib import Path

import click

from dispatch import garbage
from dispatch.cli.options import json_option


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command("simulate")
@click.argument("scenario", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    "report",
    type=click.Path(path_type=Path),
    help="Write the report here, and a CSV of every replication beside it.",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare this policy file too; may be given several times.",
)
@click.option("--replications", type=click.IntRange(1), help="Instead of the scenario's.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the scenario's.")
@json_option
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=_cores,
    show_default="all cores",
    help="Processes to spread over.",
)
@click.option(
    "--dask", metavar="URL", help="Spread over the Dask cluster with this scheduler: tcp://HOST:PORT."
)
@click.option("--skip-bad-rows", is_flag=True, help="Leave out rows of CSV files that can not be used.")
def simulate_command(
    scenario: Path,
    report: Path | None,
    policies: tuple[Path, ...],
    replications: int | None,
    seed: int | None,
    as_json: bool,
    jobs: int,
    dask: str | None,
    skip_bad_rows: bool,
) -> None:
    """Try policies on SCENARIO.toml: how soon somebody comes, and what it asks of the medics.

    `examples/dublin.toml` is shipped. docs/simulation.md explains every key of a scenario. Ctrl-C stops early
    and keeps the replications that are done.
    """
    from simulations.planning.command import Options, simulate

    garbage.started()
    sys.exit(
        simulate(Options(scenario, report, policies, replications, seed, as_json, jobs, dask, skip_bad_rows))
    )
