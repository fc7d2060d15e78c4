"""What medics write back by SMS: an answer to the alert whose digits they name, or told as not understood."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from dispatch import logs
from dispatch.clock import Clock
from dispatch.core import commands as c
from dispatch.core import events as e
from dispatch.deciding.decisions import Decisions
from dispatch.ids import alert_id
from dispatch.records import Medic
from dispatch.sending.messages import message
from dispatch.store import alerts, inbound, medics
from dispatch.store.alerts import MedicAlert
from notify.digits import digit_pair, read_answer
from notify.texts import refusal_text

log = logs.logger(__name__)

LATE_ANSWER_MS = 24 * 3600 * 1000
"""How old an alert an SMS may still answer."""
SMS = "sms"

Answer = Callable[[str, str, e.Answer, str], Awaitable[object]]


class Texts:
    """``answer(medic_id, alert_id, answer, channel)`` gives a medic's answer, as over any channel.

    While ``paused`` nothing is written back.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        decisions: Decisions,
        answer: Answer,
        *,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._paused = paused
        self._pool = pool
        self._clock = clock
        self._decisions = decisions
        self._answer = answer
        self._reading: dict[str, asyncio.Task[str | None]] = {}

    async def take(self, phone: str, text: str, provider_id: str) -> str | None:
        """What she is to be told back: why, where she comes and is not to; else nothing.

        A text that the provider brings twice counts once, at the same time too. Nobody's, and one that
        answers nothing, is ignored. It is known only once it was dealt with, so that one which was not is
        taken when it is brought again. Raises Unavailable and what the database raises.
        """
        task = self._reading.get(provider_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._take(phone, text, provider_id))
            self._reading[provider_id] = task
            task.add_done_callback(lambda _: self._reading.pop(provider_id, None))
        return await asyncio.shield(task)

    async def _take(self, phone: str, text: str, provider_id: str) -> str | None:
        if await inbound.known(self._pool, provider_id):
            return None
        medic = await medics.by_phone(self._pool, phone)
        back = await self._read(medic, text) if medic is not None else None
        await inbound.first_time(self._pool, provider_id, at=self._clock.now_ms())
        return None if self._paused() else back

    async def _read(self, medic: Medic, text: str) -> str | None:
        since = self._clock.now_ms() - LATE_ANSWER_MS
        asked = await alerts.of_medic(self._pool, medic.id, ended_since=since)
        asked.sort(key=lambda one: one.holds is None)  # what she holds now, then the newest
        for one in asked:
            answer = read_answer(text, digit_pair(one.digit_pair))
            if answer is not None:
                return await self._answer_hers(medic, one, answer)
        if asked:
            await self._not_understood(asked[0])
        return None

    async def _not_understood(self, alert: MedicAlert) -> None:
        await self._decisions.order(
            alert.incident_id,
            lambda now: c.NotUnderstand(at=now.at, by="medic", policy=now.rules, n=alert.n, channel=SMS),
        )

    async def _answer_hers(self, medic: Medic, alert: MedicAlert, answer: e.Answer) -> str | None:
        """Who accepts and is refused may hear of it in no other way: what ran out is not taken back."""
        try:
            await self._answer(medic.id, alert_id(alert.incident_id, alert.n), answer, SMS)
        except (c.Refused, LookupError) as refusal:
            log.info("answer by SMS not taken", incident_id=alert.incident_id, reason=str(refusal))
            if isinstance(refusal, c.Refused) and answer == "accept":
                return await self._refusal(medic, alert, refusal.code)
        return None

    async def _refusal(self, medic: Medic, alert: MedicAlert, code: str) -> str | None:
        record = await self._decisions.get(alert.incident_id)
        asked = next((one for one in record.asked if one.n == alert.n), None) if record else None
        if record is None or asked is None or record.details is None:
            return None
        return refusal_text(message(record, asked, 1, "alert", medic), code)
