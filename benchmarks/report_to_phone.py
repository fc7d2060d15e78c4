"""Report to phone: POST sent until the last of 20 medics' sockets has received, the commit durable.

1,000 sockets are connected and 100,000 medics in the roster. Two rivals run beside it, in turn, with the
same client: the limit (`rival_limit`) and a skeleton without any rule (`rival_skeleton`). Goal: median at
most 1.3x the skeleton's and 2x the limit's, p99 at most 2x the skeleton's p99.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.machine import described
from benchmarks.phones import PHONES, Http, Phones
from benchmarks.service import LAT, LON, free_port, ports, process, run, until_ready, write_medics
from dispatch.embedded_postgres import EmbeddedPostgres

SPREAD_DEG = 0.25
POLICY = """
[trauma]
wanted = 20
waves = [{ after_s = 0, alerts = 20 }]
alerts_max = 20
reach_s = 7200
ladder = [{ channel = "websocket", after_s = 0 }]
"""
PAUSE_S = 0.03


class Rival:
    """One contender: its connection, its phones, and what it is sent."""

    def __init__(self, name: str, http: Http, phones: Phones) -> None:
        self.name, self.http, self.phones = name, http, phones
        self.ms: list[float] = []

    async def round(self, i: int) -> None:
        last = self.phones.expect(PHONES)
        began = time.perf_counter()
        status, answer = await self.http.post("/v1/incidents", _report(i))
        assert status == 201, (self.name, status, answer)
        self.ms.append((await asyncio.wait_for(last, 10) - began) * 1000)
        await self.phones.answer_all()
        await self.after(answer)

    async def after(self, answer: Any) -> None:
        """Lets the medics go again, outside the time measured."""
        if isinstance(answer, dict) and "id" in answer:
            status, _ = await self.http.post(f"/v1/incidents/{answer['id']}/cancel", b"")
            assert status == 200


def _report(i: int) -> bytes:
    at = {"lat": LAT + (i * 37 % 100 - 50) / 500, "lon": LON + (i * 61 % 100 - 50) / 500}
    return json.dumps({"reference": f"b{i}", "kind": "trauma", "position": at}).encode()


def _counts(text: str) -> bool:
    return text.startswith('{"type":"alert"')


def _ack(text: str) -> str | None:
    return json.dumps({"type": "ack", "id": json.loads(text)["id"]}) if '"id":"' in text else None


async def measure(rounds: int, medics: int, sockets: int) -> dict[str, Any]:
    """Milliseconds of every round by rival."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        async with EmbeddedPostgres(here / "postgres") as postgres:
            limit = process("benchmarks.rival_limit", folder)
            skeleton = process("benchmarks.rival_skeleton", postgres.dsn)
            with limit as limit_child, skeleton as skeleton_child:
                http_port, phones_port = ports(limit_child)
                (skeleton_port,) = ports(skeleton_child)
                rivals = [
                    await _rival("limit", http_port, f"ws://127.0.0.1:{phones_port}", sockets),
                    await _rival("skeleton", skeleton_port, f"ws://127.0.0.1:{skeleton_port}/", sockets),
                ]
                return await _with_service(here, postgres.dsn, rivals, rounds, medics, sockets)


async def _rival(name: str, port: int, url: str, sockets: int) -> Rival:
    phones = Phones(_counts)
    await phones.open(url, [None] * sockets)
    return Rival(name, await Http.open(port, {}), phones)


async def _with_service(
    here: Path, dsn: str, rivals: list[Rival], rounds: int, medics: int, sockets: int
) -> dict[str, Any]:
    policy, people = here / "policy.toml", here / "medics.csv"
    policy.write_text(POLICY)
    write_medics(people, medics, spread_deg=SPREAD_DEG)
    env = {"DISPATCH_DATABASE_URL": dsn, "DISPATCH_POLICY_FILE": str(policy)}
    run("db", "upgrade", env=env)
    key = run("keys", "create", "--control-room", "Bench", "--scopes", "incidents:write", env=env).strip()
    ids = run("medics", "import", str(people), "--available", env=env).split()
    chosen = ids[:: max(1, len(ids) // sockets)][:sockets]
    tokens = [line.split()[1] for line in run("medics", "token", *chosen, env=env).splitlines()]
    port = free_port()
    with process("dispatch", "serve", "--port", str(port), env=env) as child:
        await until_ready(port, child)
        phones = Phones(_counts, answer=_ack)
        hellos: list[str | None] = [json.dumps({"type": "hello", "token": token}) for token in tokens]
        await phones.open(f"ws://127.0.0.1:{port}/v1/me/socket", hellos)
        await asyncio.sleep(6)  # past the grace in which everybody counts as having a socket
        http = await Http.open(port, {"Authorization": f"Bearer {key}"})
        rivals.append(Rival("dispatch", http, phones))
        for i in range(rounds + 10):
            if i == 10:
                for rival in rivals:
                    rival.ms.clear()
            for rival in rivals:
                await rival.round(i)
                await asyncio.sleep(PAUSE_S)
        for rival in rivals:
            await rival.phones.close()
            rival.http.close()
    return {rival.name: rival.ms for rival in rivals}


def summary(ms: dict[str, list[float]]) -> dict[str, Any]:
    figures = {
        name: {"median_ms": statistics.median(all_ms), "p99_ms": statistics.quantiles(all_ms, n=100)[98]}
        for name, all_ms in ms.items()
    }
    ours, skeleton, limit = (figures[name] for name in ("dispatch", "skeleton", "limit"))
    ratios = {
        "median / skeleton": (ours["median_ms"] / skeleton["median_ms"], 1.3),
        "median / limit": (ours["median_ms"] / limit["median_ms"], 2.0),
        "p99 / skeleton's": (ours["p99_ms"] / skeleton["p99_ms"], 2.0),
    }
    return {"machine": described(), "figures": figures, "ratios": ratios}


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and medics")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    rounds, medics = (60, 10_000) if options.quick else (300, 100_000)
    result = summary(uvloop.run(measure(rounds, medics, 1_000)))
    if options.json:
        print(json.dumps(result))
        return result
    print(f"Report to phone, {rounds} rounds in turn, 1,000 sockets, {medics:,} medics; {result['machine']}")
    for name, figure in result["figures"].items():
        print(f"  {name:10} median {figure['median_ms']:6.2f} ms   p99 {figure['p99_ms']:6.2f} ms")
    for name, (ratio, goal) in result["ratios"].items():
        print(f"  {name:18} {ratio:5.2f}   goal at most {goal}")
    return result


if __name__ == "__main__":
    main()
