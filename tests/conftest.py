"""Postgres for the tests: one real server a session, a fresh migrated database a test.

The workers of a parallel run share the server: the first that needs it starts it, the last stops it.
`DISPATCH_TEST_DATABASE_URL` names another server to use, as a user who may create databases.

And signals as in a terminal: a shell's background job, or nohup, has some ignored, and so would every process
that a test starts.
"""

import asyncio
import hashlib
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest

from dispatch.embedded_postgres.share import Share
from dispatch.store.database import MIGRATIONS, connect_pool, upgrade

IN_MEMORY = Path("/dev/shm")
IN_MEMORY_BYTES_MIN = 6 << 30
SERVER_FOLDER = "postgres-of-this-session"
TEMPLATE_LOCK = 0x7465_6D70
Result = TypeVar("Result")


def pytest_configure() -> None:
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ and _is_room_in_memory():
        # Where a disk is slow, a test waits for it longer than for all else: a database made there took a
        # second, in memory 0.03 s. No test pulls the plug, so what has been written may lie in memory.
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(IN_MEMORY)
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests stand evenly among the others' files, so that at the end no worker is alone with one."""
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    places = [nth * len(others) // len(long) for nth in range(len(long))]
    items.clear()
    for at, item in enumerate(others):
        if at and item.path != others[at - 1].path:
            while places and places[0] <= at:
                places.pop(0)
                items.append(long.pop(0))
        items.append(item)
    items += long


def _is_room_in_memory() -> bool:
    """For the databases of a whole session, and for programs that tests put beside them."""
    try:
        there = os.statvfs(IN_MEMORY)
    except OSError:
        return False
    room = there.f_bavail * there.f_frsize >= IN_MEMORY_BYTES_MIN
    return room and not there.f_flag & os.ST_NOEXEC and os.access(IN_MEMORY, os.W_OK)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a server to make databases in."""
    given = os.environ.get("DISPATCH_TEST_DATABASE_URL")
    if given:
        yield given
        return
    share = Share(_session_folder(tmp_path_factory))
    _run(share.enter())
    yield share.dsn
    _run(share.leave())


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The name of a database with the schema and no rows, to be copied. Made once, by the first worker."""
    return _run(_ensure_template(postgres_server))


@pytest.fixture
async def database_url(postgres_server: str, migrated_template: str) -> AsyncIterator[str]:
    """The DSN of a database of this test's own, with the schema and no rows."""
    name = f"test_{uuid.uuid4().hex}"
    async with _administrator(postgres_server) as admin:
        # Copying files takes a third of the time that going through the write-ahead log does (0.03 s).
        await admin.execute(f"create database {name} template {migrated_template} strategy file_copy")
    yield with_database(postgres_server, name)
    async with _administrator(postgres_server) as admin:
        await admin.execute(f"drop database {name} with (force)")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool as the service has it, on this test's own database."""
    pool = await connect_pool(database_url)
    yield pool
    await asyncio.wait_for(pool.close(), 10)


def with_database(dsn: str, database: str) -> str:
    """The DSN of another database on the same server."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Removes the session's server once no worker is left; ends it first if a worker was killed."""
    if hasattr(session.config, "workerinput"):
        return
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    folder = factory.getbasetemp() / SERVER_FOLDER
    if (folder / "postgres" / "postmaster.pid").exists():
        _run(_take_up_and_stop(Share(folder)))
    shutil.rmtree(folder, ignore_errors=True)


async def _take_up_and_stop(share: Share) -> None:
    await share.enter()
    await share.leave()


def _session_folder(factory: pytest.TempPathFactory) -> Path:
    mine = factory.getbasetemp()
    return (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / SERVER_FOLDER


async def _ensure_template(server: str) -> str:
    name = f"template_{_digest_of_migrations()}"
    async with _administrator(server) as admin:
        await admin.execute("select pg_advisory_lock($1)", TEMPLATE_LOCK)
        if not await admin.fetchval("select 1 from pg_database where datname = $1", name):
            await admin.execute(f"drop database if exists {name}_unfinished")
            await admin.execute(f"create database {name}_unfinished template template0")
            await upgrade(with_database(server, f"{name}_unfinished"))
            await admin.execute(f"alter database {name}_unfinished rename to {name}")
    return name


def _digest_of_migrations() -> str:
    files = sorted(path for path in MIGRATIONS.rglob("*") if path.suffix in {".py", ".sql"})
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


@asynccontextmanager
async def _administrator(server: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server)
    try:
        yield connection
    finally:
        await connection.close()


def _run(work: Coroutine[object, object, Result]) -> Result:
    """Runs `work` in an event loop of its own, apart from the one that pytest-asyncio has in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
