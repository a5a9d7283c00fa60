"""The official client of the Model Context Protocol, and what it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from stead.db import Database
from stead.memory import records
from tests.support.people import Person

#: The handshake of 2025, and requests that stand alone, of 2026.
ERAS = ("legacy", "auto")


@asynccontextmanager
async def connected(base_url: str, headers: dict[str, str], mode: str = "auto") -> AsyncIterator[Client]:
    """The official client."""
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{base_url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert block.type == "text"
    return block.text


def code_of(result: CallToolResult) -> str:
    """The code of a refused call, which is said in words too."""
    assert result.is_error, result
    assert result.structured_content is None
    assert result.meta is not None
    error = result.meta["stead/error"]
    assert error["detail"]
    assert text_of(result).startswith(f"{error['code']}: {error['detail']}")
    return error["code"]


async def contents(db: Database, person: Person) -> list[str]:
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        page = await records.listing(tx, person.principal, scope_id=person.id)
    return sorted(m.content for m in page.items)
