"""Redis and PostGIS with the same points, each a private server on a unix socket in a temporary directory.

Both are Debian packages (redis-server; postgresql and postgresql-15-postgis-3, or a later version). Where one
is missing, its `open_` function says so with `Absent`, and the benchmark goes on without it.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import numpy as np
import redis
from numpy.typing import NDArray

Floats = NDArray[np.float64]
T = TypeVar("T")
START_S_MAX = 60.0


class Absent(Exception):
    """The rival cannot run here; the message says what to install."""


class Redis:
    """GEOSEARCH by radius, nearest first: Redis knows no k nearest, so somebody has to guess the radius."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def load(self, lats: Floats, lons: Floats) -> None:
        self._client.flushall()
        # Redis takes no latitude beyond this, the edge of the Web Mercator square.
        lats = np.clip(lats, -85.05, 85.05)
        for begin in range(0, len(lats), 2000):
            rows = zip(lons[begin : begin + 2000], lats[begin : begin + 2000], strict=True)
            values = [v for n, (lon, lat) in enumerate(rows, begin) for v in (float(lon), float(lat), str(n))]
            self._client.geoadd("medics", values)

    def nearest(self, lat: float, lon: float, k: int, radius_m: float) -> int:
        """How many it found."""
        found = self._client.geosearch(
            "medics", longitude=lon, latitude=lat, radius=radius_m, unit="m", sort="ASC", count=k
        )
        return len(found)


class PostGIS:
    """`order by position <-> point limit k` on a geography column with its GiST index, prepared."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: asyncpg.Connection) -> None:
        self._loop, self._connection = loop, connection
        self._run(connection.execute("create extension postgis"))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def load(self, lats: Floats, lons: Floats) -> None:
        run, execute = self._run, self._connection.execute
        run(execute("drop table if exists medic, arrived"))
        run(execute("create unlogged table arrived (id int, lat float8, lon float8)"))
        rows = zip(range(len(lats)), lats.tolist(), lons.tolist(), strict=True)
        run(self._connection.copy_records_to_table("arrived", records=rows))
        run(
            execute(
                "create unlogged table medic as "
                "select id, st_makepoint(lon, lat)::geography as position from arrived"
            )
        )
        run(execute("create index on medic using gist (position)"))
        run(execute("vacuum (analyze) medic"))
        self._nearest = run(
            self._connection.prepare(
                "select id from medic order by position <-> st_makepoint($1, $2)::geography limit $3"
            )
        )

    def nearest(self, lat: float, lon: float, k: int) -> int:
        """How many it found."""
        return len(self._run(self._nearest.fetch(lon, lat, k)))


@contextmanager
def open_redis() -> Iterator[Redis]:
    server = shutil.which("redis-server")
    if server is None:
        raise Absent("no redis-server: apt-get install redis-server")
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
        with _process([server, *options, "--dir", directory]):
            client = redis.Redis(unix_socket_path=str(socket))
            _until(lambda: bool(client.ping()), redis.ConnectionError)
            try:
                yield Redis(client)
            finally:
                client.close()


@contextmanager
def open_postgis() -> Iterator[PostGIS]:
    programs = _postgres_programs()
    user = _ordinary_user()
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        if user:
            shutil.chown(directory, user)
        data = Path(directory) / "data"
        # Only who may enter the directory, mode 0700, can reach the socket.
        initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", "bench"]
        initdb += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        subprocess.run(initdb, user=user, check=True, stdout=subprocess.DEVNULL, cwd=directory)
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={directory}",
            "shared_buffers=512MB",
            "jit=off",
        ]
        options = [option for setting in settings for option in ("-c", setting)]
        with _process([programs / "postgres", "-D", data, *options], user=user, cwd=directory):
            loop = runner.get_loop()
            connect = _until(
                lambda: loop.run_until_complete(
                    asyncpg.connect(host=directory, user="bench", database="postgres")
                ),
                OSError,
                asyncpg.CannotConnectNowError,
            )
            try:
                yield PostGIS(loop, connect)
            finally:
                loop.run_until_complete(connect.close())


def _postgres_programs() -> Path:
    """Debian's directory of a Postgres that has PostGIS."""
    for share in sorted(Path("/usr/share/postgresql").glob("*/extension/postgis.control"), reverse=True):
        programs = Path("/usr/lib/postgresql") / share.parts[-3] / "bin"
        if (programs / "postgres").exists():
            return programs
    raise Absent("no PostGIS: apt-get install postgresql-15-postgis-3")


def _ordinary_user() -> str | None:
    """Postgres refuses to run as root; None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Absent("running as root, and no ordinary user to run Postgres as")


@contextmanager
def _process(
    command: Sequence[str | Path], user: str | None = None, cwd: str | None = None
) -> Iterator[None]:
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, user=user, cwd=cwd, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(attempt: Callable[[], T], *failures: type[Exception]) -> T:
    """The first result of `attempt` that is not one of `failures`, while a server may still be starting."""
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            return attempt()
        except failures:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
