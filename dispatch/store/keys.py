"""Control rooms and their API keys. Of a secret only its hash comes here."""

from collections.abc import Iterable

import msgspec

from dispatch.ids import new_id
from dispatch.store.statements import Database, statements

_SQL = statements("keys")


class GoodKey(msgspec.Struct, frozen=True):
    """A key that is not revoked."""

    id: str
    control_room_id: str
    scopes: frozenset[str]


class ListedKey(msgspec.Struct, frozen=True):
    """A key as ``dispatch keys list`` shows it; times in ms."""

    id: str
    control_room_id: str
    control_room: str
    scopes: tuple[str, ...]
    created_at: int
    revoked_at: int | None


async def ensure_control_room(db: Database, name: str) -> str:
    """The id of the control room with this name, made if there is none."""
    control_room_id: str = await db.fetchval(_SQL["ensure_control_room"], new_id(), name)
    return control_room_id


async def create(
    db: Database, control_room_id: str, *, secret_hash: bytes, scopes: Iterable[str], at: int
) -> str:
    """A new key's id."""
    key_id = new_id()
    await db.execute(_SQL["create"], key_id, control_room_id, secret_hash, sorted(scopes), at)
    return key_id


async def list_all(db: Database) -> list[ListedKey]:
    """Revoked ones too, by control room and age."""
    rows = await db.fetch(_SQL["list_all"])
    return [
        ListedKey(key_id, room_id, room, tuple(scopes), created_at, revoked_at)
        for key_id, room_id, room, scopes, created_at, revoked_at in rows
    ]


async def good(db: Database) -> dict[bytes, GoodKey]:
    """All keys that are good now, by the hash of their secret."""
    rows = await db.fetch(_SQL["good"])
    return {secret: GoodKey(key_id, room, frozenset(scopes)) for secret, key_id, room, scopes in rows}


async def find(db: Database, secret_hash: bytes) -> GoodKey | None:
    """The key with this secret, if it is good."""
    row = await db.fetchrow(_SQL["find"], secret_hash)
    return None if row is None else GoodKey(row["id"], row["control_room_id"], frozenset(row["scopes"]))


async def revoke(db: Database, key_id: str, *, at: int) -> bool:
    """False: there is no such key, or it was revoked before."""
    return await db.fetchval(_SQL["revoke"], key_id, at) is not None
