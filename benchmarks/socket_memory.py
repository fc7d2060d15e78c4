"""Memory of the service for each connected socket, at 5,000. Goal: at most 25 KiB.

Resident memory of the service's process with its medics loaded, before and after 5,000 devices said hello;
what the first few hundred load for all is not counted. Postgres is another process.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import uvloop

from benchmarks.machine import described
from benchmarks.phones import Phones
from benchmarks.service import free_port, process, run, until_ready, write_medics
from dispatch.embedded_postgres import EmbeddedPostgres

GOAL_KIB = 25


async def measure(sockets: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        async with EmbeddedPostgres(here / "postgres") as postgres:
            env = {"DISPATCH_DATABASE_URL": postgres.dsn}
            run("db", "upgrade", env=env)
            write_medics(here / "medics.csv", sockets, spread_deg=0.25)
            ids = run("medics", "import", str(here / "medics.csv"), "--available", env=env).split()
            hellos: list[str | None] = []
            for i in range(0, len(ids), 1000):
                lines = run("medics", "token", *ids[i : i + 1000], env=env).splitlines()
                hellos += [json.dumps({"type": "hello", "token": line.split()[1]}) for line in lines]
            port = free_port()
            with process("dispatch", "serve", "--port", str(port), env=env) as child:
                await until_ready(port, child)
                service = psutil.Process(child.pid)
                await _warm_up(port, hellos[:200])
                before = service.memory_info().rss
                phones = Phones(lambda _: False)
                await phones.open(f"ws://127.0.0.1:{port}/v1/me/socket", hellos)
                await asyncio.sleep(5)
                after = service.memory_info().rss
                await phones.close()
    kib = (after - before) / sockets / 1024
    return {"machine": described(), "sockets": sockets, "kib_per_socket": kib, "goal_kib": GOAL_KIB}


async def _warm_up(port: int, hellos: list[str | None]) -> None:
    """What the first sockets load is not a socket's own."""
    phones = Phones(lambda _: False)
    await phones.open(f"ws://127.0.0.1:{port}/v1/me/socket", hellos)
    await phones.close()
    await asyncio.sleep(2)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 sockets")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    result = uvloop.run(measure(1_000 if options.quick else 5_000))
    if options.json:
        print(json.dumps(result))
        return result
    print(
        f"Memory a socket: {result['kib_per_socket']:.1f} KiB at {result['sockets']:,} "
        f"(goal at most {GOAL_KIB}); {result['machine']}"
    )
    return result


if __name__ == "__main__":
    main()
