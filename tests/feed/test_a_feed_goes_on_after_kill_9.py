"""The feed across the lives of a service: killed twice while incidents flow, then stopped and started."""

import asyncio
import http.client
import json
import urllib.error
from random import Random
from typing import Any

from tests.feed.reading import Follower, following
from tests.http_client import http_client
from tests.service.serving import Serving, a_report

INCIDENTS = 60
OUT = (urllib.error.URLError, http.client.HTTPException, OSError, json.JSONDecodeError)


async def report(serving: Serving, reference: str) -> str:
    """Reports until it is acknowledged, each time with the same idempotency key; the incident's id."""
    while True:
        try:
            status, body = await serving.post(
                "/v1/incidents", a_report(reference), **{"Idempotency-Key": reference}
            )
        except OUT:
            await asyncio.sleep(0.05)
            continue
        if status in (200, 201):
            return str(body["id"])
        assert status == 503
        await asyncio.sleep(0.05)


async def audit_trails(serving: Serving, ids: list[str]) -> set[tuple[str, int]]:
    """Every event of these incidents, from their own audit trails."""
    trails: set[tuple[str, int]] = set()
    for incident_id in ids:
        _, body = await serving.get(f"/v1/incidents/{incident_id}/events")
        trails |= {(incident_id, event["seq"]) for event in body["items"]}
    return trails


async def test_followers_and_the_feed_itself_lose_nothing_over_several_lives(serving: Serving) -> None:
    await serving.people(1)
    url = f"http://127.0.0.1:{serving.port}"
    followers = [Follower(lambda: [url], serving.key, Random(i)) for i in range(4)]
    ids: list[str] = []

    async def reports(some: Any) -> None:
        for i in some:
            ids.append(await report(serving, f"R-{i}"))

    async with following(followers):
        writing = asyncio.gather(*(reports(range(k, INCIDENTS, 4)) for k in range(4)))
        for killed_after in (INCIDENTS // 4, INCIDENTS // 2):
            while len(ids) < killed_after:
                await asyncio.sleep(0.01)
            await serving.kill_9()
            await serving.start()
        await writing
        assert await serving.stop() == 0
        await serving.start()
        ids.append(await report(serving, "after all that"))
        assert len(set(ids)) == INCIDENTS + 1
        newest = await newest_of(url, serving.key)
        for follower in followers:
            await follower.until(newest)
    afresh = Follower(lambda: [url], serving.key, Random("afresh"))
    async with following([afresh]):
        await afresh.until(newest)
    assert [seen.feed_pos for seen in afresh.seen] == list(range(1, newest + 1))
    assert {seen[1:] for seen in afresh.seen} == await audit_trails(serving, ids)
    for follower in followers:
        assert follower.seen == afresh.seen


async def newest_of(url: str, key: str) -> int:
    async with http_client(headers={"Authorization": f"Bearer {key}"}, timeout=10) as client:
        return int((await client.get(f"{url}/v1/incidents")).json()["feed_id"])
