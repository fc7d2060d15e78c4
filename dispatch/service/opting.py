"""A medic's phone that opted out of our texts, or in again, by a keyword that her carrier acts on."""

from typing import Literal

import asyncpg
from msgspec.structs import replace

from dispatch.records import Medic
from dispatch.service.dispatcher import Dispatcher
from dispatch.store import medics

SMS = "sms"


class Opting:
    """Keeps what is so at the carrier already: SMS are blocked for her, or not any more."""

    def __init__(self, pool: asyncpg.Pool, dispatcher: Dispatcher) -> None:
        self._pool = pool
        self._dispatcher = dispatcher

    async def opted(self, phone: str, opt: Literal["out", "in"]) -> None:
        """A phone that is nobody's is ignored; a repeat changes nothing."""
        before = await medics.by_phone(self._pool, phone)
        if before is None or (SMS in before.blocked) == (opt == "out"):
            return
        medic = await medics.change(self._pool, before.id, lambda now: _with(now, opt))
        if medic is not None:
            await self._dispatcher.medic_changed(medic, before=before)


def _with(medic: Medic, opt: Literal["out", "in"]) -> Medic:
    others = tuple(channel for channel in medic.blocked if channel != SMS)
    return replace(medic, blocked=(*others, SMS) if opt == "out" else others)
