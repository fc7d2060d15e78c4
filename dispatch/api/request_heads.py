"""The head of a request (method, path, headers) within bounds and time, as its body is (``reading``).

uvicorn's parser puts what comes of a header onto what it has, without end: a single unfinished one of 40 MB,
by nobody we know, kept all others waiting for seconds. Nor does it mind how long a head takes.

And what asks for another protocol than websockets is answered as if it did not (RFC 9110, 7.8): Java's client
asks for HTTP/2 with every request without TLS, and the parser takes the body that follows for the other's.
"""

import sys
from asyncio import Transport
from http import HTTPStatus
from typing import Any

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dispatch.api.problem import Problem

HEAD_BYTES_MAX = 32 * 1024
HEAD_S_MAX = 10.0
LINGER_S = 1.0
"""What still comes after a refusal is read and dropped for so long, or the refusal itself would be lost: the
system answers a close amid unread bytes with a reset (RFC 9112, 9.6)."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's connection, which answers a head that is too large, too slow or none, and closes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        """Since the last head was whole, or a piece of a body came: what follows a body counts too."""
        self._head_due: Any = None
        self._in_head = False
        self._refused = False
        self._body_left_out: bytes | None = None
        """The header that tells of a body which the parser has not read, as the request asked to upgrade."""
        self._head_ended = 0
        self._once_more = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._close_if_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._feed(data)
        while self._body_left_out is not None and not self._refused:
            self._read_body_after_all(self._body_left_out)
            data = data[self._head_ended :]
            self._feed(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(Problem("head_too_large"))
        elif not self._in_head:
            self._in_time()
        elif self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_S_MAX, self._late)

    def _feed(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # It refers to this, as this to it: only the collector could tell that nobody needs them any more.
        self.parser = None  # type: ignore[assignment]

    def on_message_begin(self) -> None:
        if self._once_more:
            return
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self._once_more:
            return
        self._in_head = False
        too_large = self._head_bytes > HEAD_BYTES_MAX and self._length() > HEAD_BYTES_MAX
        self._head_bytes = 0
        if too_large:
            self._refuse(Problem("head_too_large"))
        else:
            super().on_headers_complete()
            if self.parser.should_upgrade() and not self._should_upgrade():
                self._body_left_out = self._body_told()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused and self._body_left_out is None:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says of what is no HTTP, as a problem document."""
        self._refuse(Problem("malformed", detail=msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Called while the parser's exception is handled, which has where the head ended."""
        upgrade = sys.exc_info()[1]
        if upgrade is not None:
            self._head_ended = upgrade.args[0]

    def _body_told(self) -> bytes | None:
        """The header by which a body is to come, if one is."""
        told = (b"content-length", b"transfer-encoding")
        return next((name + b": " + value for name, value in self.headers if name in told), None)

    def _read_body_after_all(self, told: bytes) -> None:
        """By another parser, whose head says the same of the body, and does not ask to upgrade."""
        url, headers = self.url, self.headers
        self.url, self.headers, self._once_more, self._body_left_out = b"", [], True, None
        self.parser = HttpRequestParser(self)
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + told + b"\r\n\r\n")
        self.url, self.headers, self._once_more = url, headers, False

    def _length(self) -> int:
        """Of the whole head, which may have come in one piece with what follows it."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _close_if_idle(self) -> None:
        """As a connection that was kept alive: one that says nothing at all is let go."""
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _late(self) -> None:
        self._refuse(Problem("malformed", detail=f"The head did not come within {HEAD_S_MAX:.0f} s."))

    def _in_time(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _refuse(self, problem: Problem) -> None:
        self._in_time()
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # a refusal would stand amid another's answer
            return
        response = problem.response()
        status = HTTPStatus(response.status_code)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)]))
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.abort)
