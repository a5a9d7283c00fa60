"""Seals and anchors without end, for tests to kill: ``python -m tests.support.sealer URL SECRET FILE SEED``."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import asyncpg

from stead import audit
from stead.audit import AnchorFile, SigningKey
from stead.db import CONNECTION_LOST, Database, PoolConfig


async def main(url: str, secret: str, anchors: str, seed: str) -> None:
    """Says "sealed" after each round that sealed something."""
    chance = random.Random(int(seed))
    key = SigningKey.from_secret(secret)
    file = AnchorFile(Path(anchors), key)
    db = await Database.open(PoolConfig(url=url, min_size=0, max_size=2))
    while True:
        try:
            done = await audit.seal(db, key, batch=chance.choice((1, 20, 1000)))
            await file.anchor(db)
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            continue
        if done:
            sys.stdout.write("sealed\n")
            sys.stdout.flush()
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
