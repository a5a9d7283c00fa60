"""The stdio transport: one client, who started this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import threading
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def serve(server: Server[Any], stop: asyncio.Event) -> None:
    """Serves until the client closes standard input, or is gone, or until ``stop`` is set.

    Standard output belongs to the protocol meanwhile: whatever else is printed goes to standard error. Calls
    that are under way at the end are given up; their transactions are rolled back.

    Args:
        server: The client's.
        stop: Set by whoever ends the process.
    """
    # A read from standard input cannot be interrupted. It is made by a thread that nobody waits for, and what
    # is read comes through a socket, which can be closed from here.
    ours, theirs = socket.socketpair()
    threading.Thread(target=_pump, args=(sys.stdin.fileno(), ours), name="stdin", daemon=True).start()
    stopping = asyncio.create_task(_close(ours, stop))
    try:
        with (
            ours,
            theirs,
            theirs.makefile("r", encoding="utf-8", errors="replace", newline="\n") as lines,
        ):
            async with stdio_server(stdin=anyio.wrap_file(lines)) as (reading, writing):
                try:
                    await server.run(reading, writing, server.create_initialization_options())
                finally:
                    # Nobody reads the answers any more: the reader, which waits for its thread, ends too.
                    _end(ours)
    except* BrokenPipeError:
        pass  # The client is gone: there is nobody to answer.
    finally:
        stopping.cancel()


async def _close(ours: socket.socket, stop: asyncio.Event) -> None:
    await stop.wait()
    _end(ours)


def _pump(fd: int, ours: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := os.read(fd, 65_536):
            ours.sendall(chunk)
    _end(ours)


def _end(ours: socket.socket) -> None:
    with contextlib.suppress(OSError):
        ours.shutdown(socket.SHUT_WR)
