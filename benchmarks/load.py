"""A minute of whole incident lives on one node: what is lost, how memory and answers hold.

Half the lives a second that `decisions` finds (ten at a time, measured in the same run). Each is opened with
10 alerts, delivered at once, 7 decline, 3 accept, closed after 3 s. 5,000 sockets of another process, 500
positions a second. Goal: memory flat, POST p99 under 10x its idle median, nothing lost and nothing doubled,
counted at the end from the feed and from the devices. Exit 1 where something was.

The service, Postgres, the control room and the phones share this machine's processors: on two cores the load
generator takes about as much of them as the service.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import decisions
from benchmarks.load_devices import SPREAD_DEG
from benchmarks.machine import described
from benchmarks.phones import Http
from benchmarks.service import LAT, LON, free_port, process, run, until_ready, write_medics
from dispatch.embedded_postgres import EmbeddedPostgres

LIFE_S = 3.0
IDLE_PER_S, IDLE_S = 4.0, 10.0
GRACE_S = 6.0
"""Past the grace in which everybody counts as having a socket."""
CONNECTIONS_MAX = 1000
"""As many as are wanted at once, up to here: what waits is to wait in the service, not for a connection."""
RATIO_MAX = 10.0
GROWTH_MAX = 1.10
"""Flat: the last quarter's memory within a tenth of the second's."""
POLICY = """
[trauma]
wanted = 3
waves = [{ after_s = 0, alerts = 10 }]
alerts_max = 10
replace = false
reach_s = 7200
ladder = [{ channel = "websocket", after_s = 0 }]
"""


class ControlRoom:
    """Opens lives at a steady rate, whether or not earlier ones have been answered, and closes each."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._free: list[Http] = []
        self._under_way = asyncio.Semaphore(CONNECTIONS_MAX)
        self._numbers = 0
        self.acknowledged: list[str] = []
        self.refused: Counter[int] = Counter()
        self.ms: list[float] = []
        self.refused_ms: list[float] = []
        self.close_ms: list[float] = []

    async def life(self) -> None:
        self._numbers += 1
        number = self._numbers
        at = {"lat": LAT + (number * 37 % 100 - 50) / 250, "lon": LON + (number * 61 % 100 - 50) / 250}
        report = json.dumps({"reference": f"L{number}", "kind": "trauma", "position": at}).encode()
        began = time.perf_counter()
        status, answer = await self._post("/v1/incidents", report, f"Idempotency-Key: L{number}\r\n")
        ms = (time.perf_counter() - began) * 1000
        if status != 201:
            self.refused[status] += 1
            self.refused_ms.append(ms)
            return
        self.ms.append(ms)
        self.acknowledged.append(answer["id"])
        await asyncio.sleep(LIFE_S)
        for _ in range(30):
            began = time.perf_counter()
            status, _ = await self._post(f"/v1/incidents/{answer['id']}/close", b"")
            if status == 200:
                self.close_ms.append((time.perf_counter() - began) * 1000)
                return
            await asyncio.sleep(1)
        raise RuntimeError(f"not closed: {status}")

    async def lives(self, per_s: float, seconds: float) -> None:
        """Returns when the last is closed."""
        began, begun = time.monotonic(), []
        while (now := time.monotonic() - began) < seconds:
            while len(begun) < now * per_s:
                begun.append(asyncio.create_task(self.life()))
            await asyncio.sleep(0.005)
        await asyncio.gather(*begun)

    async def _post(self, path: str, body: bytes, more: str = "") -> tuple[int, Any]:
        async with self._under_way:
            if self._free:
                http = self._free.pop()
            else:
                http = await Http.open(self._port, {"Authorization": f"Bearer {self._key}"})
            try:
                return await http.post(path, body, more)
            finally:
                self._free.append(http)


class Counts:
    """What the feed tells, read from its beginning: positions without a gap, and each thing once."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.requested: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.gaps = self.events = 0

    async def read(self, port: int, key: str, until_closed: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        head = f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        writer.write(f"{head}Last-Event-ID: 0\r\n\r\n".encode())
        last = 0
        while self.closed.total() < until_closed:
            try:
                line = await asyncio.wait_for(reader.readline(), 30)
            except TimeoutError:
                break
            if line.startswith(b"id:"):
                self.gaps += int(line[3:]) != last + 1
                last = int(line[3:])
                self.events += 1
            elif line.startswith(b"data:"):
                self._count(json.loads(line[5:]))
        writer.close()

    def _count(self, event: dict[str, Any]) -> None:
        incident_id, n = event["incident_id"], event["data"].get("n")
        match event["type"]:
            case "IncidentOpened":
                self.opened[incident_id] += 1
            case "IncidentClosed":
                self.closed[incident_id] += 1
            case "AlertRequested":
                self.requested[f"{incident_id}-{n}"] += 1
            case "AlertAnswered":
                self.answered[f"{incident_id}-{n}"] += 1


def compared(room: ControlRoom, feed: Counts, devices: dict[str, Any]) -> dict[str, int]:
    """How many of each were lost, or came twice; all are to be 0."""
    alerts: dict[str, int] = devices["alerts"]
    return {
        "incidents acknowledged, not in the feed": sum(not feed.opened[one] for one in room.acknowledged),
        "incidents in the feed twice": sum(times > 1 for times in feed.opened.values()),
        "incidents never closed": sum(not feed.closed[one] for one in room.acknowledged),
        "gaps in the feed": feed.gaps,
        "alerts requested twice in the feed": sum(times > 1 for times in feed.requested.values()),
        "alerts requested, on no device": sum(known not in alerts for known in feed.requested),
        "alerts on a device, not requested": sum(not feed.requested[known] for known in alerts),
        "alerts told answered, not in the feed": sum(not feed.answered[one] for one in devices["answered"]),
        "sockets dropped": devices["dropped"],
    }


def rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def watched(pid: int, every_s: float, seen: list[float]) -> None:
    while True:
        seen.append(rss_mib(pid))
        await asyncio.sleep(every_s)


class Phones:
    """The process that plays the phones."""

    def __init__(self, port: int, positions_per_s: float, tokens: list[str], *, rude: bool) -> None:
        url = f"ws://127.0.0.1:{port}/v1/me/socket"
        how = ("rude",) if rude else ()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load_devices", url, str(positions_per_s), *how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tokens = tokens

    async def connected(self) -> None:
        """Returns when all are."""
        if (await asyncio.to_thread(self._ask, "\n".join(self._tokens) + "\n\n")).strip() != "ready":
            raise RuntimeError("the phones did not connect")

    async def report(self) -> dict[str, Any]:
        """What they got."""
        report: dict[str, Any] = json.loads(await asyncio.to_thread(self._ask, "\n"))
        return report

    def end(self) -> None:
        self._child.kill()
        self._child.wait()

    def _ask(self, text: str) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(text)
        self._child.stdin.flush()
        return self._child.stdout.readline()


async def measured(
    per_s: float, seconds: float, sockets: int, positions_per_s: float, *, rude: bool = False
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="load") as folder:
        here = Path(folder)
        async with EmbeddedPostgres(here / "postgres") as postgres:
            policy, people = here / "policy.toml", here / "medics.csv"
            policy.write_text(POLICY)
            write_medics(people, sockets, spread_deg=SPREAD_DEG)
            env = {
                "DISPATCH_DATABASE_URL": postgres.dsn,
                "DISPATCH_POLICY_FILE": str(policy),
                "DISPATCH_KEY_REQUESTS_PER_S": "100000",
            }
            run("db", "upgrade", env=env)
            scopes = "incidents:write,incidents:read"
            key = run("keys", "create", "--control-room", "Load", "--scopes", scopes, env=env).strip()
            ids = run("medics", "import", str(people), "--available", env=env)
            tokens = [
                line.split()[1] for line in run("medics", "token", "-", env=env, stdin=ids).splitlines()
            ]
            port = free_port()
            with process("dispatch", "serve", "--port", str(port), env=env) as service:
                await until_ready(port, service)
                phones = Phones(port, positions_per_s, tokens, rude=rude)
                try:
                    await phones.connected()
                    return await loaded(port, key, service.pid, phones, per_s, seconds)
                finally:
                    phones.end()


async def loaded(
    port: int, key: str, pid: int, phones: Phones, per_s: float, seconds: float
) -> dict[str, Any]:
    """A few lives a second first, as idle; then the load; then what came of all of them."""
    room, rss_all = ControlRoom(port, key), list[float]()
    await asyncio.sleep(GRACE_S)
    await room.lives(IDLE_PER_S, IDLE_S)
    idle, room.ms, room.refused_ms, room.close_ms = room.ms, [], [], []
    watching = asyncio.create_task(watched(pid, seconds / 12, rss_all))
    began = time.monotonic()
    await room.lives(per_s, seconds)
    watching.cancel()
    feed = Counts()
    await feed.read(port, key, len(room.acknowledged))
    report = await phones.report()
    return {
        "lives_per_s": per_s,
        "lives": len(room.acknowledged),
        "refused": dict(room.refused),
        "events": feed.events,
        "alerts": feed.requested.total(),
        "answered": feed.answered.total(),
        "idle_ms": _median_and_p99(idle),
        "loaded_ms": _median_and_p99(room.ms),
        "refused_ms": _median_and_p99(room.refused_ms),
        "close_ms": _median_and_p99(room.close_ms),
        "took_s": round(time.monotonic() - began),
        "rss_mib": [round(mib) for mib in rss_all],
        "lost_or_doubled": compared(room, feed, report),
        "positions_sent": report["positions"],
        "refused_to_phones": report["refused"],
        "sent_again": len(report["doubled"]),
    }


def _median_and_p99(ms: list[float]) -> tuple[float, float]:
    if len(ms) < 2:
        return 0.0, 0.0
    return round(statistics.median(ms), 2), round(statistics.quantiles(ms, n=100)[98], 2)


async def rate(seconds: float) -> float:
    """Half the lives a second that the decisions' benchmark finds, ten at a time."""
    found = await decisions.measured(seconds)
    lives = next(row for row in found["rows"] if (row["kind"], row["at_a_time"]) == ("lives", 10))
    return float(lives["decided_per_s"]) / 2


def show(result: dict[str, Any]) -> None:
    """What was measured, and what it proves."""
    (idle, _), (median, p99) = result["idle_ms"], result["loaded_ms"]
    rss = result["rss_mib"]
    growth = rss[-1] / rss[len(rss) // 4]
    print(
        f"Load: {result['lives_per_s']:.0f} lives a second; {described()}; the load's own processes included"
    )
    print(f"  lives {result['lives']:,}, refused {result['refused'] or 'none'}, events {result['events']:,}")
    print(f"  alerts {result['alerts']:,}, answered {result['answered']:,}")
    print(f"  positions told {result['positions_sent']:,}")
    print(f"  POST: idle median {idle} ms; loaded median {median} ms, p99 {p99} ms")
    (refused, refused_p99), (close, close_p99) = result["refused_ms"], result["close_ms"]
    print(f"  POST that was refused: median {refused} ms, p99 {refused_p99} ms")
    print(f"  close: median {close} ms, p99 {close_p99} ms; the last closed after {result['took_s']} s")
    print(f"  p99 / idle median  {p99 / idle:6.1f}   goal under {RATIO_MAX:.0f}")
    print(f"  memory, MiB        {' '.join(map(str, rss))}")
    print(f"  last / a quarter in{growth:6.2f}   goal at most {GROWTH_MAX}")
    print(f"  refused to phones  {result['refused_to_phones'] or 'none'}")
    print(f"  sent again         {result['sent_again']} messages with the same id, which a device shows once")
    for what, count in result["lost_or_doubled"].items():
        print(f"  {what:38} {count}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 s, 500 sockets, 10 lives a second")
    parser.add_argument("--rate", type=float, help="lives a second, instead of half of what was found")
    parser.add_argument("--rude", action="store_true", help="phones that are refused say it again at once")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    seconds, sockets, positions_per_s = (10.0, 500, 50.0) if options.quick else (60.0, 5_000, 500.0)
    per_s = options.rate or (10.0 if options.quick else uvloop.run(rate(3.0)))
    result = uvloop.run(measured(per_s, seconds, sockets, positions_per_s, rude=options.rude))
    if options.json:
        print(json.dumps(result))
    else:
        show(result)
    return 1 if any(result["lost_or_doubled"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
