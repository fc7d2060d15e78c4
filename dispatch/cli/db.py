"""``dispatch db``: the schema, backups, and going on after a restore."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatch.cli.options import data_dir_option, json_option, plainly, run, server, to_json
from dispatch.cli.resume import resume_command

if TYPE_CHECKING:
    from dispatch.store.archive import Manifest


@click.group("db")
def db_group() -> None:
    """The database: its schema, backup and restore."""


db_group.add_command(resume_command)


@db_group.command("upgrade")
@data_dir_option
@json_option
@plainly
def upgrade_database(data_dir: Path, as_json: bool) -> None:
    """Bring the schema up to date (`serve` does so too); prints the revision before and after."""
    before, after = run(_upgrade(data_dir))
    click.echo(
        to_json({"before": before, "after": after}) if as_json else f"{before or 'none'} {after or 'none'}"
    )


@db_group.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_dir_option
@json_option
@plainly
def backup_database(file: Path, data_dir: Path, as_json: bool) -> None:
    """Write the whole database to FILE, which must not be there yet; the service may go on meanwhile.

    FILE holds personal data, and is readable for you alone.
    """
    manifest = run(_backup(file, data_dir))
    _print(manifest, as_json)


@db_group.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_dir_option
@json_option
@plainly
def restore_database(file: Path, data_dir: Path, as_json: bool) -> None:
    """Fill an empty database (a new --data-dir, or DISPATCH_DATABASE_URL) from FILE.

    The service then opens paused: it answers, takes incidents as held, and sends nothing until `db resume`.
    """
    manifest = run(_restore(file, data_dir))
    _print(manifest, as_json)
    click.echo("dispatch: restored, and paused: see `dispatch db resume`", err=True)


def _print(manifest: "Manifest", as_json: bool) -> None:
    from dispatch.times import rfc3339

    rows = {table.name: table.rows for table in manifest.tables}
    told = {"at": rfc3339(manifest.at), "revision": manifest.revision, "rows": rows}
    incidents, medics = manifest.rows("incident"), manifest.rows("medic")
    click.echo(
        to_json(told)
        if as_json
        else f"{told['at']} revision {manifest.revision}: {incidents} incidents, {medics} medics"
    )


async def _upgrade(data_dir: Path) -> tuple[str | None, str | None]:
    from dispatch.store.database import upgrade

    async with server(data_dir, make=True) as dsn:
        return await upgrade(dsn)


async def _backup(file: Path, data_dir: Path) -> "Manifest":
    from dispatch.store.backup import backup

    async with server(data_dir) as dsn:
        return await backup(dsn, file)


async def _restore(file: Path, data_dir: Path) -> "Manifest":
    from dispatch.store.archive import reading
    from dispatch.store.backup import restore

    with reading(file):  # before a server is started, and a data dir made, for nothing
        pass
    async with server(data_dir, make=True) as dsn:
        return await restore(dsn, file)
