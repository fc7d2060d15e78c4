"""`kill -9` of a node with 100,000 medics while alerts are pending, and how soon the next life is back.

Alerts pend in two ways: SMS that the provider refuses (429) until the kill, and alerts that devices got and
never acknowledged. The node is killed and started again at once; all devices come back when it listens.
Measured from the start of the process until /readyz says yes, and from then until the last pending SMS is out
and the last device has its alert again. Goal: ready under 5 s, all out within 1 s of ready, each SMS once.

Medics without a socket are expected back for 5 s after a start; these SMS had been decided before.

Twice: with nothing else in the database, and after a bad night: 50,000 incidents ended within the last hour,
and of a tenth of them some device has not heard.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.machine import described
from benchmarks.past_night import fill
from benchmarks.phones import Http
from benchmarks.service import LAT, LON, free_port, process, run, until_listening, until_ready, write_medics
from dispatch.embedded_postgres import EmbeddedPostgres
from simulations.twilio_double import TwilioDouble
from simulations.twilio_double.double import ACCOUNT_SID, AUTH_TOKEN, NUMBER

SPREAD_DEG = 0.25
ALERTS = 10
READY_S_MAX, OUT_S_MAX = 5.0, 1.0
WAIT_S_MAX = 60.0
POLICY = """
[trauma]
waves = [{ after_s = 0, alerts = 10 }]
alerts_max = 10
reach_s = 7200
answer_within_s = 600
ladder = [{ channel = "sms", after_s = 0 }]

[choking]
waves = [{ after_s = 0, alerts = 10 }]
alerts_max = 10
reach_s = 7200
answer_within_s = 600
ladder = [{ channel = "websocket", after_s = 0 }]
"""
Result = dict[str, Any]


class Phone:
    """A device that reads and acknowledges nothing; ``alerts`` has when each alert came."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self.alerts: dict[str, float] = {}
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Comes back whenever it is gone, until cancelled."""
        while True:
            with contextlib.suppress(OSError, WebSocketException):
                async with connect(self._url, compression=None, ping_interval=None) as socket:
                    await socket.send(json.dumps({"type": "hello", "token": self._token}))
                    async for text in socket:
                        self._take(json.loads(text))
            await asyncio.sleep(0.05)

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "welcome":
            self.connected.set()
        elif frame["type"] == "alert":
            self.alerts[frame["alert_id"]] = time.monotonic()


class Night:
    """The node's two lives, what is outside them, and what is pending between them."""

    def __init__(self, port: int, key: str, env: dict[str, str], twilio: TwilioDouble) -> None:
        self.port, self._key, self._env, self._twilio = port, key, env, twilio
        self.phones: list[Phone] = []

    async def first_life(self, tokens: list[str], incidents: int) -> None:
        """Half the incidents by socket, the more urgent ones, the rest by SMS; killed with all pending."""
        url = f"ws://127.0.0.1:{self.port}/v1/me/socket"
        self.phones = [Phone(url, token) for token in tokens]
        with process("dispatch", "serve", "--port", str(self.port), env=self._env) as node:
            await until_ready(self.port, node)
            running = [asyncio.create_task(phone.run()) for phone in self.phones]
            await asyncio.gather(*(phone.connected.wait() for phone in self.phones))
            await asyncio.sleep(6)  # past the grace in which everybody counts as having a socket
            self._twilio.fail_next(429, times=10**6, retry_after_s=60)
            http = await Http.open(self.port, {"Authorization": f"Bearer {self._key}"})
            for i in range(incidents):
                status, answer = await http.post("/v1/incidents", _report(i, by_socket=i < incidents // 2))
                assert (status, len(answer["alerts"])) == (201, ALERTS), (status, answer)
            await asyncio.sleep(2)
            http.close()
            node.send_signal(signal.SIGKILL)
            node.wait()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def second_life(self, incidents: int) -> Result:
        """Everything in seconds; ``out`` counts from ready."""
        self._twilio.heal()
        pending = {known for phone in self.phones for known in phone.alerts}
        for phone in self.phones:
            phone.alerts.clear()
        texts: list[float] = []
        self._twilio.on_text = lambda _: texts.append(time.monotonic())
        texts_due = incidents // 2 * ALERTS
        began = time.monotonic()
        with process("dispatch", "serve", "--port", str(self.port), env=self._env) as node:
            # Then, all at once. To try all the time takes seconds of the node's machine, as no phone does.
            await until_listening(self.port, node)
            running = [asyncio.create_task(phone.run()) for phone in self.phones]
            await until_ready(self.port, node, pause_s=0.02)
            ready = time.monotonic()
            until = ready + WAIT_S_MAX
            while len(texts) < texts_due or len(self._again()) < len(pending):
                if time.monotonic() > until:
                    break
                await asyncio.sleep(0.01)
            await asyncio.sleep(2)  # what would come twice comes now
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        again, to = self._again(), Counter(record.to for record in self._twilio.messages)
        return {
            "ready_s": round(ready - began, 2),
            "pending_sms": texts_due,
            "pending_on_sockets": len(pending),
            "sms_out_s": round(max(texts, default=ready) - ready, 2),
            "sockets_out_s": round(max(again.values(), default=ready) - ready, 2),
            "sms_lost": texts_due - len(to),
            "sms_twice": sum(times > 1 for times in to.values()),
            "alerts_lost": len(pending - again.keys()),
        }

    def _again(self) -> dict[str, float]:
        return {known: at for phone in self.phones for known, at in phone.alerts.items()}


def _report(i: int, *, by_socket: bool) -> bytes:
    at = {"lat": LAT + (i * 37 % 100 - 50) / 300, "lon": LON + (i * 61 % 100 - 50) / 300}
    kind = "choking" if by_socket else "trauma"
    return json.dumps({"reference": f"r{i}", "kind": kind, "position": at}).encode()


async def measured(medics: int, sockets: int, incidents: int, ended: int = 0) -> Result:
    """``ended``: the incidents of the last hour that have."""
    with tempfile.TemporaryDirectory(prefix="restart") as folder:
        here = Path(folder)
        async with EmbeddedPostgres(here / "postgres") as postgres, TwilioDouble(live=True) as twilio:
            policy, people = here / "policy.toml", here / "medics.csv"
            policy.write_text(POLICY)
            write_medics(people, medics, spread_deg=SPREAD_DEG)
            env = {
                "DISPATCH_DATABASE_URL": postgres.dsn,
                "DISPATCH_POLICY_FILE": str(policy),
                "DISPATCH_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "DISPATCH_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "DISPATCH_TWILIO_FROM": NUMBER,
                "DISPATCH_TWILIO_API_URL": twilio.url,
            }
            await asyncio.to_thread(run, "db", "upgrade", env=env)
            key = run("keys", "create", "--control-room", "Bench", "--scopes", "incidents:write", env=env)
            ids = run("medics", "import", str(people), "--available", env=env).split()
            chosen = "\n".join(ids[:: max(1, len(ids) // sockets)][:sockets]) + "\n"
            lines = run("medics", "token", "-", env=env, stdin=chosen).splitlines()
            if ended:
                await fill(postgres.dsn, "Bench", ended)
            night = Night(free_port(), key.strip(), env, twilio)
            await night.first_life([line.split()[1] for line in lines], incidents)
            return await night.second_life(incidents)


def show(result: Result, what: str) -> None:
    print(f"Restart after kill -9, {what}; {described()}")
    print(f"  start to ready          {result['ready_s']:6.2f} s   goal under {READY_S_MAX:.0f}")
    print(f"  ready to the last SMS   {result['sms_out_s']:6.2f} s   goal {OUT_S_MAX:.0f}")
    print(f"  to the last device      {result['sockets_out_s']:6.2f} s   goal {OUT_S_MAX:.0f}")
    print(f"  pending: SMS {result['pending_sms']}, on devices {result['pending_on_sockets']}")
    print(
        f"  lost: SMS {result['sms_lost']}, alerts {result['alerts_lost']}; twice: SMS {result['sms_twice']}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 medics, 6 incidents, 2,000 ended")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    medics, sockets, incidents, night = (
        (10_000, 100, 6, 2_000) if options.quick else (100_000, 500, 40, 50_000)
    )
    wrong = False
    for ended in (0, night):
        result = uvloop.run(measured(medics, sockets, incidents, ended))
        wrong |= bool(result["sms_lost"] or result["sms_twice"] or result["alerts_lost"])
        if options.json:
            print(json.dumps({"ended_within_the_hour": ended, **result}))
        else:
            show(result, f"{medics:,} medics, {incidents} live incidents, {ended:,} ended within the hour")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
