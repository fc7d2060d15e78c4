"""Who may do what: API keys of control rooms, tokens of medics' devices.

A secret has 256 random bits behind a prefix that tells what it is (and lets a scanner find a leaked one).
Only its SHA-256 is kept; for a secret that can not be guessed that is as good as a slow hash, and looking it
up by its hash leaks nothing through time.

Keys are few: all that are good are in memory and read again every second, so that a report waits for no query
and a revoked key is refused within ``KEYS_S_MAX`` even where reading fails. Tokens are many: one is looked up
when it is used, and believed for ``TOKEN_S``.
"""

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias, get_args

from dispatch.store.keys import GoodKey as Key

Scope: TypeAlias = Literal["incidents:write", "incidents:drill", "incidents:read", "medics:manage"]
__all__ = ["SCOPES", "Key", "Keyring", "Scope", "TokenDesk", "new_key", "new_token", "secret_hash"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

KEY_PREFIX = "dk_"
TOKEN_PREFIX = "dt_"  # noqa: S105  (it is what a token begins with)
_SECRET_LENGTH = 3 + 43
KEYS_S_MAX = 5.0
TOKEN_S = 5.0
TOKENS_MAX = 50_000


def new_key() -> str:
    """A secret for a control room."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def new_token() -> str:
    """A secret for a medic's device."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


class Keyring:
    """The good keys, by the hash of their secret. ``find`` asks the store about one that is not here."""

    def __init__(
        self,
        find: Callable[[bytes], Awaitable[Key | None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._monotonic = monotonic
        self._keys: Mapping[bytes, Key] = {}
        self._read_at = float("-inf")

    def put_all(self, keys: Mapping[bytes, Key]) -> None:
        """All keys that are good now, just read from the store."""
        self._keys = keys
        self._read_at = self._monotonic()

    async def key(self, secret: str) -> Key | None:
        """The key with this secret, or None. Raises what the store raises."""
        if not secret.startswith(KEY_PREFIX) or len(secret) != _SECRET_LENGTH:
            return None
        known = secret_hash(secret)
        if known in self._keys and self._monotonic() - self._read_at < KEYS_S_MAX:
            return self._keys[known]
        return await self._find(known)


class TokenDesk:
    """Whose a device's token is."""

    def __init__(
        self,
        find: Callable[[bytes], Awaitable[str | None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._monotonic = monotonic
        self._believed: dict[bytes, tuple[str, float]] = {}
        self._forgotten = 0
        """How often tokens were to be forgotten."""

    async def medic(self, secret: str) -> str | None:
        """The medic's id, or None. Raises what the store raises."""
        if not secret.startswith(TOKEN_PREFIX) or len(secret) != _SECRET_LENGTH:
            return None
        known = secret_hash(secret)
        believed = self._believed.get(known)
        if believed is not None and self._monotonic() - believed[1] < TOKEN_S:
            return believed[0]
        while True:
            before = self._forgotten
            medic_id = await self._find(known)
            if self._forgotten == before:  # else it may have been read while it was good still
                break
        self._believe(known, medic_id)
        return medic_id

    def forget(self, medic_id: str | None = None) -> None:
        """Her tokens were revoked: believe none of them any longer. None: it is not known whose."""
        self._forgotten += 1
        if medic_id is None:
            self._believed.clear()
        self._believed = {known: one for known, one in self._believed.items() if one[0] != medic_id}

    def _believe(self, known: bytes, medic_id: str | None) -> None:
        self._believed.pop(known, None)
        if medic_id is None:
            return
        if len(self._believed) >= TOKENS_MAX:
            del self._believed[next(iter(self._believed))]
        self._believed[known] = (medic_id, self._monotonic())
