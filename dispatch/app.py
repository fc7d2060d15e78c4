"""The composition root: everything made, connected, started, and stopped in the other order."""

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from dispatch import logs
from dispatch.api.access import Access
from dispatch.api.admission import Admission
from dispatch.api.checks import Checks
from dispatch.api.control_room import ControlRoomApi
from dispatch.api.feed import FeedApi
from dispatch.api.health import HealthApi
from dispatch.api.lag import Lag
from dispatch.api.latest_fixes import LatestFixes
from dispatch.api.medic import MedicApi
from dispatch.api.medics import MedicsApi
from dispatch.api.once import Once
from dispatch.api.openapi import add_operations
from dispatch.api.problem import Problem
from dispatch.api.rates import Rates
from dispatch.api.routes import Operation, Shortcut, framework_problem
from dispatch.api.socket import PATH as SOCKET_PATH
from dispatch.api.socket import SocketApp
from dispatch.api.twilio import TwilioApi
from dispatch.auth import Keyring, TokenDesk
from dispatch.check import Check
from dispatch.chores import (
    KEYS_S,
    PURGE_NEWS_S,
    PURGE_S,
    every,
    in_background,
    purge,
    purge_news,
    read_keys,
)
from dispatch.clock import Clock
from dispatch.core.policy import Policies
from dispatch.embedded_postgres import EmbeddedPostgres
from dispatch.enrolment import Enrolment
from dispatch.ids import new_id
from dispatch.kinds import Kinds
from dispatch.paused.pause import WHY as PAUSED
from dispatch.roster.drill_devices import KIND as DRILL
from dispatch.roster.drill_devices import ROOM as WATCHDOG_ROOM
from dispatch.service.node import Node
from dispatch.service.opting import Opting
from dispatch.settings import Settings
from dispatch.store import idempotency, keys, tokens
from dispatch.store.appends import Remembered
from dispatch.store.database import connect_pool, connect_to_listen, upgrade
from dispatch.together import Together
from dispatch.watch.drill import Drills, drill_policy
from dispatch.watch.readiness import Readiness
from dispatch.watch.watchdog import OFF, Watchdog
from notify.channel import Channel

if TYPE_CHECKING:
    from notify.sms import SmsChannel

log = logs.logger(__name__)

FILES_FOR_OTHERS = 200
"""Open files that are not medics' sockets: the database, providers, control rooms."""
POOL_MAX = 16
POOL_CLOSES_S_MAX = 10.0


@dataclass(frozen=True)
class Service:
    """The running service. ``app`` answers HTTP and sockets; ``let_go`` is called when it is to stop."""

    app: ASGIApp
    readiness: Readiness
    let_go: Callable[[], None]


@asynccontextmanager
async def running(settings: Settings, kinds: Kinds, data_dir: Path, name: str = "") -> AsyncIterator[Service]:
    """The service, ready to answer. At the end what was begun is finished, and Postgres stops.

    ``name`` tells this node from others on the same database: the same after a restart, and no other's.

    Raises PostgresUnavailable, DatabaseRefused and what the database raises.
    """
    async with AsyncExitStack() as stack:
        embedded, url = None, settings.database_url
        if url is None:
            embedded = await stack.enter_async_context(EmbeddedPostgres(data_dir))
        dsn = embedded.dsn if url is None and embedded else _secret(url) or ""
        await upgrade(dsn)
        pool = await connect_pool(dsn, max_size=POOL_MAX)
        stack.push_async_callback(_close, pool)
        parts = await _start(stack, settings, _with_drills(kinds.policies, settings), pool, dsn, name)
        watchdog = await _watchdog(stack, settings, parts)
        edge, node = _edge(parts), parts.node
        await stack.enter_async_context(in_background(edge.lag.run(), edge.fixes.run()))
        node.appender.times.on_commit = node.metrics.commit_s.observe
        more = (node.appender.times.check, node.dispatcher.positions.check, edge.lag.check, watchdog)
        readiness = Readiness(settings, kinds.policies, node, embedded, data_dir, more)
        stack.callback(readiness.close)
        yield _service(parts, edge, readiness, Checks(kinds.policies, kinds.codes))


async def _close(pool: asyncpg.Pool) -> None:
    """Gives a database that does not answer a while, and no longer."""
    try:
        async with asyncio.timeout(POOL_CLOSES_S_MAX):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _with_drills(policies: Policies, settings: Settings) -> Policies:
    """What incidents are opened by: no control room can report the watchdog's kind."""
    medic_id = settings.watchdog_medic
    return policies if medic_id is None else {**policies, DRILL: drill_policy(medic_id, settings.watchdog_s)}


async def _watchdog(stack: AsyncExitStack, settings: Settings, parts: "Parts") -> Callable[[], Check]:
    """The watchdog, running where it has a test device; its check."""
    if settings.watchdog_medic is None:
        return lambda: OFF
    drills = Drills(
        pool=parts.node.pool,
        dispatcher=parts.node.dispatcher,
        roster=parts.node.roster,
        clock=parts.node.clock,
        room_id=await keys.ensure_control_room(parts.node.pool, WATCHDOG_ROOM),
        medic_id=settings.watchdog_medic,
        name=new_id(),
        interval_s=settings.watchdog_s,
    )
    watchdog = Watchdog(
        drills,
        parts.node.metrics,
        parts.node.clock,
        interval_s=settings.watchdog_s,
        paused=lambda: PAUSED if parts.node.dispatcher.pause.on else None,
    )
    await stack.enter_async_context(in_background(watchdog.run()))
    return watchdog.check


@dataclass(frozen=True)
class Parts:
    """What the service is made of, started."""

    settings: Settings
    node: Node
    keyring: Keyring
    desk: TokenDesk
    enrolment: Enrolment


async def _start(
    stack: AsyncExitStack, settings: Settings, policies: Policies, pool: asyncpg.Pool, dsn: str, name: str
) -> Parts:
    """Long because it is a list: each part is made, started, and its end put on ``stack``."""
    clock = await Clock.synchronised(pool)
    channels: dict[str, Channel] = {}
    sms = _sms(settings, clock)
    if sms is not None:
        channels[sms.name] = sms
        stack.push_async_callback(sms.close)
    node = Node(
        pool=pool,
        listen=lambda: connect_to_listen(dsn),
        channels=channels,
        clock=clock,
        policies=policies,
        sms_on=settings.sms_on,
        time_zone=settings.time_zone,
        name=name,
    )
    keyring = Keyring(lambda known: keys.find(pool, known))
    await read_keys(pool, keyring)

    owners = Together[bytes, str](lambda hashes: tokens.find_all(pool, hashes))

    async def whose(token_hash: bytes) -> str | None:
        return await node.medics.ensure_known(await owners.find(token_hash))

    desk = TokenDesk(whose)
    node.medics.forget_tokens = desk.forget
    stack.push_async_callback(node.close)
    await node.start()
    enrolment = Enrolment(pool, sms.send_text if sms else None, clock.now_ms)
    chores = in_background(
        enrolment.run(),
        every(KEYS_S, lambda: read_keys(pool, keyring), "keys not read"),
        every(PURGE_S, lambda: purge(pool, clock.now_ms()), "not purged"),
        every(PURGE_NEWS_S, lambda: purge_news(pool), "news not purged"),
    )
    await stack.enter_async_context(chores)
    return Parts(settings, node, keyring, desk, enrolment)


@dataclass(frozen=True)
class Edge:
    """What stands before the parts, and lets in no more than they can do."""

    lag: Lag
    admission: Admission
    rates: Rates
    fixes: LatestFixes


def _edge(parts: Parts) -> Edge:
    metrics, dispatcher = parts.node.metrics, parts.node.dispatcher
    decisions = dispatcher.decisions
    lag = Lag(lambda: decisions.waits_s)
    admission = Admission(decisions.backlog, lag, metrics)
    rates = Rates(
        key_per_s=parts.settings.key_requests_per_s,
        device_per_s=parts.settings.device_requests_per_s,
        metrics=metrics,
    )
    fixes = LatestFixes(dispatcher.moved_many, lambda: admission.takes("position"), metrics)
    return Edge(lag, admission, rates, fixes)


def _service(parts: Parts, edge: Edge, readiness: Readiness, checks: Checks) -> Service:
    """The parts behind HTTP and the socket."""
    access = Access(parts.keyring, parts.desk, edge.rates)
    feed = FeedApi(access, parts.node.pool, parts.node.dispatcher.wakeups.later_than)
    frame = _frame()
    operations = _operations(parts, access, feed, checks)
    operations += HealthApi(readiness.checks, parts.node.metrics).operations()
    add_operations(frame, operations)
    http = Shortcut(operations, frame, parts.node.metrics, edge.admission)
    socket = SocketApp(
        parts.desk,
        parts.node.dispatcher,
        parts.node.hub,
        edge.fixes,
        parts.node.dispatcher.decisions.backlog,
        edge.admission,
        edge.rates,
        parts.node.clock.now_ms,
        sockets_max(),
    )
    _add_figures(parts, edge, feed)

    def let_go() -> None:
        """Devices come back with jitter, followers of the feed resume elsewhere."""
        parts.node.hub.close_all()
        feed.stop()

    return Service(Root(http, socket), readiness, let_go)


def _operations(parts: Parts, access: Access, feed: FeedApi, checks: Checks) -> list[Operation]:
    now_ms, pool, dispatcher = parts.node.clock.now_ms, parts.node.pool, parts.node.dispatcher

    async def find(control_room_id: str, key: str) -> Remembered | None:
        return await idempotency.find(pool, control_room_id, key, at=now_ms())

    once = Once(find, now_ms)
    control_room = ControlRoomApi(access, dispatcher, checks, once, pool, now_ms)
    medics = MedicsApi(access, dispatcher, once, pool)
    medic = MedicApi(access, dispatcher, parts.enrolment, parts.desk, parts.node.hub, pool, now_ms)
    twilio = TwilioApi(
        dispatcher,
        Opting(pool, dispatcher),
        _secret(parts.settings.twilio_auth_token),
        parts.settings.public_url,
    )
    apis = (control_room, feed, medics, medic, twilio)
    return [operation for api in apis for operation in api.operations()]


def _frame() -> FastAPI:
    """FastAPI with its own pages and its telemetry off: the one loads scripts, the other copies bodies."""
    return FastAPI(
        title="Responder alert dispatch",
        version=version("responder-alert-dispatch"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: framework_problem, Exception: framework_problem},
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )


class Root:
    """The way in: the medic's socket beside FastAPI, not inside it."""

    def __init__(self, http: ASGIApp, socket: ASGIApp) -> None:
        self._http = http
        self._socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == SOCKET_PATH:
            await self._socket(scope, receive, send)
        elif scope["type"] == "websocket":
            await Problem("not_found").response()(scope, receive, send)
            raise ClientDisconnected  # or uvicorn logs an error, and anybody may ask


def sockets_max() -> int:
    """Sockets that this process has files for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(files - FILES_FOR_OTHERS, 50) if files != resource.RLIM_INFINITY else 1_000_000


def _secret(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _sms(settings: Settings, clock: Clock) -> "SmsChannel | None":
    if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
        return None

    # Twilio's library and an HTTP client: a sixth of a start, for those who have an account.
    from notify.sms import SmsChannel, SmsSettings
    from notify.twilio_http import TWILIO_URL

    return SmsChannel(
        SmsSettings(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token.get_secret_value(),
            from_number=settings.twilio_from,
            messaging_service_sid=settings.twilio_messaging_service_sid,
            public_url=settings.public_url,
            api_url=settings.twilio_api_url or TWILIO_URL,
        ),
        clock.now_ms,
    )


def _add_figures(parts: Parts, edge: Edge, feed: FeedApi) -> None:
    """What is read when Prometheus asks."""
    node = parts.node
    decisions, sender = parts.node.dispatcher.decisions, parts.node.dispatcher.outgoing.sender
    gauges: dict[str, tuple[str, Callable[[], float]]] = {
        "sockets": ("Open sockets of medics.", parts.node.hub.count),
        "medics": ("Medics in the roster.", lambda: len(parts.node.roster)),
        "medics_available": ("Medics who may be asked now.", lambda: node.roster.counts().available),
        "incidents_in_memory": ("Incidents in memory.", lambda: len(tuple(decisions.lives()))),
        "orders_waiting": ("Incidents with orders not committed yet.", lambda: decisions.waiting),
        "appends_waiting": ("Decisions waiting for the commit in flight.", lambda: node.appender.waiting),
        "sends_waiting": ("Sends without an outcome.", lambda: sender.waiting),
        "positions_waiting": ("Fixes not in the database yet.", lambda: node.dispatcher.positions.waiting),
        "enrolments_waiting": ("Codes asked for, not sent yet.", lambda: parts.enrolment.waiting),
        "timers_late_seconds": ("How late the most overdue tick is.", lambda: decisions.late_ms() / 1000),
        "http_in_flight": ("HTTP requests under way.", lambda: edge.admission.in_flight),
        "orders_uncommitted": ("Orders not committed yet.", lambda: decisions.backlog.count),
        "turns_waiting_seconds": ("How long it takes to decide all that waits.", lambda: decisions.waits_s),
        "fixes_waiting": ("Positions from sockets waiting for their turn.", lambda: edge.fixes.waiting),
        "loop_lag_seconds": ("How long what is ready waits for its turn.", lambda: edge.lag.seconds),
        "paused": ("1: nothing is sent, as after a restore.", lambda: float(parts.node.dispatcher.pause.on)),
        "feed_followers": ("Readers of feeds.", lambda: feed.followers),
        "medics_connected": (
            "Medics with a socket on any node.",
            lambda: node.roster.counts().connected,
        ),
        "nodes": ("Nodes on this database that live, as last seen.", lambda: 1 + len(node.membership.others)),
        "bus_listening": ("1: hints of other nodes are heard.", lambda: float(node.bus.listening)),
        "bus_hints": ("Hints sent to other nodes since the start.", lambda: node.bus.hints),
    }
    for name, (help_text, value) in gauges.items():
        parts.node.metrics.gauge(name, help_text, value)
