"""A socket that puts a text frame on the wire in one piece: all that devices are sent, but for what opens,
closes and keeps a connection.

The last of twenty medics waits for nineteen such frames. `websockets` makes each in several steps, since it
makes every kind, on either side and with extensions.
"""

import struct

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN


class TextFrames(WebSocketsSansIOProtocol):
    """uvicorn's connection."""

    async def send(self, message: ASGISendEvent) -> None:
        text = message.get("text")
        if isinstance(text, str) and self._plainly_open():
            self.transport.write(text_frame(text))
        else:
            await super().send(message)

    def _plainly_open(self) -> bool:
        """Nothing is to be waited for, refused or laid over the frame."""
        plainly = self.handshake_complete and not self.close_sent and self.writable.is_set()
        return plainly and self.conn.state is OPEN and not self.conn.extensions and not self.disconnected


def text_frame(text: str) -> bytes:
    """A whole text as a server sends it (RFC 6455, 5.2): final, not masked.

    >>> text_frame("ja")
    b'\\x81\\x02ja'
    """
    data = text.encode()
    length = len(data)
    if length < 126:
        return struct.pack("!BB", 0x81, length) + data
    if length < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, length) + data
    return struct.pack("!BBQ", 0x81, 127, length) + data
