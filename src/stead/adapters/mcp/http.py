"""The streamable HTTP transport, without state: any number of processes answer the same client."""

from __future__ import annotations

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send


async def answer(
    server: Server[Any], scope: Scope, receive: Receive, send: Send, *, max_body_bytes: int
) -> None:
    """Answers one request, which was authenticated, with JSON.

    A call that has begun is finished, whether its client waits for it or not.

    Args:
        server: The caller's; it is used for nothing else.
        scope: Of the request; ``receive`` and ``send`` likewise.
        max_body_bytes: Refused above this size.
    """
    # A manager for a request: it is cheap, what it starts ends with the request, and the package is
    # imported only where somebody asks.
    manager = StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=max_body_bytes
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)
