"""``dispatch db resume``: says what a paused service would send, asks, and lets it go on."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli.options import FAILED, data_dir_option, database, json_option, plainly, run, to_json

if TYPE_CHECKING:
    from dispatch.paused.resumption import Owed


@click.command("resume")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--close-older-than",
    "minutes",
    type=click.IntRange(min=0),
    metavar="MINUTES",
    help="Close incidents that were opened longer ago: nobody more is asked, and who was is stood down.",
)
@data_dir_option
@json_option
@plainly
def resume_command(yes: bool, minutes: int | None, data_dir: Path, as_json: bool) -> None:
    """Say what the service would send after a restore, ask, and let it go on.

    One line an incident that is live or owes something: its age, how many medics would be looked for, and
    what would be sent. Works while the service runs, which goes on within a second, and while it does not.
    """
    older_than_s = None if minutes is None else minutes * 60
    paused, owed = run(_preview(data_dir, older_than_s))
    if not paused:
        click.echo("dispatch: the service is not paused; nothing to do", err=True)
        return
    click.echo(to_json(owed) if as_json else "\n".join(_lines(owed)))
    if not (yes or _confirmed()):
        click.echo("dispatch: still paused", err=True)
        sys.exit(FAILED)
    run(_resume(data_dir, older_than_s))
    click.echo("dispatch: resumed", err=True)


def _confirmed() -> bool:
    try:
        return click.confirm("Resume?", err=True)
    except click.Abort:  # nobody there to answer
        click.echo(err=True)
        return False


def _lines(owed: "list[Owed]") -> Iterator[str]:
    if not owed:
        yield "no incident is live, and nothing is owed"
    for one in owed:
        about = "".join((f"{one.reference}  {one.kind}", ", a drill" if one.drill else "", f", {one.state}"))
        yield f"{one.incident_id}  {about}  opened {_age(one.age_s)} ago: {', '.join(_would(one))}"


def _would(one: "Owed") -> Iterator[str]:
    if one.closes:
        yield "is closed first"
    if one.alerts:
        yield f"up to {one.alerts} medics alerted"
    for what, count in one.sends.items():
        purpose, channel = what.split()
        yield f"{count} {purpose.replace('_', '-')}{'s' if count > 1 else ''} over {channel}"
    if one.unsure:
        yield f"{one.unsure} perhaps sent already: the provider is asked"
    if not (one.closes or one.alerts or one.sends or one.unsure):
        yield "nothing now"


def _age(seconds: int) -> str:
    minutes = seconds // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


async def _preview(data_dir: Path, older_than_s: int | None) -> "tuple[bool, list[Owed]]":
    from dispatch.paused import resuming
    from dispatch.store import service

    async with database(data_dir) as pool:
        if await service.paused_at(pool) is None:
            return False, []
        return True, await resuming.preview(pool, older_than_s)


async def _resume(data_dir: Path, older_than_s: int | None) -> None:
    from dispatch.paused import resuming

    async with database(data_dir) as pool:
        await resuming.resume(pool, older_than_s)
