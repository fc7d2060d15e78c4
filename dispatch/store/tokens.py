"""Tokens of medics' devices. Of a secret only its hash comes here."""

from collections.abc import Sequence

from dispatch.store.statements import Database, statements

_SQL = statements("tokens")


async def create(db: Database, medic_id: str, *, secret_hash: bytes, at: int) -> bool:
    """False: there is no such medic."""
    return await db.fetchval(_SQL["create"], secret_hash, medic_id, at) is not None


async def find_all(db: Database, secret_hashes: Sequence[bytes]) -> dict[bytes, str]:
    """By token, the id of the medic whose it is; those that are nobody's are left out."""
    return {row["token_hash"]: row["medic_id"] for row in await db.fetch(_SQL["find_all"], secret_hashes)}


async def revoke_all(db: Database, medic_id: str) -> int:
    """Signs every device of hers out; how many there were."""
    count: int = await db.fetchval(_SQL["revoke_all"], medic_id)
    return count
