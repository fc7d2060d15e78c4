"""A control room as a client: it reports incidents, follows them and closes them, with a key of its own."""

from types import TracebackType
from typing import Any, Self

import aiohttp

from simulations.calls import Call

Incident = dict[str, Any]


class Refused(Exception):
    """The service answered with a problem; the text is its status, code and title."""


class Unanswered(Exception):
    """The service did not answer."""


class ControlRoom:
    """An HTTP client with a key; `http` also follows the feed."""

    def __init__(self, url: str, key: str) -> None:
        self.http = aiohttp.ClientSession(
            url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=15.0),
            connector=aiohttp.TCPConnector(limit=16),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def report(self, call: Call, reference: str) -> Incident:
        """`POST /v1/incidents`. The source's own time is left out: the replay happens now."""
        body: dict[str, Any] = {
            "reference": reference,
            "kind": call.kind,
            "position": {"lat": call.lat, "lon": call.lon},
            "details": call.title,
            "setting": "public",
        }
        if call.address:
            body["address"] = call.address
        if call.priority is not None:
            body["priority"] = call.priority
        return await self._json("POST", "/v1/incidents", body, key=reference)

    async def feed_position(self) -> str:
        """Where the feed is now: what follows it is what happens from here on."""
        return str((await self._json("GET", "/v1/incidents?limit=1"))["feed_id"])

    async def incident(self, incident_id: str) -> Incident:
        return await self._json("GET", f"/v1/incidents/{incident_id}")

    async def events(self, incident_id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self._json("GET", f"/v1/incidents/{incident_id}/events"))[
            "items"
        ]
        return items

    async def close(self, incident_id: str) -> Incident:
        return await self._json("POST", f"/v1/incidents/{incident_id}/close", {}, key=f"close-{incident_id}")

    async def _json(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key is not None else {}
        try:
            async with self.http.request(method, path, json=body, headers=headers) as response:
                answer: dict[str, Any] = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unanswered(f"{method} {path}: {error or type(error).__name__}") from error
        if response.status >= 400:
            problem = f"{answer.get('code')}: {answer.get('title')} {answer.get('errors') or ''}"
            raise Refused(f"{method} {path}: {response.status} {problem.strip()}")
        return answer
