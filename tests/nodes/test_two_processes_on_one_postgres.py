"""Two `dispatch serve` on one Postgres: one serves what the other decided, and survives it."""

import asyncio
import time
import urllib.request
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import asyncpg

from simulations.twilio_double import TwilioDouble
from tests.dispatcher.town import soon
from tests.faults.conftest import MakeNode, make_node, twilio
from tests.faults.node import NO_ANSWER, Node
from tests.faults.people import Person, a_place, a_report, some_medics
from tests.faults.phone import Phone, switched_on
from tests.http_client import http_client

__all__ = ["make_node", "twilio"]

WITHIN_S = 1.0
TAKEN_OVER_S = 5.0
INCIDENTS = 24


async def two(make_node: MakeNode) -> tuple[Node, Node]:
    a, b = make_node("a"), make_node("b")
    await asyncio.gather(a.start(), b.start())
    for node in (a, b):
        await until(lambda node=node: hears(node))
    return a, b


async def hears(node: Node) -> bool:
    """It knows of the other, and hears its hints."""
    checks = {check["name"]: check for check in (await node.call("GET", "/readyz"))[1]["checks"]}
    return bool(checks["bus"]["ok"] and "listening" in checks["bus"]["detail"])


async def until(true: Callable[[], Any], *, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not await true():
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.01)


def rung(phone: Phone) -> Callable[[], Any]:
    async def has() -> bool:
        return bool(phone.rung)

    return has


async def connected_at(node: Node, how_many: int) -> None:
    """So many medics are known here to have a socket, on whichever node."""

    def figures() -> bytes:
        with urllib.request.urlopen(f"{node.url}/metrics", timeout=10) as answer:
            return bytes(answer.read())

    async def is_so() -> bool:
        return f"\ndispatch_medics_connected {how_many}.0".encode() in await asyncio.to_thread(figures)

    await until(is_so)


async def test_a_phone_at_b_gets_what_a_decided_and_its_answer_counts_at_a(
    make_node: MakeNode, pool: asyncpg.Pool
) -> None:
    (person,) = await some_medics(pool, 1)
    a, b = await two(make_node)
    phone = Phone(person.token, b.url)
    async with switched_on(phone):
        await connected_at(a, 1)
        began = time.monotonic()
        _, incident = await a.call("POST", "/v1/incidents", a_report("R-1"), **{"Idempotency-Key": "k"})
        await until(rung(phone), within_s=WITHIN_S)
        assert time.monotonic() - began < WITHIN_S
        (alert_id,) = phone.rung
        await phone.say("accept", alert_id)

        async def accepted() -> bool:
            _, seen = await a.call("GET", f"/v1/incidents/{incident['id']}")
            return bool(seen["alerts"][0]["state"] == "accepted")

        await until(accepted, within_s=2 * WITHIN_S)
        status, again = await b.call("POST", "/v1/incidents", a_report("R-1"), **{"Idempotency-Key": "k"})
        assert (status, again["id"]) == (200, incident["id"])


async def test_a_follower_of_the_feed_at_b_is_shown_within_a_second_what_a_decided(
    make_node: MakeNode, pool: asyncpg.Pool
) -> None:
    a, b = await two(make_node)
    shown: list[tuple[int, str]] = []
    connected = asyncio.Event()

    async def follow() -> None:
        """Over Server-Sent Events; from the beginning, on one connection."""
        async with (
            http_client(headers={"Authorization": f"Bearer {b.key}"}, timeout=30) as client,
            client.stream("GET", f"{b.url}/v1/events", headers={"Last-Event-ID": "0"}) as answer,
            aclosing(answer.aiter_lines()) as lines,
        ):
            assert answer.status_code == 200
            connected.set()
            async for line in lines:
                if line.startswith("id:"):
                    position = int(line[3:])
                elif line.startswith("event:"):
                    shown.append((position, line[6:].strip()))

    following = asyncio.create_task(follow())
    try:
        await asyncio.wait_for(connected.wait(), 20)
        for i in range(5):
            status, incident = await a.call(
                "POST", "/v1/incidents", a_report(f"R-{i}"), **{"Idempotency-Key": f"k-{i}"}
            )
            assert status == 201

            async def all_shown(until: int = int(incident["feed_id"])) -> bool:
                return bool(shown) and shown[-1][0] >= until

            await soon(all_shown, within_s=WITHIN_S)
        assert [type_ for _, type_ in shown].count("IncidentOpened") == 5
        assert [position for position, _ in shown] == list(range(1, len(shown) + 1))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_killing_one_while_incidents_flow_loses_none(
    make_node: MakeNode, pool: asyncpg.Pool, twilio: TwilioDouble
) -> None:
    """Each is reported until it is acknowledged, to whichever node answers; each rings its medic."""
    people: list[Person] = []
    for i in range(INCIDENTS):
        people += await some_medics(pool, 1, a_place(i))
    a, b = await two(make_node)
    phones = [Phone(person.token, b.url) for person in people]
    ids: dict[str, int] = {}

    async def report(i: int) -> None:
        nodes = [(a, b)[i % 2], (b, a)[i % 2]]
        body, key = a_report(f"R-{i}", position=a_place(i)), {"Idempotency-Key": f"key-{i}"}
        while True:
            for node in nodes:
                try:
                    status, answer = await node.call("POST", "/v1/incidents", body, seconds=5, **key)
                except NO_ANSWER:
                    continue
                if status in (200, 201):
                    ids[answer["id"]] = i
                    return
            await asyncio.sleep(0.05)

    async with switched_on(*phones):
        await connected_at(a, len(phones))
        for i in range(INCIDENTS):
            if i == INCIDENTS // 2:
                await a.kill_9()
            await report(i)
        for phone in phones:
            await until(rung(phone))
        assert len(ids) == INCIDENTS
        assert all(len(phone.rung) == 1 for phone in phones)
        for incident_id in ids:
            status, incident = await b.call("GET", f"/v1/incidents/{incident_id}")
            assert (status, len(incident["alerts"])) == (200, 1)
        positions = [position for position, _ in await b.feed()]
        assert positions == list(range(1, len(positions) + 1))


async def test_a_killed_nodes_timers_and_texts_are_taken_over_within_five_seconds(
    make_node: MakeNode, pool: asyncpg.Pool, twilio: TwilioDouble
) -> None:
    """The second rung, an SMS, is due a second after the report to a; a is dead by then."""
    (person,) = await some_medics(pool, 1)
    a, b = await two(make_node)
    phone = Phone(person.token, a.url)
    async with switched_on(phone):
        await connected_at(b, 1)
        status, _ = await a.call("POST", "/v1/incidents", a_report("R-1"), **{"Idempotency-Key": "k"})
        assert status == 201
        await a.kill_9()
        killed = time.monotonic()

        async def texted() -> bool:
            return bool(twilio.phone(person.phone).inbox)

        await until(texted, within_s=TAKEN_OVER_S + 1)
        assert time.monotonic() - killed < TAKEN_OVER_S + 1, "the rung's own second beside"
