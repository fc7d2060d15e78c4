"""Policies by the hash of their content: an incident keeps the one it was opened with."""

from collections.abc import Iterable

import msgspec

from dispatch.core.policy import Policy, digest
from dispatch.store.statements import Database, statements

_SQL = statements("policies")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Policy).decode


async def keep(db: Database, policies: Iterable[Policy]) -> None:
    """Before any incident is opened with one of them."""
    bodies = {digest(policy): _encode(policy).decode() for policy in policies}
    await db.execute(_SQL["keep"], list(bodies), list(bodies.values()))


async def get(db: Database, policy_hash: str) -> Policy | None:
    body = await db.fetchval(_SQL["get"], policy_hash)
    return None if body is None else _decode(body)
