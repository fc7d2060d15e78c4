"""Decisions committed per second on one node, beside the same Postgres's own rate for as many bytes.

Two kinds: an incident opened with 10 alerts (one decision), and a whole life (22 of them): opened, 10
delivered, 7 decline, 3 accept, closed. Each decision is decided by the core, appended durably and awaited, by
itself and with ten incidents side by side; and the same decisions appended alone, made beforehand. The rival
is one prepared insert of one row (ten rows) of the same size into a table without index or rule, as durably,
on the same server. All three in turn, a tenth of a second each. Goal: at least half the rival's rate.

Not in here: the roster's search, and the messages that follow a commit.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.machine import described
from dispatch.core import commands as c
from dispatch.core.decide import Decision, decide
from dispatch.core.policy import shipped
from dispatch.embedded_postgres import EmbeddedPostgres
from dispatch.ids import new_id, new_incident_id
from dispatch.nodes import Membership
from dispatch.records import Asked, Details, Position
from dispatch.store import keys, nodes, policies
from dispatch.store.append_rows import arguments, rows_of
from dispatch.store.appender import Appender
from dispatch.store.appends import Append, Stream
from dispatch.store.database import connect_pool, upgrade

ALERTS = 10
ACCEPT = 3
HOUR_MS = 3_600_000
POLICY = shipped()["cardiac_arrest"]
DETAILS = Details(
    Position(53.35, -6.26, 12.0), "12 Main Street, Dublin 1", "blue door", "man of 54, collapsed"
)
WIDTHS = (1, 10)
Result = dict[str, Any]


class Case:
    """An incident of the benchmark. ``decisions`` gives what is to be appended, one after the other."""

    def __init__(self, room_id: str) -> None:
        self.at = time.time_ns() // 1_000_000
        self.id = new_incident_id(self.at)
        self._room_id = room_id

    def opening(self) -> Iterator[Append]:
        candidates = tuple(
            c.Candidate(new_id(), 300 + 40 * n, 120 + 10 * n, ("websocket", "sms")) for n in range(ALERTS)
        )
        command = c.Open(
            at=self.at,
            by="control_room",
            key="key",
            policy=POLICY,
            candidates=candidates,
            reference=self.id,
            kind="cardiac_arrest",
            priority=POLICY.priority,
            setting="public",
            drill=False,
            hazard="none",
            called_at=self.at,
            ambulance_due_at=None,
            position_good=True,
        )
        self.decided = decide(None, command)
        asked = tuple(Asked(n, who.medic_id, who.distance_m, n % 4) for n, who in self.decided.asked)
        yield self._append(self.decided, asked, msgspec.json.encode(candidates))

    def life(self) -> Iterator[Append]:
        yield from self.opening()
        for n in range(1, ALERTS + 1):
            yield self._next(c.Settle, n=n, k=1, result="delivered", by="medic")
        for n in range(ALERTS, 0, -1):
            answer = "decline" if n > ACCEPT else "accept"
            yield self._next(c.GiveAnswer, n=n, answer=answer, channel="websocket", by="medic", candidates=())
        yield self._next(c.Close, by="control_room", key="key")

    def _next(self, kind: Callable[..., c.Command], **fields: Any) -> Append:
        self.at += 500
        before, command = self.decided, kind(at=self.at, policy=POLICY, **fields)
        self.decided = decide(before.state, command, quiet_until=before.quiet_until)
        return self._append(self.decided)

    def _append(
        self, decided: Decision, asked: tuple[Asked, ...] = (), inputs: bytes | None = None
    ) -> Append:
        stream = Stream(
            self.id,
            self._room_id,
            decided.events,
            decided.state,
            decided.due_at,
            asked,
            DETAILS if asked else None,
            inputs,
        )
        return Append((stream,))


KINDS: dict[str, Callable[[Case], Iterator[Append]]] = {
    "opened": Case.opening,
    "lives": Case.life,
}


def sizes(kind: str) -> list[int]:
    """The bytes of each decision of one incident: all values that the append sends."""
    return [
        len(msgspec.json.encode(arguments([rows_of(work, append_id=1)])))
        for work in KINDS[kind](Case("room"))
    ]


class Contest:
    """The three contenders, ``width`` incidents of one kind at a time; each gives the seconds it took."""

    def __init__(self, appender: Appender, insert: Any, room_id: str, kind: str, width: int) -> None:
        self._appender, self._insert, self._width = appender, insert, width
        self._room_id, self._decisions_of = room_id, KINDS[kind]
        self.sizes = sizes(kind)
        self._texts = [["x" * size] * width for size in self.sizes]

    async def decided(self) -> float:
        began = time.perf_counter()
        await self._side_by_side([self._decisions_of(Case(self._room_id)) for _ in range(self._width)])
        return time.perf_counter() - began

    async def appended(self) -> float:
        made = [list(self._decisions_of(Case(self._room_id))) for _ in range(self._width)]
        began = time.perf_counter()
        await self._side_by_side(made)
        return time.perf_counter() - began

    async def inserted(self) -> float:
        began = time.perf_counter()
        for texts in self._texts:
            await self._insert.fetch(texts)
        return time.perf_counter() - began

    async def _side_by_side(self, incidents: Iterable[Iterable[Append]]) -> None:
        async def one(works: Iterable[Append]) -> None:
            for work in works:
                await self._appender.append(work)

        await asyncio.gather(*map(one, incidents))

    async def rate(self, contender: Callable[[], Awaitable[float]]) -> float:
        """Incidents per second, over a tenth of one."""
        took, done = 0.0, 0
        while took < 0.1:
            took += await contender()
            done += self._width
        return done / took


async def compared(
    pool: asyncpg.Pool, appender: Appender, room_id: str, kind: str, width: int, seconds: float
) -> Result:
    async with pool.acquire() as connection:
        insert = await connection.prepare("insert into rival select * from unnest($1::text[])")
        contest = Contest(appender, insert, room_id, kind, width)
        rates: dict[str, list[float]] = {"inserted": [], "appended": [], "decided": []}
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            for name, measures in rates.items():
                measures.append(await contest.rate(getattr(contest, name)))
    return {
        "kind": kind,
        "at_a_time": width,
        "commits": len(contest.sizes),
        "bytes": sum(contest.sizes),
        **{f"{name}_per_s": round(statistics.median(measures)) for name, measures in rates.items()},
        "appended_ratio": _ratio(rates["appended"], rates["inserted"]),
        "decided_ratio": _ratio(rates["decided"], rates["inserted"]),
        "decide_us": round(_cost_us(kind, _decide_all)),
        "rows_us": round(_cost_us(kind, _rows_of_all)),
    }


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of what the turns gave: what slows the machine for a while slows both."""
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 2)


def _cost_us(kind: str, what: Callable[[str, list[Append]], None]) -> float:
    """Processor time of a stage for one incident of this kind, of 50."""
    works = [work for _ in range(50) for work in KINDS[kind](Case("room"))]
    began = time.process_time()
    what(kind, works)
    return (time.process_time() - began) / 50 * 1e6


def _decide_all(kind: str, works: list[Append]) -> None:
    made = sum(len(list(KINDS[kind](Case("room")))) for _ in range(50))
    assert made == len(works)


def _rows_of_all(_: str, works: list[Append]) -> None:
    for work in works:
        rows_of(work, append_id=1)


async def measured(seconds: float) -> Result:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with EmbeddedPostgres(Path(folder) / "data") as server:
            await upgrade(server.dsn)
            return await _measured_on(server.dsn, seconds)


async def _measured_on(dsn: str, seconds: float) -> Result:
    pool = await connect_pool(dsn)
    membership = Membership(pool, "benchmark")
    appender = Appender(pool, membership)
    try:
        await nodes.join(pool, membership.id, membership.name, HOUR_MS)
        await policies.keep(pool, [POLICY])
        room_id = await keys.ensure_control_room(pool, "benchmark")
        await pool.execute("create table rival (bytes text) with (toast_tuple_target = 8160)")
        await appender.start()
        cases = [(kind, width) for kind in KINDS for width in WIDTHS]
        rows = [await compared(pool, appender, room_id, kind, width, seconds) for kind, width in cases]
    finally:
        await appender.close()
        await pool.close()
    return {"machine": described(), "rows": rows}


def show(result: Result, console: Console) -> None:
    table = Table(
        "", "at a time", "commits", "bytes", "insert/s", "append/s", "decide+append/s", "us: decide", "rows"
    )
    table.title = "Incidents per second (and times the insert's rate)"
    for row in result["rows"]:
        cells = [str(row[name]) for name in ("at_a_time", "commits", "bytes", "inserted_per_s")]
        rates = [f"{row[f'{name}_per_s']} ({row[f'{name}_ratio']:.2f})" for name in ("appended", "decided")]
        table.add_row(row["kind"], *cells, *rates, str(row["decide_us"]), str(row["rows_us"]))
    console.print(table)
    console.print(result["machine"])


def main(argv: Sequence[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(prog="decisions", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two seconds for each comparison instead of ten")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(argv)
    result = uvloop.run(measured(2.0 if options.quick else 10.0))
    if options.json:
        json.dump(result, sys.stdout, indent=1)
    else:
        show(result, Console())
    return result


if __name__ == "__main__":
    main()
