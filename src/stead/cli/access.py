"""The database for one command: found, and left as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from stead.assembly.database import DatabaseAccess, reach
from stead.assembly.settings import Settings
from stead.db import embedded

T = TypeVar("T")


@asynccontextmanager
async def database(settings: Settings) -> AsyncGenerator[DatabaseAccess]:
    """The database. An embedded server that was not running is stopped again afterwards."""
    access = await reach(settings)
    try:
        yield access
    finally:
        if access.server is not None and access.server.started_here:
            await asyncio.to_thread(embedded.stop, settings.home)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on uvloop, where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)
