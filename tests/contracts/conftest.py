"""A connection to read the catalogue with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from stead.assembly.database import DatabaseAccess


@pytest_asyncio.fixture
async def catalogue(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(access.admin_url)
    yield connection
    await connection.close()
