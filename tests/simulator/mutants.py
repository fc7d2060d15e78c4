"""Eight rules broken on purpose, each as a change to the service's own code while it is simulated."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dispatch.api.once import Once
from dispatch.clock import Clock
from dispatch.records import Medic
from dispatch.sending.outgoing import Outgoing
from dispatch.service.her_alerts import HerAlerts, Shown
from dispatch.store import notifications
from dispatch.store.appender import Appender
from dispatch.store.appends import Append
from notify.websocket import Connection, SocketHub


def forget_a_lease(patch: pytest.MonkeyPatch) -> None:
    """An SMS is sent whoever has it, and whether or not it was tried before."""

    async def attempt(*_: object, **__: object) -> bool:
        return True

    patch.setattr(notifications, "attempt", attempt)


def send_before_commit(patch: pytest.MonkeyPatch) -> None:
    """What a decision requests goes out while it is still being written."""
    written = Appender.append

    async def append(self: Appender, work: Append, **about: Any) -> dict[str, int]:
        asyncio.get_running_loop().create_task(_quietly(written(self, work, **about)))
        return {stream.incident_id: 0 for stream in work.streams}

    patch.setattr(Appender, "append", append)


def skip_the_dedupe(patch: pytest.MonkeyPatch) -> None:
    """A POST that is repeated is done again."""

    async def every_time(
        self: Once, _request: Any, _key: Any, _body: bytes, do: Callable[[None], Awaitable[Any]], *_: object
    ) -> Any:
        return await do(None)

    patch.setattr(Once, "__call__", every_time)


def drop_the_receipt(patch: pytest.MonkeyPatch) -> None:
    """That a device has a message is not written."""
    patch.setattr(Outgoing, "acknowledged", lambda *_: None)


def ignore_a_conflict(patch: pytest.MonkeyPatch) -> None:
    """What the database refused is taken as written."""

    async def refused(self: Appender, job: Any, _error: Exception) -> list[Any]:
        job.succeed(dict.fromkeys(job.incident_ids, 0))
        return []

    patch.setattr(Appender, "_refused", refused)


def trust_the_wall_clock(patch: pytest.MonkeyPatch) -> None:
    """The database's clock is carried on by the one that anybody may set."""
    made = Clock.__init__
    patch.setattr(Clock, "__init__", lambda self, _monotonic_ns: made(self, lambda: time.time_ns()))


def one_device_a_medic(patch: pytest.MonkeyPatch) -> None:
    """A hello takes the place of the socket that she had: it is taken for that of the same device."""
    connect = SocketHub.connect

    def instead(self: SocketHub, medic_id: str, connection: Connection) -> None:
        for former in self._connections.get(medic_id, ()):
            self.disconnect(medic_id, former)
        connect(self, medic_id, connection)

    patch.setattr(SocketHub, "connect", instead)


def take_a_hello_for_a_receipt(patch: pytest.MonkeyPatch) -> None:
    """Who says hello is taken to know what any device of hers has acknowledged: she is not shown it again."""
    shown = HerAlerts.shown

    def lacking(self: HerAlerts, medic: Medic) -> list[Shown]:
        return [one for one in shown(self, medic) if one.state in ("requested", "sent")]

    patch.setattr(HerAlerts, "shown", lacking)


async def _quietly(work: Awaitable[Any]) -> None:
    try:
        await work
    except Exception:
        return
