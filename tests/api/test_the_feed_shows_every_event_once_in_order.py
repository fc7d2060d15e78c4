"""The feed over Server-Sent Events: from the beginning, from now on, resumed, kept open, and let go."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from dispatch.api import feed as feed_module
from dispatch.auth import secret_hash
from tests.api.world import World, a_report


class Reader:
    """A follower; ``next`` gives (id, event)."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, dict[str, Any]]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif not line and "data" in fields:
                    event = json.loads(fields["data"])
                    assert event["type"] == fields["event"]
                    return fields["id"], event
                elif not line:
                    fields = {}
        raise EOFError

    async def comment(self) -> None:
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line.startswith(":"):
                    return

    async def to_the_end(self) -> None:
        async with asyncio.timeout(5):
            async for _ in self._lines:
                pass


@asynccontextmanager
async def follow(room: httpx.AsyncClient, last_id: str | None = None) -> AsyncIterator[Reader]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with room.stream("GET", "/v1/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        async with aclosing(answer.aiter_lines()) as lines:
            reader = Reader(lines)
            await reader.comment()
            yield reader


async def report(room: httpx.AsyncClient, reference: str) -> dict[str, Any]:
    incident: dict[str, Any] = (await room.post("/v1/incidents", json=a_report(reference))).json()
    return incident


async def test_from_0_it_shows_everything_once_without_gaps_over_many_pages(
    world: World, room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "PAGE", 3)
    await world.medic_on_socket()
    for n in range(3):
        incident = await report(room, f"R-{n}")
        await room.post(f"/v1/incidents/{incident['id']}/close")
    newest = int((await room.get("/v1/incidents")).json()["feed_id"])
    async with follow(room, "0") as reader:
        got = [await reader.next() for _ in range(newest)]
    assert [position for position, _ in got] == [str(n) for n in range(1, newest + 1)]
    seqs: dict[str, list[int]] = {}
    for _, event in got:
        seqs.setdefault(event["incident_id"], []).append(event["seq"])
    assert all(seq == list(range(1, len(seq) + 1)) for seq in seqs.values())
    assert len(seqs) == 3


async def test_it_resumes_right_after_the_last_id(room: httpx.AsyncClient) -> None:
    await report(room, "R-1")
    newest = int((await report(room, "R-2"))["feed_id"])
    async with follow(room, str(newest - 1)) as reader:
        assert (await reader.next())[0] == str(newest)


async def test_without_a_last_id_it_shows_what_happens_from_now_on(room: httpx.AsyncClient) -> None:
    await report(room, "old")
    async with follow(room) as reader:
        new = await report(room, "new")
        _, event = await reader.next()
    assert (event["incident_id"], event["seq"]) == (new["id"], 1)


async def test_read_then_follow_has_no_gap(room: httpx.AsyncClient) -> None:
    incident = await report(room, "R-1")
    await room.post(f"/v1/incidents/{incident['id']}/enough")
    async with follow(room, incident["feed_id"]) as reader:
        assert (await reader.next())[1]["type"] == "EnoughSaid"


async def test_what_follows_soon_comes_together(
    world: World, room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first at once; a look for each commit would take a busy node more than what it shows."""
    monkeypatch.setattr(feed_module, "GATHER_S", 0.5)
    looks: list[int] = []
    read = feed_module.feed.read

    async def counted(*args: Any, **about: Any) -> Any:
        found = await read(*args, **about)
        looks.append(len(found))
        return found

    monkeypatch.setattr(feed_module.feed, "read", counted)
    async with follow(room) as reader:
        await report(room, "first")
        assert (await reader.next())[1]["seq"] == 1
        began = time.monotonic()
        others = {(await report(room, f"R-{n}"))["id"] for n in range(5)}
        while others:
            others.discard((await reader.next())[1]["incident_id"])
    assert time.monotonic() - began > 0.3
    assert sum(found > 0 for found in looks) == 2


async def test_every_follower_gets_it_as_it_happens(room: httpx.AsyncClient) -> None:
    async with follow(room) as one, follow(room) as other:
        await report(room, "R-1")
        assert (await one.next())[1] == (await other.next())[1]


async def test_a_control_rooms_feed_holds_its_own_events_only(world: World, room: httpx.AsyncClient) -> None:
    async with follow(room) as reader:
        await report(await world.room("Amsterdam"), "theirs")
        ours = await report(room, "ours")
        position, event = await reader.next()
    assert (position, event["incident_id"]) == ("1", ours["id"])


async def test_an_event_says_who_what_and_when_and_about_nobody(
    world: World, room: httpx.AsyncClient
) -> None:
    device = await world.medic_on_socket(name="Anna de Vries")
    incident = await report(room, "R-1")
    await device.answer("accept", (await device.alert())["alert_id"])
    events = (await room.get(f"/v1/incidents/{incident['id']}/events")).json()["items"]
    for event in events:
        assert set(event) == {"id", "incident_id", "seq", "type", "at", "by", "data"}
        assert event["at"].endswith("Z")
        assert event["by"]["kind"] in ("control_room", "medic", "provider", "timer")
    whole = json.dumps(events)
    for personal in (device.medic_id, "Anna", "Domplein", "52.09", "+316"):
        assert personal not in whole
    accepted = next(event for event in events if event["type"] == "AlertAnswered")
    assert accepted["data"] == {
        "n": 1,
        "answer": "accept",
        "channel": "websocket",
        "eta_s": accepted["data"]["eta_s"],
    }


async def test_a_position_that_is_none_is_refused(room: httpx.AsyncClient) -> None:
    for last_id in ("x", "-1", "1.5", "1", "9" * 30):
        answer = await room.get("/v1/events", headers={"Last-Event-ID": last_id})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), last_id


async def test_a_quiet_feed_is_kept_open_by_comments(
    room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "COMMENT_S", 0.01)
    async with follow(room) as reader:
        for _ in range(3):
            await reader.comment()


async def test_a_reader_who_takes_nothing_is_dropped(
    world: World, room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "WRITE_S_MAX", 0.05)
    monkeypatch.setattr(feed_module, "COMMENT_S", 0.01)
    monkeypatch.setattr(feed_module, "_piece", lambda _: b": " + b"x" * 20_000_000 + b"\n")
    await report(room, "R-1")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(world.url.rsplit(":", 1)[1]))
    key = room.headers["Authorization"]
    writer.write(
        f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\nLast-Event-ID: 0\r\n\r\n".encode()
    )
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    await no_follower(room)
    writer.transport.abort()


async def no_follower(room: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        while "dispatch_feed_followers 0.0" not in (await room.get("/metrics")).text:
            await asyncio.sleep(0.01)


async def test_a_follower_is_let_go_when_the_service_stops(world: World, room: httpx.AsyncClient) -> None:
    async with follow(room) as reader:
        world.server.stop()
        await reader.to_the_end()


async def test_a_follower_whose_key_is_revoked_is_shown_nothing_more(
    world: World, room: httpx.AsyncClient
) -> None:
    leaked = await world.room()
    async with follow(leaked, "0") as reader:
        await report(room, "R-1")
        await reader.next()
        revoked = secret_hash(leaked.headers["Authorization"].removeprefix("Bearer "))
        await world.pool.execute("update api_key set revoked_at = 1 where secret_hash = $1", revoked)
        async with asyncio.timeout(5):
            while (await leaked.get("/v1/incidents")).status_code != 401:
                await asyncio.sleep(0.05)
        second = await report(room, "R-2")
        with suppress(EOFError):
            while True:
                assert (await reader.next())[1]["incident_id"] != second["id"]
    await no_follower(room)


async def test_a_follower_who_leaves_is_forgotten(room: httpx.AsyncClient) -> None:
    async with follow(room):
        assert "dispatch_feed_followers 1.0" in (await room.get("/metrics")).text
    await no_follower(room)


async def test_who_follow_all_at_once_are_no_more_than_there_is_room_for(
    room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart, when they all come back."""
    monkeypatch.setattr(feed_module, "FOLLOWERS_MAX", 2)
    unknown = {"Last-Event-ID": "1"}
    assert (await room.get("/v1/events", headers=unknown)).status_code == 422, "which takes no room"
    asked = [room.send(room.build_request("GET", "/v1/events"), stream=True) for _ in range(6)]
    answers = await asyncio.gather(*asked)
    for answer in answers:
        await answer.aclose()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503, 503]
    await no_follower(room)
