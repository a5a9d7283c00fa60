"""Calls of MCP tools.

What a call comes to is decided by how far its message got, and by what the protocol says of the answer:

- The message never left: ``retryable``.
- The server refused it before any tool ran (unknown tool or method, arguments that do not fit, no such session,
  too many requests): ``permanent`` or ``retryable``.
- The tool ran and said that it failed (``isError``): ``permanent``, or what the server's configuration says.
- Anything else, from a time-out to an answer that cannot be read: ``unknown``. For tools that the operator calls
  idempotent it is ``retryable``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    CallToolResult,
    InputRequiredResult,
)

from stead.core.errors import SteadError
from stead.db import assert_no_transaction
from stead.tools.models import ToolCall, ToolOutcome, ToolSpec
from stead.tools.providers.errors import ToolProviderMisconfigured, ToolProviderUnavailable
from stead.tools.providers.mcp.calling import called
from stead.tools.providers.mcp.config import McpServer, Secrets
from stead.tools.providers.mcp.connection import Connection
from stead.tools.providers.mcp.connections import Connections
from stead.tools.providers.mcp.content import result_of
from stead.tools.providers.mcp.listing import listed
from stead.tools.providers.mcp.sending import Sending, current
from stead.tools.providers.plain import bounded, error_text

#: Of what a server refuses before anything runs.
_REFUSALS: Final = frozenset({INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND})
_MAX_RESULT_BYTES: Final = 262_144
_LISTING_S: Final = 60.0


class McpProvider:
    """Carries out calls of tools of MCP servers; implements `Provider`.

    Args:
        servers: The servers, as the operator configured them.
        secrets: The values of the secrets that they name.
        max_result_bytes: How much of a result is kept, as JSON.
        idle_s: After how long without a call a session ends.
    """

    def __init__(
        self,
        servers: Iterable[McpServer],
        secrets: Secrets,
        *,
        max_result_bytes: int = _MAX_RESULT_BYTES,
        idle_s: float = 300.0,
    ) -> None:
        self._servers = {server.name: server for server in servers}
        self._connections = Connections(secrets, idle_s=idle_s)
        self._max_result_bytes = max_result_bytes

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        return "mcp"

    def servers(self, tenant_slug: str) -> list[str]:
        """Names of the servers that a tenant may use."""
        return [server.name for server in self._servers.values() if server.serves(tenant_slug)]

    async def list_tools(self, server: str) -> AsyncIterator[ToolSpec]:
        """The tools of one server.

        Raises:
            ToolProviderMisconfigured: There is no such server, or a secret of it is not there.
            ToolProviderUnavailable: It does not answer. What was listed so far is not all there is.
        """
        assert_no_transaction("listing tools")
        found = self._servers.get(server)
        if found is None:
            raise ToolProviderMisconfigured(f"there is no MCP server {server!r}")
        async with self._connections.use(found, None) as connection:
            try:
                async with asyncio.timeout(_LISTING_S):
                    specs = [spec async for spec in listed(await connection.client(), found)]
            except SteadError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, the listing is not whole
                self._connections.drop(connection)
                raise ToolProviderUnavailable(
                    f"MCP server {server} does not list its tools: {type(error).__name__}"
                ) from None
        for spec in specs:
            yield spec

    async def execute(self, call: ToolCall) -> ToolOutcome:
        """Calls the tool once, in the tenant's session with its server."""
        assert_no_transaction("a tool call")
        server = self._servers.get(str(call.tool.config.get("server")))
        if server is None or not server.serves(call.tenant_slug):
            return _failed("permanent", "server_unknown", "there is no such MCP server")
        sending = Sending()
        token = current.set(sending)
        try:
            async with asyncio.timeout(call.tool.timeout_s):
                outcome = await self._once(call, server, sending)
                if outcome is None:
                    # The session was over before the message left, or the server said so: a new one.
                    outcome = await self._once(call, server, sending)
        except TimeoutError:
            outcome = (
                None if not sending.written else _failed("unknown", "timeout", "the call took too long")
            )
        finally:
            current.reset(token)
        if outcome is None:
            return _failed(
                "retryable", "server_unreachable", f"MCP server {server.name} does not answer"
            )
        if outcome.kind == "unknown" and call.tool.idempotent:
            return _failed("retryable", outcome.code or "unknown", outcome.error or "")
        return outcome

    async def aclose(self) -> None:
        """Ends all sessions, and the servers' processes with them."""
        await self._connections.aclose()

    async def _once(self, call: ToolCall, server: McpServer, sending: Sending) -> ToolOutcome | None:
        """One try; None: the message did not reach the server, or found no session there."""
        try:
            async with self._connections.use(server, call.tenant_id) as connection:
                return await self._within(connection, call, server, sending)
        except ToolProviderUnavailable:
            return _failed("retryable", "server_busy", "too many sessions with MCP servers are in use")

    async def _within(
        self, connection: Connection, call: ToolCall, server: McpServer, sending: Sending
    ) -> ToolOutcome | None:
        try:
            client = await connection.client()
        except asyncio.CancelledError:
            if not connection.connected and connection.calls == 1:
                self._connections.drop(connection)
            raise
        except ToolProviderMisconfigured as error:
            self._connections.drop(connection)
            return _failed("permanent", "secret_missing", error.detail)
        except Exception:  # noqa: BLE001 - whatever kept it from being connected, nothing was called
            self._connections.drop(connection)
            return None
        try:
            result = await called(client, call, server)
        except MCPError as error:
            return self._refused(connection, error, sending)
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - an answer that the library cannot read is an answer
            if not sending.written:
                self._connections.drop(connection)
                return None
            return _failed(
                "unknown", "result_invalid", f"the answer cannot be read ({type(error).__name__})"
            )
        if isinstance(result, InputRequiredResult):
            return _failed(
                "permanent", "input_required", "the tool asks for input, which nobody is there to give"
            )
        return self._answered(connection, server, result)

    def _answered(
        self, connection: Connection, server: McpServer, result: CallToolResult
    ) -> ToolOutcome:
        found = result_of(result)
        if result.is_error:
            said = error_text(str(found.get("text") or "the tool failed"), connection.secrets)
            return _failed(server.tool_errors, "tool_error", said)
        return ToolOutcome(kind="succeeded", result=bounded(found, self._max_result_bytes))

    def _refused(self, connection: Connection, error: MCPError, sending: Sending) -> ToolOutcome | None:
        said = error_text(error.message, connection.secrets)
        status = sending.status
        if not sending.written:
            self._connections.drop(connection)
            return None
        if status == 404 and error.code == INVALID_REQUEST:
            # The server has forgotten the session, and ran nothing (2025-11-25, Session Management).
            self._connections.drop(connection)
            sending.written, sending.status = False, None
            return None
        if status in {401, 403}:
            self._connections.drop(connection)
            return _failed("permanent", f"http_{status}", "the MCP server refuses Stead's credentials")
        if status == 429:
            return _failed("retryable", "rate_limited", said, retry_after_s=sending.retry_after_s)
        # The library has one of these codes also for answers of 200 that it cannot read.
        understood = error.code != INVALID_REQUEST or status is None or status >= 300
        if error.code in _REFUSALS and understood:
            return _failed("permanent", f"refused_{abs(error.code)}", said)
        self._connections.drop(connection)
        code = f"http_{status}" if status is not None and status >= 400 else f"failed_{abs(error.code)}"
        return _failed("unknown", code, said)


def _failed(kind: Any, code: str, error: str, retry_after_s: float | None = None) -> ToolOutcome:
    return ToolOutcome(kind=kind, code=code, error=error, retry_after_s=retry_after_s)
