"""A load client that costs little: bytes from a socket, and the time stamps in them.

The model server writes ``time.monotonic_ns()`` into each delta, so that what a token needed from there to
here is read off the token itself, through Stead or not. Both sides are read by the same code.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

#: What the last event of a stream has in it: the connection may stay open after it.
_LAST: Final = (b"data: [DONE]", b'"type":"response.completed"', b'"type": "response.completed"')
_DELTA: Final = re.compile(rb'"delta": ?"((?:\d+ )+)"')


@dataclass(kw_only=True)
class Stream:
    """One answer as it arrived.

    Args:
        began_s, first_s, ended_s: ``time.monotonic()`` of the request, the first delta and the end.
        delivery_ms: For each token, from the model server's stamp to its arrival.
    """

    began_s: float
    first_s: float = 0.0
    ended_s: float = 0.0
    delivery_ms: list[float] = field(default_factory=list)

    @property
    def first_ms(self) -> float:
        """Time to the first token."""
        return (self.first_s - self.began_s) * 1000

    @property
    def tokens(self) -> int:
        """How many tokens came."""
        return len(self.delivery_ms)


async def post(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """The whole answer to a POST. Raises RuntimeError unless its status is 200."""
    reader, writer = await _send(url, body, headers)
    answer = await reader.read()
    writer.close()
    _require_ok(answer)
    return answer


async def stream(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Stream:
    """Sends a POST and reads the deltas of the answer to its end."""
    measured = Stream(began_s=time.monotonic())
    reader, writer = await _send(url, body, headers)
    received = bytearray()
    scanned = 0
    while chunk := await reader.read(65536):
        now_ns = time.monotonic_ns()
        received += chunk
        for match in _DELTA.finditer(received, scanned):
            if not measured.delivery_ms:
                measured.first_s = now_ns / 1e9
            # Tokens that arrived together may come as one delta: each stamp is a token.
            measured.delivery_ms += [(now_ns - int(stamp)) / 1e6 for stamp in match[1].split()]
            scanned = match.end()
        if any(last in received[scanned:] for last in _LAST):
            break
    measured.ended_s = time.monotonic()
    writer.close()
    _require_ok(bytes(received[:2000]))
    if not measured.delivery_ms:
        raise RuntimeError(f"no delta came: {bytes(received[-500:])!r}")
    return measured


async def first_delta(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> float:
    """``time.monotonic()`` when the first words of an answer came, whatever they are."""
    reader, writer = await _send(url, body, headers)
    received = bytearray()
    while b'"delta":' not in received:
        chunk = await reader.read(65536)
        if not chunk:
            raise RuntimeError(f"no delta came: {bytes(received[-500:])!r}")
        received += chunk
    came = time.monotonic()
    while await reader.read(65536):
        pass
    writer.close()
    return came


async def get_status(url: str) -> int:
    """The status of a GET, 0 when nobody answers."""
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {parts.path} HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n".encode())
        first = await reader.readline()
        writer.close()
        return int(first.split(b" ")[1])
    except (OSError, IndexError):
        return 0


async def _send(
    url: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    content = json.dumps(body).encode()
    lines = {"host": parts.netloc, "content-type": "application/json", "connection": "close", **headers}
    head = f"POST {parts.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
    writer.write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
    return reader, writer


def _require_ok(answer: bytes) -> None:
    if b" 200 " not in answer[:20]:
        raise RuntimeError(f"not 200: {answer[:1000]!r}")
