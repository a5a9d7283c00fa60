"""A server that answers every request with bytes given beforehand: what no model says, but a network brings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

Ending = Literal["end", "cut", "open"]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_raw\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


class RawServer:
    """Sends a body in pieces, each a chunk of its own, and ends it as it is told.

    `end` ends the body; `cut` closes the connection before that; `open` leaves both open.
    """

    def __init__(self, pieces: Sequence[bytes], ending: Ending = "end") -> None:
        self.pieces = pieces
        self.ending = ending
        self.connections = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._request(reader):
                body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in self.pieces if piece)
                writer.write(_HEAD + body + (b"0\r\n\r\n" if self.ending == "end" else b""))
                await writer.drain()
                if self.ending == "cut":
                    break
        finally:
            writer.close()

    @staticmethod
    async def _request(reader: asyncio.StreamReader) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        found = _LENGTH.search(head)
        await reader.readexactly(int(found[1]) if found else 0)
        return True


@asynccontextmanager
async def raw_server(pieces: Sequence[bytes], ending: Ending = "end") -> AsyncIterator[RawServer]:
    raw = RawServer(pieces, ending)
    server = await asyncio.start_server(raw.answer, "127.0.0.1", 0, limit=1 << 20)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
