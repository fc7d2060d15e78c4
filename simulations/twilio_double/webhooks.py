"""Twilio's requests to us: form-encoded, signed, given up after 15 seconds."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
from yarl import URL

from simulations.twilio_double.signature import sign

_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Posted:
    """A webhook request, the HTTP status it got (None when nobody answered), and what the answer said."""

    url: str
    form: dict[str, str]
    status: int | None
    answer: str = ""


class Webhooks:
    """Posts and remembers them, in order."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._session: aiohttp.ClientSession | None = None
        self.posted: list[Posted] = []

    async def post(self, url: str, form: dict[str, str]) -> Posted:
        """Post a signed form."""
        headers = {"X-Twilio-Signature": sign(self._auth_token, url, form), "User-Agent": "TwilioProxy/1.1"}
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        try:
            async with self._session.post(URL(url, encoded=True), data=form, headers=headers) as answer:
                posted = Posted(url, form, answer.status, await answer.text())
        except (aiohttp.ClientError, TimeoutError):
            posted = Posted(url, form, None)
        self.posted.append(posted)
        return posted

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
