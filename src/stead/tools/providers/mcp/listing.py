"""Tools of MCP servers as those of the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Final

import structlog
from mcp.client.client import Client
from mcp.types import Tool

from stead.tools.models import Risk, ToolSpec
from stead.tools.providers.errors import ToolProviderUnavailable
from stead.tools.providers.mcp.config import McpServer, ToolRule
from stead.tools.providers.plain import storable

_log = structlog.stdlib.get_logger(__name__)

_TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_./-]{1,128}")
_MAX_PAGES: Final = 100
_MAX_TOOLS: Final = 2000
_MAX_SCHEMA_BYTES: Final = 65_536
_MAX_DESCRIPTION_CHARS: Final = 4000


async def listed(client: Client, server: McpServer) -> AsyncIterator[ToolSpec]:
    """The tools of a server, page by page.

    Raises:
        ToolProviderUnavailable: The server does not come to an end.
    """
    cursor: str | None = None
    seen: set[str] = set()
    skipped = told = 0
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        for tool in page.tools:
            spec = spec_of(tool, server)
            if spec is None or spec.slug in seen:
                skipped += 1
                continue
            seen.add(spec.slug)
            told += 1
            yield spec
        cursor = page.next_cursor
        if not cursor:
            if skipped:
                _log.warning("mcp_tools_skipped", server=server.name, tools=skipped)
            return
        if told > _MAX_TOOLS:
            break
    raise ToolProviderUnavailable(f"MCP server {server.name} lists tools without an end")


def spec_of(tool: Tool, server: McpServer) -> ToolSpec | None:
    """A tool as the catalogue has it; None where its name or schema cannot be used.

    What a server says of its own tools is a hint, and a stranger's: it may raise the risk, and never lowers it.
    Whether a call may be repeated is for the operator to say.
    """
    schema = storable(tool.input_schema)
    size = len(json.dumps(schema, ensure_ascii=False).encode())
    if not _TOOL_NAME.fullmatch(tool.name) or schema.get("type") != "object" or size > _MAX_SCHEMA_BYTES:
        return None
    rule = server.tools.get(tool.name, ToolRule())
    hints = tool.annotations
    title = tool.title or (hints.title if hints else None) or tool.name
    return ToolSpec(
        slug=f"{server.name}.{tool.name}",
        version="1",
        provider="mcp",
        display_name=storable(title)[:200],
        description=storable(tool.description or "")[:_MAX_DESCRIPTION_CHARS],
        schema=schema,
        risk=_risk(rule.risk or server.risk, destructive=bool(hints and hints.destructive_hint)),
        idempotent=rule.idempotent,
        timeout_s=rule.timeout_s or server.timeout_s,
        config={"server": server.name, "tool": tool.name},
    )


def _risk(said: Risk, *, destructive: bool) -> Risk:
    return "high" if destructive and said in {"low", "medium"} else said
