"""Processes that a benchmark starts: found by their own id, watched, and ended."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import psutil


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@asynccontextmanager
async def python(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Started]:
    """``python -m module …`` as a process of its own, ended with SIGTERM. No setting of the shell reaches it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STEAD_", "OPENAI_", "DATABASE_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env={**kept, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
    )
    started = Started(process)
    try:
        yield started
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


class Started:
    """A process under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @property
    def pid(self) -> int:
        """Its id."""
        return self.process.pid

    async def line(self) -> str:
        """The next line of its standard output."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the process ended"
        return line.decode().strip()


def cpu_s(pid: int, *, children: bool = False) -> float:
    """User and system time of a process; of those that ended among its children too, where asked."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system
    if children:
        total += times.children_user + times.children_system
        for child in process.children(recursive=True):
            try:
                own = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += own.user + own.system
    return total
