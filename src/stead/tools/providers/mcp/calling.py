"""One ``tools/call``.

Not through the library's `call_tool`: that lists the server's tools after an answer, to check it by the tool's
output schema. What fails there would make a call that succeeded look like one of which nobody knows.
"""

from __future__ import annotations

from typing import Any, Final, cast

from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    HEADER_MISMATCH,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
)
from pydantic import TypeAdapter

from stead.tools.models import ToolCall
from stead.tools.providers.mcp.config import McpServer
from stead.tools.providers.mcp.listing import listed

#: In ``_meta``, where servers that know it can tell a repeated call, and others do not look.
KEY: Final = "dev.stead/idempotency-key"

_Answer = CallToolResult | InputRequiredResult
_ANSWER: Final[TypeAdapter[_Answer]] = TypeAdapter(_Answer)


async def called(
    client: Client, call: ToolCall, server: McpServer
) -> CallToolResult | InputRequiredResult:
    """What the server answers.

    Raises:
        MCPError: It refused, or there is no answer.
        ValidationError: Its answer is none.
    """
    try:
        return await _send(client, call)
    except MCPError as error:
        if error.code != HEADER_MISMATCH:
            raise
    # It wants arguments in headers, as its listing says, and refused before anything ran (2026-07-28).
    async for _ in listed(client, server):
        pass
    return await _send(client, call)


async def _send(client: Client, call: ToolCall) -> CallToolResult | InputRequiredResult:
    params = CallToolRequestParams(
        name=str(call.tool.config.get("tool")),
        arguments=dict(call.arguments),
        _meta=cast("Any", {KEY: call.key}),
    )
    return await client.session.send_request(CallToolRequest(params=params), _ANSWER)
