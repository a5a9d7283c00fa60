"""Fixtures of the guarantees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.guarantees.acts import Works, works_on


@pytest_asyncio.fixture
async def acting(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Works]:
    """Tenants that act, on a database of the test's own."""
    async with works_on(fresh, tmp_path) as found:
        yield found
