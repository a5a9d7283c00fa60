"""An HTTP server that fails in the ways that networks and vendors do, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Heard:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FaultyServer:
    """Answers every request in one way.

    Args:
        behaviour: `black_hole` (reads, and says nothing), `reset` (after the request), `reset_mid_body`, `drip`
            (a byte at a time, without end), `closed` (before the request is read), or `answer`.
        answer: The bytes of an answer.
    """

    behaviour: str = "answer"
    answer: bytes | Callable[[Heard], bytes] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    heard: list[Heard] = field(default_factory=list[Heard])
    connections: int = 0
    port: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            if self.behaviour == "closed":
                return
            heard = await _read(reader)
            self.heard.append(heard)
            await self._behave(heard, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _behave(
        self, heard: Heard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match self.behaviour:
            case "answer":
                writer.write(self.answer if isinstance(self.answer, bytes) else self.answer(heard))
            case "black_hole":
                await reader.read()  # until the client gives up
            case "reset":
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "reset_mid_body":
                writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"half":')
            case "drip":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
                while not reader.at_eof():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            case _:
                raise AssertionError(self.behaviour)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Heard:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    body = await reader.readexactly(int(found[1]) if found else 0)
    first, *lines = head.decode().strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Heard(line=first, headers={name.lower(): value for name, value in headers.items()}, body=body)


@asynccontextmanager
async def faulty_server(
    behaviour: str = "answer",
    answer: bytes | Callable[[Heard], bytes] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[FaultyServer]:
    faulty = FaultyServer(behaviour=behaviour)
    if answer is not None:
        faulty.answer = answer
    server = await asyncio.start_server(faulty.serve, "127.0.0.1", 0, ssl=tls)
    faulty.port = server.sockets[0].getsockname()[1]
    try:
        yield faulty
    finally:
        server.close()
        for writer in list(faulty.writers):
            writer.close()


def answering(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
