"""The address that the service listens on: taken first, so that one that is taken is told at once."""

import socket

TAKES_NOTHING_S_MAX = 40.0
"""As a ping without an answer. A device that takes nothing any more would stay otherwise: a close waits until
it took the rest, which a full receive window puts off for ever (RFC 9293, 3.8.6.1; RFC 5482)."""


class CanNotListen(Exception):
    """The address can not be listened on; the text says why and what to do, in one line."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket, found out before anything is started. Raises CanNotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; connections have it from what listens
            untaken_ms = int(TAKES_NOTHING_S_MAX * 1000)
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, untaken_ms)
        bound.bind(address)
    except OSError as error:
        raise CanNotListen(
            f"can not listen on {host} port {port} ({error.strerror}); use another --port or --host"
        ) from None
    return bound


def url_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
