"""Many incidents at once, each with three medics of its own; their clients do not give up."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

import asyncpg

from dispatch.store.database import connect_pool
from tests.faults.node import NO_ANSWER, Node
from tests.faults.people import Person, a_key, a_place, a_report, some_medics
from tests.faults.phone import Phone, switched_on
from tests.faults.server import PostgresServer

MakeNode = Callable[..., Node]
Groups = list[list[Person]]
"""The medics of each incident."""

MEDICS_EACH = 3


class Wave:
    """In its context the phones are switched on, and every one is connected."""

    def __init__(
        self, node: Node, people: list[list[Person]], phones_at: Sequence[str] | None = None
    ) -> None:
        self.node = node
        self.people = people
        self.phones = [[Phone(one.token, *(phones_at or [node.url])) for one in group] for group in people]
        self.opened: dict[int, str] = {}
        """By place: the incident that was acknowledged."""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        every = [phone for group in self.phones for phone in group]
        await self._stack.enter_async_context(switched_on(*every))
        await until("every phone is connected", lambda: all(phone.connected for phone in every), self.node)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def report(self, place: int, at: Sequence[Node] = ()) -> None:
        """Insists, at one node after the other, and is told the same when it asks again."""
        await self.report_once(place, at)
        status, again = await self._post(place, at)
        assert (status, again["id"]) == (200, self.opened[place])

    async def report_once(self, place: int, at: Sequence[Node] = ()) -> None:
        status, first = await self._post(place, at)
        assert status in (200, 201), first
        self.opened[place] = first["id"]

    async def post_once(self, place: int, seconds: float = 10) -> tuple[int, Any]:
        """Status and answer, whatever they are."""
        return await self.node.call("POST", "/v1/incidents", _body(place), seconds=seconds, **_key(place))

    async def _post(self, place: int, at: Sequence[Node]) -> tuple[int, Any]:
        nodes = at or [self.node]
        for nth in count():
            node = nodes[nth % len(nodes)]
            with suppress(*NO_ANSWER):
                status, answer = await node.call(
                    "POST", "/v1/incidents", _body(place), seconds=5, **_key(place)
                )
                if status != 503:
                    break
            assert nth < 300, node.log
            await asyncio.sleep(0.1)
        return status, answer

    async def report_all(self) -> None:
        await asyncio.gather(*(self.report(place) for place in range(len(self.people))))

    async def every_phone_rang(self) -> None:
        await until(
            "every phone rings",
            lambda: all(phone.rung for group in self.phones for phone in group),
            self.node,
        )

    async def until_rung(self, place: int) -> None:
        await self.until("its phones ring", lambda: all(phone.rung for phone in self.phones[place]))

    async def until(self, what: str, true: Callable[[], object]) -> None:
        await until(what, true, self.node)

    async def check(self) -> None:
        """Every incident asked its own three, once each; the feed has every event once."""
        assert set(self.opened) == set(range(len(self.people)))
        for place, group in enumerate(self.people):
            _, incident = await self.node.insist("GET", f"/v1/incidents/{self.opened[place]}")
            asked = sorted(alert["medic_id"] for alert in incident["alerts"])
            assert asked == sorted(one.medic_id for one in group)
        for group in self.phones:
            for phone in group:
                assert len(phone.rung) == 1, "a device rings once"
        _, page = await self.node.insist("GET", "/v1/incidents?limit=100")
        assert len(page["items"]) == len(self.people), "no report made two incidents"
        positions = [position for position, _ in await self.node.feed()]
        assert positions == list(range(1, len(positions) + 1))


async def medics_for(pool: asyncpg.Pool, incidents: int) -> Groups:
    return [await some_medics(pool, MEDICS_EACH, at=a_place(place)) for place in range(incidents)]


async def node_at(postgres: PostgresServer, make_node: MakeNode, incidents: int) -> tuple[Node, Groups]:
    """A node on a server of the test's own, not started yet, and medics for so many incidents."""
    async with await connect_pool(postgres.dsn) as pool:
        key, people = await a_key(pool), await medics_for(pool, incidents)
    node = make_node(DISPATCH_DATABASE_URL=postgres.dsn)
    node.key = key
    return node, people


async def until(what: str, true: Callable[[], object], node: Node, seconds: float = 40) -> None:
    over = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < over, f"not within {seconds} s: {what}\n{node.log}"
        await asyncio.sleep(0.02)


def _body(place: int) -> dict[str, Any]:
    return a_report(f"R-{place}", position=a_place(place))


def _key(place: int) -> dict[str, str]:
    return {"Idempotency-Key": f"k-{place}"}
