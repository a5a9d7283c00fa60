"""Stead's own server, in this process or in one of its own, always on a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.assembly.maintenance import maintain
from stead.http import Parts
from stead.http.serving import STALL_S, server_options
from tests.support.people import SECRET

#: Limits that no test of something else runs into.
GENEROUS = {
    f"{name}rate_limit": "100000/minute"
    for name in ("", "session_", "address_", "open_", "chat_", "address_chat_", "unknown_id_")
}


@dataclass
class Running:
    """A server under test."""

    base_url: str
    parts: Parts
    client: httpx.AsyncClient
    server: uvicorn.Server | None = None

    def stop(self) -> None:
        """Asks it to end, as a signal would."""
        assert self.server is not None
        self.server.should_exit = True


#: Clients of the servers that run now.
_clients: set[httpx.AsyncClient] = set()


def forget_cookies() -> None:
    """Makes every client forget what servers gave it: a test must not act in another one's session."""
    for client in _clients:
        client.cookies.clear()


class _Server(uvicorn.Server):
    """Signals are pytest's business."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def running_server(
    access: DatabaseAccess,
    app: Stead | None = None,
    *,
    worker: bool = False,
    stall_s: float = STALL_S,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Stead's HTTP server in this process, on an ephemeral port.

    Args:
        access: Its database.
        app: An application with agents and tools of its own.
        worker: Whether the maintenance loop runs too.
        stall_s: How long a client may take nothing.
        settings: By field name.
    """
    stead = (app or Stead()).with_settings(
        **{"jwt_secret": SECRET, "model": "offline", "env": "development", **GENEROUS, **settings}
    )
    opened: list[Parts] = []

    @asynccontextmanager
    async def keep() -> AsyncIterator[Parts]:
        async with stead.open(access, "up" if worker else "serve") as parts:
            opened.append(parts)
            chores = asyncio.create_task(maintain(parts)) if worker else None
            try:
                yield parts
            finally:
                if chores is not None:
                    chores.cancel()
                    await asyncio.gather(chores, return_exceptions=True)

    listening = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(stead.http(keep), **server_options(drain_s=2, stall_s=stall_s)))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("the server ended while starting")
        await asyncio.sleep(0.01)
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        _clients.add(client)
        try:
            yield Running(base_url=base_url, parts=opened[0], client=client, server=server)
        finally:
            _clients.discard(client)
            server.should_exit = True
            await task
            listening.close()


class ServerProcess:
    """``stead serve`` (or worker) in a process of its own, which can be killed."""

    def __init__(self, access: DatabaseAccess, *command: str, **environment: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._command = command or ("serve",)
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("STEAD_")},
            "STEAD_DATABASE_URL": access.runtime_url,
            "STEAD_JWT_SECRET": SECRET,
            "STEAD_HOST": "127.0.0.1",
            "STEAD_PORT": str(self.port),
            **{f"STEAD_{name.upper()}": limit for name, limit in GENEROUS.items()},
            "STEAD_LOG_FORMAT": "json",
            **environment,
        }
        self.process: asyncio.subprocess.Process | None = None
        self.log: list[str] = []
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> ServerProcess:
        """Starts it and waits until it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stead", *self._command,
            env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        if self._command[0] == "worker":
            while not any("working" in line for line in self.log):
                assert self.process.returncode is None, "\n".join(self.log)
                await asyncio.sleep(0.02)
            return self
        async with httpx.AsyncClient(base_url=self.base_url) as client:
            for _ in range(600):
                assert self.process.returncode is None, "\n".join(self.log)
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return self
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError("the server is not ready: " + "\n".join(self.log))

    async def kill(self) -> None:
        """``kill -9``."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self._gone()

    async def stop(self) -> int:
        """SIGTERM, and waits."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        await self._gone()
        assert self.process.returncode is not None
        return self.process.returncode

    async def _gone(self) -> None:
        assert self.process is not None
        await self.process.wait()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.log.append(line.decode(errors="replace").rstrip())


async def frames_of(response: httpx.Response) -> list[dict[str, Any]]:
    """The frames of a UI message stream, to its ``[DONE]``, which must be there."""
    found: list[dict[str, Any]] = []
    async for line in response.aiter_lines():
        if line == "data: [DONE]":
            return found
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
    raise AssertionError(f"the stream ended without [DONE] after {len(found)} frames")


async def say(
    client: httpx.AsyncClient, headers: dict[str, str], session: str, message: str, **body: Any
) -> list[dict[str, Any]]:
    """Sends a message (003's body) and returns the frames of the answer."""
    async with client.stream(
        "POST", "/api/chat", json={"sessionId": session, "message": message, **body}, headers=headers
    ) as answer:
        if answer.status_code != 200:
            await answer.aread()
            raise AssertionError(f"{answer.status_code}: {answer.text}")
        return await frames_of(answer)


def text_of(frames: list[dict[str, Any]]) -> str:
    """What the frames say."""
    return "".join(frame["delta"] for frame in frames if frame["type"] == "text-delta")
