"""Tokens of medics' devices. Of a secret only its hash comes here."""

from dispatch.store.statements import Database, statements

_SQL = statements("tokens")


async def create(db: Database, medic_id: str, *, secret_hash: bytes, at: int) -> bool:
    """False: there is no such medic."""
    return await db.fetchval(_SQL["create"], secret_hash, medic_id, at) is not None


async def find(db: Database, secret_hash: bytes) -> str | None:
    """The id of the medic whose token it is."""
    medic_id: str | None = await db.fetchval(_SQL["find"], secret_hash)
    return medic_id


async def revoke_all(db: Database, medic_id: str) -> int:
    """Signs every device of hers out; how many there were."""
    count: int = await db.fetchval(_SQL["revoke_all"], medic_id)
    return count
