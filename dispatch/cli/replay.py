"""``dispatch replay``: an incident from its events, and whether today's code would decide the same."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli.options import FAILED, data_dir_option, database, json_option, plainly, run, to_json

if TYPE_CHECKING:
    from dispatch.store.history import History


@click.command("replay")
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--who", is_flag=True, help="Show the ids of medics, not only the numbers of their alerts.")
@data_dir_option
@json_option
@plainly
def replay_command(incident_id: str, who: bool, data_dir: Path, as_json: bool) -> None:
    """Print how INCIDENT went: what happened when, and what the service knew at each decision.

    Each decision is made again by today's code, on the state before it and with what it knew then: the same,
    different (with the first event that differs), or not checkable where what it knew has been deleted.
    """
    from dispatch.core.evolve import evolve_all
    from dispatch.replay.again import replay
    from dispatch.replay.report import Report

    history = run(_read(incident_id, data_dir))
    if history is None:
        click.echo(f"dispatch: there is no incident {incident_id}", err=True)
        sys.exit(FAILED)
    last = evolve_all(None, [event for one in history.decisions for event in one.events])
    report = Report(history, list(replay(history.decisions, history.policies)), last, who=who)
    click.echo(to_json(report.as_json()) if as_json else "\n".join(report.lines()))


async def _read(incident_id: str, data_dir: Path) -> "History | None":
    from dispatch.store import history

    async with database(data_dir) as pool, pool.acquire() as connection:
        return await history.of(connection, incident_id)
