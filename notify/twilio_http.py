"""The HTTP client that Twilio's library sends through, with the guards that its own lack.

Its own asynchronous client ignores its time-out, can repeat a request whose fate is unknown, and logs phone
numbers at INFO. This one ends within `timeout_s` whatever happens, asks once, logs nothing, and tells a
request that was certainly not processed (`NotSent`) from one that may have been (`Uncertain`).
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

TWILIO_URL = "https://api.twilio.com"
_CONNECT_S_MAX = 5.0
_RETRY_AFTER_S_DEFAULT = 1.0
_RETRY_AFTER_S_MAX = 60.0
_UNREACHABLE_RETRY_S = 2.0
# Shorter than any server keeps an idle connection: a request on one that it is just closing is uncertain.
_KEEPALIVE_S = 3.0
_CONNECTIONS_MAX = 50
ANSWER_BYTES_MAX = 2**20
"""More than Twilio's longest page of messages; whoever sends more is not read to the end."""


class NotSent(Exception):
    """Certainly not processed; may be repeated after `after_s`."""

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


class Uncertain(Exception):
    """The request may have been processed: its answer never came, or says that Twilio does not know."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OneShotClient(AsyncHttpClient):  # type: ignore[misc]  # the library carries no types
    """Each request once, over one shared session, to `api_url` in place of Twilio's own host."""

    def __init__(self, timeout_s: float, api_url: str = TWILIO_URL) -> None:
        quiet_library()
        super().__init__(logging.getLogger("twilio.http_client"), True, timeout_s)
        self._api_url = api_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(_CONNECT_S_MAX, timeout_s / 2))
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 (ours is the one that counts)
        allow_redirects: bool = False,  # noqa: ARG002 (a redirected POST is a repeat)
    ) -> Response:
        """One request. Raises `NotSent` or `Uncertain`; every other answer, 4xx too, is returned."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        url = uri.replace(TWILIO_URL, self._api_url, 1)
        try:
            async with self._open().request(
                method, url, params=_strings(params), data=_strings(data), headers=sent, allow_redirects=False
            ) as answer:
                return _judged(Response(answer.status, await _text(answer), answer.headers))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent("unreachable", _UNREACHABLE_RETRY_S) from error
        except TimeoutError as error:
            raise Uncertain("timeout") from error
        except aiohttp.ClientError as error:
            raise Uncertain("connection_lost") from error

    async def close(self) -> None:
        """Close the session; requests in flight end as `Uncertain`."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0)  # lets the transports of the closed connections go

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS_MAX, keepalive_timeout=_KEEPALIVE_S)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session


async def _text(answer: aiohttp.ClientResponse) -> str:
    """The body, which is JSON and therefore UTF-8 (RFC 8259, 8.1), whatever it is said to be."""
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise Uncertain("bad_answer")
    return body.decode("utf-8", "replace")


def quiet_library() -> None:
    """The library logs requests with their phone numbers at INFO: never, whatever the root's level."""
    logging.getLogger("twilio").setLevel(logging.WARNING)
    for name in ("twilio.http_client", "twilio.async_http_client"):
        logging.getLogger(name).setLevel(logging.WARNING)


def retry_after_s(header: str | None, now: datetime) -> float:
    """A `Retry-After` header (RFC 9110, 10.2.3: seconds or a date) in seconds, kept within 0.1 to 60."""
    wait_s = _RETRY_AFTER_S_DEFAULT
    if header is not None and header.strip().isdecimal():
        wait_s = float(header)
    elif header is not None:
        try:
            wait_s = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):  # no date, or one without a zone
            wait_s = _RETRY_AFTER_S_DEFAULT
    return min(max(wait_s, 0.1), _RETRY_AFTER_S_MAX)


def _judged(response: Response) -> Response:
    """429 is never processed (Twilio, error 20429); after a 5xx the message may exist all the same."""
    if response.status_code == 429:
        header = response.headers.get("Retry-After") if response.headers else None
        raise NotSent("too_many_requests", retry_after_s(header, datetime.now(UTC)))
    if response.status_code >= 500:
        raise Uncertain(f"http_{response.status_code}")
    return response


def _strings(fields: dict[str, object] | None) -> dict[str, str] | None:
    return None if fields is None else {name: str(value) for name, value in fields.items()}
