"""What comes before a body, by whoever can connect: bounded in bytes and time, refused as a problem."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from dispatch.api import request_heads
from tests.api.world import World

BEGUN = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"


async def answered(world: World, *pieces: bytes, wait_s: float = 5.0) -> bytes:
    """All that is answered to these pieces until the service closes; nothing else of ours is sent."""
    parts = urlsplit(world.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        return await asyncio.wait_for(reader.read(), wait_s)
    finally:
        writer.close()


def problem_in(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "endless",
    [b"X-Long: " + b"a" * 200_000, b"X-Many: 1\r\n" * 20_000],
    ids=["one header", "many headers"],
)
async def test_a_head_without_end_is_431(world: World, endless: bytes) -> None:
    status, problem = problem_in(await answered(world, BEGUN + endless))
    assert (status, problem["code"]) == (431, "head_too_large")


async def test_a_head_that_comes_in_one_piece_may_not_be_larger(world: World) -> None:
    whole = BEGUN + b"X-Long: " + b"a" * 33_000 + b"\r\n\r\n"
    status, problem = problem_in(await answered(world, whole))
    assert (status, problem["code"]) == (431, "head_too_large")


async def test_an_address_without_end_is_431(world: World) -> None:
    status, problem = problem_in(await answered(world, b"GET /" + b"a" * 300_000))
    assert (status, problem["code"]) == (431, "head_too_large")


async def test_what_follows_a_body_without_end_is_let_go(world: World) -> None:
    """Trailers (RFC 9112, 7.1.2) are headers too."""
    begun = (
        b"POST /v1/enrolments HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    )
    assert await answered(world, begun, b"X-Trailer: " + b"a" * 300_000) == b""


async def test_a_head_that_does_not_come_in_time_is_malformed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_heads, "HEAD_S_MAX", 0.2)
    status, problem = problem_in(await answered(world, BEGUN + b"X-Sl"))
    assert (status, problem["code"]) == (400, "malformed")


async def test_who_connects_and_says_nothing_is_let_go(world: World) -> None:
    world.server.config.timeout_keep_alive = 1
    assert await answered(world) == b""


async def test_what_is_no_http_is_malformed(world: World) -> None:
    status, problem = problem_in(await answered(world, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
    assert (status, problem["code"]) == (400, "malformed")


async def test_a_large_head_and_many_requests_on_one_connection_are_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_heads, "HEAD_S_MAX", 0.2)
    client = await world.client()
    for _ in range(5):  # together more than one may have
        assert (await client.get("/healthz", headers={"X-Long": "a" * 16_000})).status_code == 200
    await asyncio.sleep(0.4)
    answer = await client.post("/v1/incidents", content=b" " * 50_000)
    assert answer.status_code == 401


UPGRADE = (
    b"POST /v1/enrolments HTTP/1.1\r\nHost: here\r\nConnection: %b\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Type: application/json\r\n"
)
BODY = b'{"phone": "+31612345678"}'
WITH_LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY), BODY
IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize("rest", [WITH_LENGTH, IN_CHUNKS], ids=["a length", "chunks"])
@pytest.mark.parametrize("at_once", [True, False], ids=["in one piece", "in pieces"])
async def test_who_asks_for_another_protocol_is_answered_in_this_one(
    world: World, rest: tuple[bytes, bytes], at_once: bool
) -> None:
    """As Java's HttpClient does with every request without TLS (RFC 9110, 7.8)."""
    twice = (
        UPGRADE % b"Upgrade, HTTP2-Settings",
        *rest,
        UPGRADE % b"Upgrade, HTTP2-Settings, close",
        *rest,
    )
    pieces = [b"".join(twice)] if at_once else [twice[0], *twice[1:]]
    answer = await answered(world, *pieces)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 202 ") == 2


async def test_an_upgrade_without_a_body_is_answered_too(world: World) -> None:
    asked = BEGUN + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"
    assert (await answered(world, asked)).startswith(b"HTTP/1.1 200 ")


async def test_a_body_after_an_upgrade_is_bounded_too(world: World) -> None:
    head = UPGRADE % b"Upgrade, close" + b"Content-Length: 100000\r\n\r\n"
    assert (await answered(world, head)).startswith(b"HTTP/1.1 413 ")


async def test_a_thousand_such_requests_in_one_piece_are_answered(world: World) -> None:
    """Each by itself: some as too many, where that many at once hold the service up."""
    none = b"Content-Length: 0\r\n\r\n"
    asked = (UPGRADE % b"Upgrade" + none) * 1000 + UPGRADE % b"Upgrade, close" + none
    answer = await answered(world, asked, wait_s=60)
    assert (
        answer.count(b"HTTP/1.1 400 ") + answer.count(b"HTTP/1.1 503 ") == answer.count(b"HTTP/1.1 ") == 1001
    )
    assert answer.count(b"HTTP/1.1 400 ") > 0
