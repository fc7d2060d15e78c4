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
from benchmarks.one_incident import ACCEPT, ALERTS, POLICY, OneIncident, answered, closed, delivered
from dispatch.embedded_postgres import EmbeddedPostgres
from dispatch.ids import new_id
from dispatch.nodes.membership import Membership
from dispatch.store import keys, nodes, policies
from dispatch.store.append_rows import arguments, rows_of
from dispatch.store.appender import Appender
from dispatch.store.appends import Append
from dispatch.store.database import connect_pool, upgrade

HOUR_MS = 3_600_000
WIDTHS = (1, 10)
Result = dict[str, Any]


def opened(one: OneIncident) -> Iterator[Append]:
    yield one.open()


def lived(one: OneIncident) -> Iterator[Append]:
    """Each decision by itself."""
    yield one.open()
    for n in range(1, ALERTS + 1):
        yield one.then(delivered(n))
    for n in range(ALERTS, 0, -1):
        yield one.then(answered(n, "decline" if n > ACCEPT else "accept"))
    yield one.then(closed)


KINDS: dict[str, Callable[[OneIncident], Iterator[Append]]] = {"opened": opened, "lives": lived}


def decisions(kind: str, room_id: str) -> Iterator[Append]:
    """What is to be appended of one new incident, one decision after the other."""
    medic_ids = [new_id() for _ in range(ALERTS)]
    return KINDS[kind](OneIncident(room_id, medic_ids, at=time.time_ns() // 1_000_000))


def sizes(kind: str) -> list[int]:
    """The bytes of each decision of one incident: all values that the append sends."""
    return [
        len(msgspec.json.encode(arguments([rows_of(work, append_id=1)]))) for work in decisions(kind, "room")
    ]


class Contest:
    """The three contenders, ``width`` incidents of one kind at a time; each gives the seconds it took."""

    def __init__(self, appender: Appender, insert: Any, room_id: str, kind: str, width: int) -> None:
        self._appender, self._insert, self._width = appender, insert, width
        self._room_id, self._kind = room_id, kind
        self.sizes = sizes(kind)
        self._texts = [["x" * size] * width for size in self.sizes]

    async def decided(self) -> float:
        began = time.perf_counter()
        await self._side_by_side([decisions(self._kind, self._room_id) for _ in range(self._width)])
        return time.perf_counter() - began

    async def appended(self) -> float:
        made = [list(decisions(self._kind, self._room_id)) for _ in range(self._width)]
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
    works = [work for _ in range(50) for work in decisions(kind, "room")]
    began = time.process_time()
    what(kind, works)
    return (time.process_time() - began) / 50 * 1e6


def _decide_all(kind: str, works: list[Append]) -> None:
    made = sum(len(list(decisions(kind, "room"))) for _ in range(50))
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
        show(result, Console(width=100))
    return result


if __name__ == "__main__":
    main()
