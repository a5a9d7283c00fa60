"""The sessions that are open: one for each server and tenant, kept, and opened anew when lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from stead.tools.providers.errors import ToolProviderUnavailable
from stead.tools.providers.mcp.config import McpServer, Secrets
from stead.tools.providers.mcp.connection import Connection

_IDLE_S: Final = 300.0
_MOST: Final = 64

#: A tenant; None: nobody's, for listings.
Key = tuple[str, UUID | None]


class Connections:
    """Sessions by server and tenant: a server may keep state for a session, which is one tenant's.

    Args:
        secrets: Where secrets come from.
        idle_s: After how long without a call a session ends.
        most: How many there are at once.
    """

    def __init__(self, secrets: Secrets, *, idle_s: float = _IDLE_S, most: int = _MOST) -> None:
        self._secrets = secrets
        self._idle_s = idle_s
        self._most = most
        self._open: dict[Key, Connection] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(self, server: McpServer, tenant_id: UUID | None) -> AsyncGenerator[Connection]:
        """A session that stays open at least as long as the block.

        Raises:
            ToolProviderUnavailable: All that may be open are in use.
        """
        key = (server.name, tenant_id)
        connection = self._open.get(key)
        if connection is None or connection.closed:
            self._make_room(key)
            connection = self._open[key] = Connection(server, self._secrets, idle_s=self._idle_s)
        connection.calls += 1
        try:
            yield connection
        finally:
            connection.calls -= 1
            connection.used_at = asyncio.get_running_loop().time()

    def drop(self, connection: Connection) -> None:
        """Ends a session that is broken; the next call opens another one."""
        for key, each in list(self._open.items()):
            if each is connection:
                del self._open[key]
        connection.closed = True
        task = asyncio.create_task(connection.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Ends all of them."""
        for connection in list(self._open.values()):
            self.drop(connection)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _make_room(self, key: Key) -> None:
        for name, each in list(self._open.items()):
            if each.closed:
                del self._open[name]
        if len(self._open) < self._most or key in self._open:
            return
        idle = [each for each in self._open.values() if each.calls == 0]
        if not idle:
            raise ToolProviderUnavailable(f"{self._most} sessions with MCP servers are in use")
        self.drop(min(idle, key=lambda each: each.used_at))
