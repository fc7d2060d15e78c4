"""Enrolment codes: six digits sent by SMS, ten minutes, five guesses, single use.

A code has so few values that a hash alone hides it from nobody who reads the database; scrypt with a salt
(RFC 7914) makes all 10^6 of them take hours, and a code holds for minutes.
"""

import asyncio
import hashlib
import hmac
import secrets

from dispatch.store.statements import Database, statements

HOLDS_MS = 10 * 60 * 1000
GUESSES = 5

_SQL = statements("enrolments")


async def put(db: Database, medic_id: str, code: str, *, at: int) -> bool:
    """The code that enrols her device from now on, and no earlier one. False: there is no such medic."""
    salt = secrets.token_bytes(16)
    code_hash = await _hash(code, salt)
    put = await db.fetchval(_SQL["put"], medic_id, salt, code_hash, at + HOLDS_MS, GUESSES)
    return put is not None


async def use(db: Database, medic_id: str, code: str, *, at: int) -> bool:
    """Whether this is her code, which is used up then. A wrong one takes a guess, also of many at once."""
    row = await db.fetchrow(_SQL["guess"], medic_id, at)
    salt, code_hash = row if row is not None else (b"no code", b"")
    # Without a code the same work is done, so that the time tells nothing.
    if not hmac.compare_digest(await _hash(code, salt), code_hash):
        return False
    return await db.fetchval(_SQL["use"], medic_id, code_hash) is not None


async def purge(db: Database, *, at: int) -> None:
    """Forgets the codes that no longer hold."""
    await db.execute(_SQL["purge"], at)


async def _hash(code: str, salt: bytes) -> bytes:
    """Some 30 ms in a thread, which leaves the loop alone."""
    return await asyncio.to_thread(hashlib.scrypt, code.encode(), salt=salt, n=2**13, r=8, p=1)
