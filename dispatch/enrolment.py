"""How a medic's phone becomes one of her devices: a code by SMS, then a token.

Asking takes the same time for a registered phone and any other, since all that depends on which it is happens
after the answer, in the background. So does confirming, which does the same work for either.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import asyncpg

from dispatch import logs
from dispatch.auth import new_token, secret_hash
from dispatch.store import enrolments, medics, tokens
from notify.channel import Outcome, Sent
from notify.texts import enrolment_text

log = logs.logger(__name__)

ASKED_MAX = 1000
CODES = 10**6

SendText = Callable[[str, str], Awaitable[Outcome]]
"""Sends a text to a phone number."""


class Enrolment:
    """``send_text`` None: SMS is off, and codes go nowhere (``dispatch medics token`` is the way then)."""

    def __init__(self, pool: asyncpg.Pool, send_text: SendText | None, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._send_text = send_text
        self._now_ms = now_ms
        self._asked: asyncio.Queue[str] = asyncio.Queue(ASKED_MAX)

    @property
    def waiting(self) -> int:
        return self._asked.qsize()

    def ask(self, phone: str) -> bool:
        """A code goes to this phone if it is registered. False: too many are waiting."""
        try:
            self._asked.put_nowait(phone)
        except asyncio.QueueFull:
            return False
        return True

    async def run(self) -> None:
        """Sends codes, until cancelled."""
        while True:
            phone = await self._asked.get()
            try:
                await self._send_code(phone)
            except Exception as error:
                log.warning("enrolment code not sent", error=logs.describe(error))

    async def confirm(self, phone: str, code: str) -> tuple[str, str] | None:
        """A new token and whose it is; None for a wrong code, an old one, or an unknown phone."""
        medic = await medics.by_phone(self._pool, phone)
        now_ms = self._now_ms()
        if not await enrolments.use(self._pool, medic.id if medic else "", code, at=now_ms) or medic is None:
            return None
        token = new_token()
        if not await tokens.create(self._pool, medic.id, secret_hash=secret_hash(token), at=now_ms):
            return None
        return token, medic.id

    async def _send_code(self, phone: str) -> None:
        medic = await medics.by_phone(self._pool, phone)
        if medic is None or self._send_text is None:
            return
        code = f"{secrets.randbelow(CODES):06d}"
        if await enrolments.put(self._pool, medic.id, code, at=self._now_ms()):
            outcome = await self._send_text(enrolment_text(code, medic.language), medic.phone)
            if not isinstance(outcome, Sent):
                log.warning("enrolment code not sent", medic_id=medic.id, reason=outcome.reason)
