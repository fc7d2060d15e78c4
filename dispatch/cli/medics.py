"""``dispatch medics``: medics from a file, and tokens for their devices."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dispatch.cli.options import FAILED, data_dir_option, database, json_option, plainly, run, to_json


@click.group("medics")
def medics_group() -> None:
    """Medics: import them, and make tokens for support, load generators and tests."""


@medics_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--available", is_flag=True, help="They may be asked at once, without opting in on a device.")
@data_dir_option
@json_option
@plainly
def import_medics(file: Path, available: bool, data_dir: Path, as_json: bool) -> None:
    """Import FILE (CSV: name, phone, language, skills, mode, home_lat, home_lon); prints an id a row.

    All rows, or none. A running service knows them within a second.
    """
    ids = run(_import(file, available, data_dir))
    if ids is None:
        sys.exit(FAILED)
    click.echo(to_json(ids) + "\n" if as_json else "".join(f"{one}\n" for one in ids), nl=False)


@medics_group.command("token")
@click.argument("medic_ids", metavar="ID...", nargs=-1, required=True)
@data_dir_option
@json_option
@plainly
def token(medic_ids: tuple[str, ...], data_dir: Path, as_json: bool) -> None:
    """Make a device token for each medic; prints `ID TOKEN` lines. `-` reads ids from stdin."""
    ids = sys.stdin.read().split() if medic_ids == ("-",) else list(medic_ids)
    tokens = run(_tokens(ids, data_dir))
    if as_json:
        click.echo(to_json(tokens))
    else:
        for medic_id, secret in tokens.items():
            click.echo(f"{medic_id} {secret}")
    unknown = [medic_id for medic_id in ids if medic_id not in tokens]
    if unknown:
        click.echo(f"dispatch: there is no medic {', '.join(unknown)}", err=True)
        sys.exit(FAILED)


async def _import(file: Path, available: bool, data_dir: Path) -> list[str] | None:
    from dispatch.cli.medics_import import read_medics
    from dispatch.store import medics

    read = read_medics(file, available=available)
    async with database(data_dir, make=True) as pool:
        try:
            await medics.create(pool, list(read.values()))
        except medics.PhoneTaken as taken:
            phones = set(taken.phones)
            lines = [str(line) for line, medic in read.items() if medic.phone in phones]
            click.echo(
                f"dispatch: {file}: nothing imported: the phones of these lines are registered already, "
                f"or stand here twice: {', '.join(lines[:20])}{' ...' if len(lines) > 20 else ''}",
                err=True,
            )
            return None
    return [medic.id for medic in read.values()]


async def _tokens(ids: Sequence[str], data_dir: Path) -> dict[str, str]:
    from dispatch.auth import new_token, secret_hash
    from dispatch.clock import Clock
    from dispatch.store import tokens

    made: dict[str, str] = {}
    async with database(data_dir) as pool:
        at = (await Clock.synchronised(pool)).now_ms()
        async with pool.acquire() as connection, connection.transaction():
            for medic_id in dict.fromkeys(ids):
                secret = new_token()
                if await tokens.create(connection, medic_id, secret_hash=secret_hash(secret), at=at):
                    made[medic_id] = secret
    return made
