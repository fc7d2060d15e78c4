"""A network that misbehaves: a TCP proxy before a server, whose links are slow, cut, reset or go silent.

    async with Network(port) as network:          # clients connect to network.port
        network.to_client.cut_after = 0            # links to come: the reply is cut before its first byte
        link = await network.link()                # a link that is there
        link.to_server.vanishes = True             # half-open: what she says no longer arrives
        link.reset()                               # both ends get RST
        assert network.count("vanished")           # it really happened

What each link did is in `network.log`. Unrealistic: no packets are lost or reordered one by one (TCP would
mend that), and what a half-open link swallows is acknowledged by this machine's kernel as received.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

PIECE_BYTES = 65_536


class Happened(NamedTuple):
    """What befell a link. `way`: `to_server` or `to_client`, or both where that is empty."""

    link: int
    what: str
    way: str = ""
    bytes: int = 0


@dataclass
class Way:
    """How one direction carries bytes. Set on the network for links to come, on a link for itself.

    `slow_s`: how long each piece takes. `trickle_bytes` at a time go out, one piece each `slow_s`.
    `vanishes`: it swallows everything and says nothing. `stuck`: it takes nothing any more.
    `cut_after`, `reset_after`: so many bytes still pass, then the link is closed, or reset.
    """

    slow_s: float = 0.0
    trickle_bytes: int | None = None
    vanishes: bool = False
    stuck: bool = False
    cut_after: int | None = None
    reset_after: int | None = None


class Network:
    """Before a server on a port of this machine or on a Unix socket. Ends all its links when it is left."""

    def __init__(self, upstream: int | Path, host: str = "127.0.0.1") -> None:
        self.upstream = upstream
        self.host = host
        self.port = 0
        self.to_server, self.to_client = Way(), Way()
        self.silent = False
        """Links to come are accepted, and nothing is connected behind them."""
        self.links: list[Link] = []
        self.log: list[Happened] = []
        self._server: asyncio.Server | None = None
        self._accepting: list[asyncio.Task[None] | None] = []
        self._changed = asyncio.Event()
        self.on_data: Callable[[Link, str, bytes], None] | None = None
        """Told of every piece before it is passed on; may change the link's ways, or end it."""

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for link in self.links:
            link.reset()
        await asyncio.gather(*(one for one in self._accepting if one is not None))
        await asyncio.gather(*(link.ended() for link in self.links))

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def listen(self) -> None:
        """Takes connections (again), on the same port."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuses connections; links that are there stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def heal(self) -> None:
        """Links to come are well."""
        self.to_server, self.to_client, self.silent = Way(), Way(), False

    def open(self) -> list["Link"]:
        return [link for link in self.links if link.open]

    async def link(self, number: int | None = None) -> "Link":
        """The link with this number, when there is one; without a number, the latest that is open."""
        async with asyncio.timeout(10):
            while True:
                found = self.open() if number is None else self.links[number : number + 1]
                if found:
                    return found[-1]
                await self._change()

    async def happened(self, what: str, times: int = 1, since: int = 0) -> None:
        """Waits until it has, so often since the log's entry with this number."""
        async with asyncio.timeout(20):
            while self.count(what, since) < times:
                await self._change()

    def count(self, what: str, since: int = 0) -> int:
        """How often something happened, each link once for a lasting thing."""
        return sum(one.what == what for one in self.log[since:])

    def note(self, what: Happened) -> None:
        self.log.append(what)
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, len(self.links), replace(self.to_server), replace(self.to_client))
        self.links.append(link)
        self.note(Happened(link.number, "accepted"))
        if self.silent:
            self.note(Happened(link.number, "silent"))
            link.hold(reader, writer)
            return
        self._accepting.append(asyncio.current_task())
        try:
            behind = await self._connect()
        except OSError:
            self.note(Happened(link.number, "nobody behind"))
            writer.transport.abort()
            return
        finally:
            self._accepting.remove(asyncio.current_task())
        link.carry(reader, writer, *behind)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.upstream, Path):
            return await asyncio.open_unix_connection(self.upstream)
        return await asyncio.open_connection(self.host, self.upstream)


@dataclass(eq=False)
class Link:
    """One connection of a client, and the one behind it."""

    network: Network
    number: int
    to_server: Way
    to_client: Way
    open: bool = True
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accepted and silent: what comes in is swallowed."""
        self._writers = [writer]
        self.to_server.vanishes = True
        self._tasks = [asyncio.create_task(self._pass(reader, None, "to_server"))]

    def carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        behind: asyncio.StreamReader,
        to_behind: asyncio.StreamWriter,
    ) -> None:
        self._writers = [writer, to_behind]
        if not self.open:  # ended while it was being made
            for one in self._writers:
                one.transport.abort()
            return
        self._tasks = [
            asyncio.create_task(self._pass(reader, to_behind, "to_server")),
            asyncio.create_task(self._pass(behind, writer, "to_client")),
        ]

    def vanish(self) -> None:
        """Half-open both ways: each end believes that the other is there."""
        self.to_server.vanishes = self.to_client.vanishes = True

    def cut(self) -> None:
        """Both ends are closed in order (FIN)."""
        self._end("cut")

    def reset(self) -> None:
        """Both ends get RST, what was on its way is lost."""
        if not self.open:
            return
        for writer in self._writers:
            bare = writer.get_extra_info("socket")
            with suppress(OSError):
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end("reset", abort=True)

    async def ended(self) -> None:
        """Nothing of it is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end(self, how: str, *, abort: bool = False) -> None:
        if not self.open:
            return
        self.open = False
        self.network.note(Happened(self.number, how))
        for writer in self._writers:
            if abort:
                writer.transport.abort()
            else:
                writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None, name: str
    ) -> None:
        way: Way = getattr(self, name)
        with suppress(OSError):
            while data := await reader.read(way.trickle_bytes or PIECE_BYTES):
                if self.network.on_data is not None:
                    self.network.on_data(self, name, data)
                while way.stuck:
                    self._tell("stuck", name)
                    await asyncio.sleep(0.02)
                if way.slow_s:
                    self._tell("trickled" if way.trickle_bytes else "slow", name)
                    await asyncio.sleep(way.slow_s)
                if way.vanishes or writer is None:
                    self._tell("vanished", name, len(data))
                    continue
                if not await self._write(writer, data, way):
                    return
        if not way.vanishes:  # an end that is half-open does not learn that the other has gone
            self._end("closed")

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, way: Way) -> bool:
        """False where that ended the link."""
        for left, end in ((way.cut_after, self.cut), (way.reset_after, self.reset)):
            if left is not None and len(data) > left:
                writer.write(data[:left])
                with suppress(OSError):
                    await writer.drain()
                end()
                return False
        way.cut_after = None if way.cut_after is None else way.cut_after - len(data)
        way.reset_after = None if way.reset_after is None else way.reset_after - len(data)
        writer.write(data)
        await writer.drain()
        return True

    def _tell(self, what: str, way: str, size: int = 0) -> None:
        """A lasting thing is told once a link."""
        if (what, way) not in self._told:
            self._told.add((what, way))
            self.network.note(Happened(self.number, what, way, size))
