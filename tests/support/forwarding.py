"""Sends events on, for tests to kill: ``python -m tests.support.forwarding URL POSTHOG KEY``."""

from __future__ import annotations

import asyncio
import sys

import httpx

from stead.analytics import Forwarder, PostHogConfig
from stead.db import Database, PoolConfig


async def main(url: str, posthog: str, key: str) -> None:
    """One round."""
    db = await Database.open(PoolConfig(url=url, min_size=1, max_size=2))
    async with httpx.AsyncClient() as http:
        await Forwarder(db, PostHogConfig(url=posthog, key=key, timeout_s=25.0), http).round()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
