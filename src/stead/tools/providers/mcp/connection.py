"""An open session with an MCP server."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from stead.tools.providers.mcp.config import McpServer, Secrets, fill
from stead.tools.providers.mcp.sending import WatchedStream, WatchedTransport

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
_CLOSING_S: Final = 10.0


class Connection:
    """A session, held by a task of its own: what the library opens in a task must be closed in it.

    Args:
        server: With whom.
        secrets: Where its secrets come from.
        idle_s: After how long without a call it ends by itself.
    """

    def __init__(self, server: McpServer, secrets: Secrets, *, idle_s: float) -> None:
        self.secrets: set[str] = set()
        self.closed = False
        self.calls = 0
        self.used_at = asyncio.get_running_loop().time()
        self._server = server
        self._named_secrets = secrets
        self._idle_s = idle_s
        self._end = asyncio.Event()
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        # In a context of its own: what opens it for all calls is no part of the first one.
        self._task = asyncio.create_task(
            self._hold(), name=f"mcp {server.name}", context=contextvars.Context()
        )

    async def client(self) -> Client:
        """The client, once it is connected.

        Raises:
            ToolProviderMisconfigured: A secret is not there.
            Exception: Whatever kept it from being connected.
        """
        return await asyncio.shield(self._client)

    @property
    def connected(self) -> bool:
        """Whether the client is there, or known not to be had."""
        return self._client.done()

    async def aclose(self) -> None:
        """Ends the session; the server's process, if it has one, ends too."""
        self.closed = True
        self._end.set()
        if not self._client.done():
            self._task.cancel()
        done, _ = await asyncio.wait([self._task], timeout=_CLOSING_S)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_CLOSING_S)

    async def _hold(self) -> None:
        try:
            transport = _transport(self._server, self._named_secrets, self.secrets)
            async with Client(transport, cache=None) as client:
                self._client.set_result(client)
                await self._until_idle()
        except asyncio.CancelledError:
            self._fail(ConnectionAbortedError("the session was given up"))
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits for the client is told; afterwards nobody is
            self._fail(error)
        finally:
            self.closed = True

    def _fail(self, error: Exception) -> None:
        if not self._client.done():
            self._client.set_exception(error)
            # It may be that nobody waits any more.
            self._client.exception()

    async def _until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._end.is_set():
            left = self._idle_s - (loop.time() - self.used_at)
            if left <= 0 and self.calls == 0:
                # No call can take it between here and the end: nothing is awaited.
                self.closed = True
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(left, 1.0)):
                    await self._end.wait()


def _transport(server: McpServer, secrets: Secrets, used: set[str]) -> AbstractAsyncContextManager[Any]:
    if server.command is not None:
        return _stdio(server, server.command, secrets, used)
    return _http(server, server.url or "", secrets, used)


@asynccontextmanager
async def _stdio(
    server: McpServer, command: str, secrets: Secrets, used: set[str]
) -> AsyncGenerator[Any]:
    environment, found = fill(server.env, secrets, server.name)
    used.update(found)
    program = StdioServerParameters(
        command=command,
        args=list(server.args),
        env=environment,
        cwd=server.cwd,
        encoding_error_handler="replace",
    )
    # What it says on standard error may be anything, also what it was given.
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123, ASYNC230 - nothing is waited for
        async with stdio_client(program, nowhere) as (read, write):
            yield read, WatchedStream(write)


@asynccontextmanager
async def _http(server: McpServer, url: str, secrets: Secrets, used: set[str]) -> AsyncGenerator[Any]:
    headers, found = fill(server.headers, secrets, server.name)
    used.update(found)
    async with (
        httpx2.AsyncClient(
            headers=headers,
            timeout=httpx2.Timeout(10.0, read=None),  # a call's own time limit ends it
            transport=WatchedTransport(max_bytes=MAX_MESSAGE_BYTES),
            trust_env=False,
        ) as http,
        streamable_http_client(url, http_client=http, max_sse_event_size=MAX_MESSAGE_BYTES) as streams,
    ):
        yield streams
