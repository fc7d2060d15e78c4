"""Each check of /readyz fails by the fault that it is for, says what to do, and is fine again afterwards."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from dispatch.api import lag
from dispatch.core.policy import override
from dispatch.sending import sms_callbacks
from dispatch.service import positions
from dispatch.settings import Settings
from dispatch.store import appender, commit_times
from dispatch.times import rfc3339
from dispatch.watch.disk import disk
from dispatch.watch.readiness import Readiness
from simulations.twilio_double import TwilioDouble
from tests.api.conftest import MakeWorld
from tests.api.world import World, a_report

OTHERS = "datname = current_database() and pid <> pg_backend_pid()"


async def check_of(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    checks = (await client.get("/readyz")).json()["checks"]
    (found,) = (check for check in checks if check["name"] == name)
    return dict(found)


async def until(client: httpx.AsyncClient, name: str, ok: bool, says: str = "") -> dict[str, Any]:
    """The check, once it is fine, or is not, and says this."""
    async with asyncio.timeout(15):
        while (check := await check_of(client, name))["ok"] != ok or says not in check["detail"]:
            await asyncio.sleep(0.02)
    assert ok or check["hint"]
    return check


async def test_it_answers_in_time_whatever_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*_: Any, **__: Any) -> None:
        """Like asyncpg, which waits for the server's word also when it was told to give up."""
        for _ in range(2):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                if asyncio.current_task().cancelling() > 1:  # type: ignore[union-attr]
                    raise

    client = await world.client()
    monkeypatch.setattr("asyncpg.Pool.fetchval", hangs)
    before = time.monotonic()
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(5)))
    assert time.monotonic() - before < 3
    assert {answer.status_code for answer in answers} == {503}
    asking = [task for task in asyncio.all_tasks() if "locals>.hangs" in repr(task.get_coro())]
    assert len(asking) == 1  # however many ask
    asking[0].cancel()
    asking[0].cancel()


async def test_a_database_that_takes_nothing(world: World, pool: asyncpg.Pool) -> None:
    """As after a switch to a server that is still a standby, or is kept from writing."""
    client = await world.client()
    assert (await check_of(client, "database"))["ok"]
    async with pool.acquire() as admin:
        name = await admin.fetchval("select current_database()")
        await admin.execute(f"alter database {name} set default_transaction_read_only = on")
        await admin.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {OTHERS}")
        # A check or two may have met the end of their connections.
        check = await until(client, "database", ok=False, says="read-only")
        assert (check["needed"], "read-only" in check["detail"]) == (True, True)
        await admin.execute(f"alter database {name} reset default_transaction_read_only")
        await admin.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {OTHERS}")
    assert (await until(client, "database", ok=True))["detail"] == "answers"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("401", "credentials"), ("500", "http_500"), ("hang", "timeout"), ("down", "unreachable")],
)
async def test_a_provider_that_can_not_be_used(make_world: MakeWorld, fault: str, reason: str) -> None:
    async with TwilioDouble(live=True) as twilio, make_world(twilio=twilio) as world:
        client, room = await world.client(), await world.room()
        await world.medic(channels=("sms",))
        assert (await check_of(client, "sms"))["ok"]
        if fault == "hang":
            twilio.hang_next()
        elif fault == "down":
            await twilio.stop()
        else:
            twilio.fail_next(int(fault))
        await room.post("/v1/incidents", json=a_report())
        check = await until(client, "sms", ok=False)
        assert reason in check["detail"]
        assert not check["needed"]  # sockets go on


async def test_positions_that_are_not_saved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "LATE_S", 0.05)
    client = await world.client()
    device = await world.medic_on_socket()
    with monkeypatch.context() as broken:

        async def fails(*_: Any) -> None:
            raise OSError("x")

        broken.setattr("dispatch.store.positions.save", fails)
        await device.say(type="position", lat=52.0, lon=5.0, at=rfc3339(int(time.time() * 1000)))
        await until(client, "positions", ok=False)
    await until(client, "positions", ok=True)


async def test_a_commit_that_waits(
    world: World, room: httpx.AsyncClient, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_times, "UNDER_WAY_S_MAX", 0.05)
    client = await world.client()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table decision in share mode")
        posting = asyncio.create_task(room.post("/v1/incidents", json=a_report()))
        assert "under way" in (await until(client, "commits", ok=False))["detail"]
    assert (await posting).status_code == 201
    await until(client, "commits", ok=True)
    assert "dispatch_commit_seconds_count 1.0" in (await client.get("/metrics")).text


async def test_commits_that_are_given_up(
    world: World, room: httpx.AsyncClient, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody holds a lock and reports come now and then, none may be under way when it is asked."""
    monkeypatch.setattr(appender, "WRITE_S_MAX", 0.3)
    monkeypatch.setattr(commit_times, "UNDER_WAY_S_MAX", 0.1)
    monkeypatch.setattr(commit_times, "SLOW_S", 0.25)
    client = await world.client()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table decision in share mode")
        posting = asyncio.create_task(room.post("/v1/incidents", json=a_report()))
        await until(client, "commits", ok=False)
        await asyncio.sleep(0.3)
    assert (await posting).status_code == 201
    check = await check_of(client, "commits")
    assert (check["ok"], check["detail"][:3]) == (False, "p99")


async def test_commits_that_are_slow(
    world: World, room: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await world.client()
    await room.post("/v1/incidents", json=a_report())
    assert (await check_of(client, "commits"))["ok"]
    monkeypatch.setattr(commit_times, "SLOW_S", 0.0)
    assert "pg_stat_activity" in (await until(client, "commits", ok=False))["hint"]


async def test_a_busy_event_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "LATE_S", 0.05)
    client = await world.client()
    await until(client, "loop", ok=True)

    async def works() -> None:
        while True:
            time.sleep(0.1)  # noqa: ASYNC251 (that is the fault)
            await asyncio.sleep(0)

    working = asyncio.create_task(works())
    assert "for its turn" in (await until(client, "loop", ok=False))["detail"]
    working.cancel()
    await until(client, "loop", ok=True)


async def test_callbacks_that_never_come(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms_callbacks, "LONG_MS", 0)
    async with TwilioDouble(live=True) as twilio, make_world(twilio=twilio) as world:
        client, room = await world.client(), await world.room()
        twilio.callback_delay_s = 3600
        for metres in (100, 200, 300):
            await world.medic(metres, channels=("sms",))
        await room.post("/v1/incidents", json=a_report())
        assert "403" in (await until(client, "sms_callbacks", ok=False))["hint"]
        twilio.callback_delay_s = 0
        await world.medic(400, channels=("sms",))
        await room.post("/v1/incidents", json=a_report("R-2"))
        await until(client, "sms_callbacks", ok=True)


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    for free, ok, needed in ((2**34, True, False), (2**29, False, False), (2**20, False, True)):
        usage = Usage(2**36, 2**36 - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        check = disk(tmp_path)
        assert (check.ok, check.needed, bool(check.hint)) == (ok, needed, not ok)


@pytest.mark.parametrize(
    ("channel", "sms", "ok"), [("voice", True, False), ("sms", False, False), ("sms", True, True)]
)
def test_a_ladder_of_channels_that_are_not_sent_by(tmp_path: Path, channel: str, sms: bool, ok: bool) -> None:
    policies = override(f'[trauma]\nladder = [{{channel = "{channel}", after_s = 0}}]', file="p")
    settings = Settings.model_construct(twilio_account_sid="AC1" if sms else None, public_url="https://x")
    nothing: Any = None
    checks = {
        check.name: check for check in Readiness(settings, policies, nothing, None, tmp_path, ()).ways()
    }
    assert ("ladders" in checks) is not ok
    if not ok:
        told = checks["ladders"]
        assert (told.ok, told.needed) == (False, False), "the other kinds are alerted all the same"
        assert told.detail.startswith("nobody is asked for trauma: no rung of its ladder is websocket")


async def test_a_check_can_be_left_out_of_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a load balancer does with the watchdog: its one device is no reason to take all nodes away."""
    client = await world.client()

    async def hangs(*_: Any, **__: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr("asyncpg.Pool.fetchval", hangs)
    assert (await client.get("/readyz")).status_code == 503
    answer = await client.get("/readyz?exclude=watchdog,database")
    assert answer.status_code == 200
    assert not next(check for check in answer.json()["checks"] if check["name"] == "database")["ok"]
    assert (await client.get("/readyz?exclud=watchdog")).status_code == 422
