"""``dispatch keys``: the API keys of control rooms."""

import sys
from pathlib import Path
from typing import Any

import click

from dispatch.cli.options import FAILED, data_dir_option, database, json_option, plainly, run, to_json


@click.group("keys")
def keys_group() -> None:
    """API keys of control rooms: made, listed, revoked."""


@keys_group.command("create")
@click.option("--control-room", required=True, help="The control room's name; made if there is none.")
@click.option(
    "--scopes",
    required=True,
    help="Out of incidents:write, incidents:drill, incidents:read, medics:manage; with commas between.",
)
@data_dir_option
@json_option
@plainly
def create(control_room: str, scopes: str, data_dir: Path, as_json: bool) -> None:
    """Make a key and print it, this once."""
    chosen = _scopes(scopes)
    if not 0 < len(control_room.strip()) <= 200:
        raise click.BadParameter("must have 1 to 200 characters", param_hint="--control-room")
    if not control_room.strip().isprintable():
        raise click.BadParameter("must hold no control characters", param_hint="--control-room")
    key_id, room_id, secret = run(_create(control_room.strip(), chosen, data_dir))
    click.echo(to_json({"id": key_id, "control_room_id": room_id, "key": secret}) if as_json else secret)


@keys_group.command("list")
@data_dir_option
@json_option
@plainly
def list_keys(data_dir: Path, as_json: bool) -> None:
    """All keys, revoked ones too: id, control room, scopes, made, revoked; never the key itself."""
    listed = run(_list(data_dir))
    if as_json:
        click.echo(to_json(listed))
        return
    for one in listed:
        click.echo(
            "\t".join(
                [
                    one["id"],
                    one["control_room"],
                    ",".join(one["scopes"]),
                    one["created_at"],
                    one["revoked_at"] or "-",
                ]
            )
        )


@keys_group.command("revoke")
@click.argument("key_id")
@data_dir_option
@plainly
def revoke(key_id: str, data_dir: Path) -> None:
    """Revoke a key by its id (of `keys list`); the service refuses it within two seconds."""
    if not run(_revoke(key_id, data_dir)):
        click.echo(
            f"dispatch: there is no key {key_id} that is not revoked; see `dispatch keys list`", err=True
        )
        sys.exit(FAILED)


def _scopes(text: str) -> list[str]:
    from dispatch.auth import SCOPES

    chosen = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in chosen if word not in SCOPES]
    if unknown or not chosen:
        raise click.BadParameter(
            f"{', '.join(unknown) or 'nothing'} is no scope; there are {', '.join(SCOPES)}",
            param_hint="--scopes",
        )
    return chosen


async def _create(control_room: str, scopes: list[str], data_dir: Path) -> tuple[str, str, str]:
    from dispatch.auth import new_key, secret_hash
    from dispatch.clock import Clock
    from dispatch.store import keys

    async with database(data_dir, make=True) as pool:
        at = (await Clock.synchronised(pool)).now_ms()
        room_id = await keys.ensure_control_room(pool, control_room)
        secret = new_key()
        key_id = await keys.create(pool, room_id, secret_hash=secret_hash(secret), scopes=scopes, at=at)
    return key_id, room_id, secret


async def _list(data_dir: Path) -> list[dict[str, Any]]:
    from dispatch.store import keys
    from dispatch.times import rfc3339, rfc3339_or_none

    async with database(data_dir) as pool:
        listed = await keys.list_all(pool)
    return [
        {
            "id": one.id,
            "control_room_id": one.control_room_id,
            "control_room": one.control_room,
            "scopes": list(one.scopes),
            "created_at": rfc3339(one.created_at),
            "revoked_at": rfc3339_or_none(one.revoked_at),
        }
        for one in listed
    ]


async def _revoke(key_id: str, data_dir: Path) -> bool:
    from dispatch.clock import Clock
    from dispatch.store import keys

    async with database(data_dir) as pool:
        return await keys.revoke(pool, key_id, at=(await Clock.synchronised(pool)).now_ms())
