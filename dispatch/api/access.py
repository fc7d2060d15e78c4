"""Who is calling: the key or token of the ``Authorization`` header, and whether it may."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from dispatch.api.once import HEADER as ONCE
from dispatch.api.once import KEY_LENGTH_MAX
from dispatch.api.problem import Problem
from dispatch.api.rates import Rates
from dispatch.auth import Key, Keyring, Scope, TokenDesk


class Access:
    """Raises Problem: ``unauthenticated`` without a good key or token, ``forbidden`` without the scope,
    ``too_many`` beyond what one may ask.
    """

    def __init__(self, keyring: Keyring, tokens: TokenDesk, rates: Rates) -> None:
        self._keyring = keyring
        self._tokens = tokens
        self._rates = rates

    async def control_room(self, request: Request, *scopes: Scope) -> Key:
        """The caller's key, which carries one of ``scopes``."""
        key = await self._keyring.key(_bearer(request))
        if key is None:
            raise Problem("unauthenticated")
        if not key.scopes.intersection(scopes):
            raise forbidden(scopes[0])
        once = request.headers.get(ONCE)
        # One that is too long will be refused; kept until then, 50,000 of them would fill the memory.
        self._rates.control_room(key.id, once if once and len(once) <= KEY_LENGTH_MAX else None)
        return key

    def still(self, request: Request) -> Callable[[], Awaitable[bool]]:
        """Whether the caller's key is good, to be asked again by what goes on for long."""
        secret = _bearer(request)

        async def good() -> bool:
            return await self._keyring.key(secret) is not None

        return good

    async def medic(self, request: Request, *, leaves: bool = False) -> str:
        """The id of the medic whose device this is. ``leaves``: it asks to be hers no more."""
        medic_id = await self._tokens.medic(_bearer(request))
        if medic_id is None:
            raise Problem("unauthenticated")
        if leaves:
            self._rates.leaving(medic_id)
        else:
            self._rates.device(medic_id)
        return medic_id


def forbidden(scope: Scope) -> Problem:
    return Problem("forbidden", detail=f"This key lacks the scope {scope}.")


def _bearer(request: Request) -> str:
    """RFC 6750, 2.1; the scheme's name in any case (RFC 9110, 11.1)."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem("unauthenticated")
    return secret.strip()
