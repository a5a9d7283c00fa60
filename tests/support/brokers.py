"""Brokers as Debian ships them, each of a test's own, on a port of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import uuid
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest


def _held_port() -> socket.socket:
    """A port that nobody else is given while this is open: it refuses, until a server listens there beside it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class RedisBroker:
    """A Redis that keeps nothing: what it held is lost when it stops."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed")
        self._program = program
        # Also while it is down: a connection of some other test would take the port.
        held = _held_port()
        weakref.finalize(self, held.close)
        self.port: int = held.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it, empty, and waits until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(30):
            while True:
                try:
                    if await self.command("PING") == "+PONG":
                        return
                except ConnectionError:
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()

    async def command(self, *words: str) -> str:
        """The first line of what it answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
            writer.write(f"*{len(words)}\r\n{''.join(parts)}".encode())
            return (await reader.readline()).decode().strip()
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def redis_broker() -> AsyncIterator[RedisBroker]:
    """A running Redis."""
    broker = RedisBroker()
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


@asynccontextmanager
async def rabbit_broker() -> AsyncIterator[str]:
    """The URL of a running RabbitMQ, whose files and whose port mapper are its own."""
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if not os.access(program, os.X_OK):
        pytest.skip("rabbitmq-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="stead-rabbit-"))
    port, mapper = _free_port(), _free_port()
    (folder / "advanced.config").write_text("[].\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RABBITMQ_HOME": str(folder),
        "RABBITMQ_NODENAME": f"stead-{uuid.uuid4().hex[:8]}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(_free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "LANG": "C.UTF-8",
    }
    log: list[str] = []
    process = await asyncio.create_subprocess_exec(
        program, env=environment, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )  # fmt: skip
    assert process.stdout is not None
    output = process.stdout

    async def read() -> None:
        while line := await output.readline():
            log.append(line.decode(errors="replace").rstrip())

    reader = asyncio.create_task(read())
    try:
        async with asyncio.timeout(120):
            while not any("Server startup complete" in line for line in log):
                assert process.returncode is None, "\n".join(log)
                await asyncio.sleep(0.05)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        family = (
            psutil.Process(process.pid).children(recursive=True) if process.returncode is None else []
        )
        # The port mapper puts itself beside the server, as a daemon.
        mappers = [
            each for each in psutil.process_iter(["name", "environ"])
            if each.info["name"] == "epmd" and (each.info["environ"] or {}).get("ERL_EPMD_PORT") == str(mapper)
        ]  # fmt: skip
        for each in (*family, *mappers):
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reader
        shutil.rmtree(folder, ignore_errors=True)
