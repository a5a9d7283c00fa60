"""A run's stream as any process can serve it: what is written, then what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import structlog

from stead import sessions
from stead.agents import frames, queries
from stead.agents.frames import Frame
from stead.agents.streams import SILENCE_S, topic_of
from stead.agents.transcript import unfold
from stead.db import CONNECTION_LOST, Database, Row
from stead.db.errors import DatabaseUnavailable
from stead.identity import Principal
from stead.realtime import Hub

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN_S: Final = 1.0
MAX_AGE_S: Final = 900.0


async def follow(
    db: Database, hub: Hub, principal: Principal, run_id: UUID
) -> AsyncIterator[list[Frame]]:
    """Every frame of a run from the first on; ends when the run has ended, or after 15 minutes.

    An empty list now and then says that nothing came, so that connections are kept alive.

    Holds no transaction while it waits. A notification only shortens the wait: the cursor is what counts.

    Args:
        db: The database.
        hub: Wakes this when frames were written.
        principal: Whose run it is.
        run_id: The run.
    """
    served = principal.served()
    cursor = 0
    loop = asyncio.get_running_loop()
    deadline = loop.time() + MAX_AGE_S
    told = loop.time()
    with hub.subscribe(topic_of(run_id)) as changes:
        while loop.time() < deadline:
            try:
                async with db.transaction(served, read_only=True) as tx:
                    # The state is read before the frames: an ended run writes none after its end.
                    run = await queries.run_by_id(tx, principal.tenant.id, run_id)
                    chunks = await queries.chunks_after(tx, principal.tenant.id, run_id, cursor)
            except (DatabaseUnavailable, *CONNECTION_LOST) as error:
                # Nothing is lost: the cursor stands where it stood.
                _log.warning("stream_read_failed", run_id=str(run_id), reason=type(error).__name__)
                await changes.wait(_LOOK_AGAIN_S)
                continue
            for chunk in chunks:
                cursor = chunk["seq"]
                told = loop.time()
                yield chunk["frames"]
            if run is None or run["status"] != "running":
                if cursor == 0 and run is not None:
                    yield await _told_again(db, principal, run)
                return
            if loop.time() - told > SILENCE_S:
                told = loop.time()
                yield []
            await changes.wait(_LOOK_AGAIN_S)


async def _told_again(db: Database, principal: Principal, run: Row) -> list[Frame]:
    """A run whose frames were swept, from its message."""
    async with db.transaction(principal.served(), read_only=True) as tx:
        message = await sessions.messages.find(tx, principal, run["session_id"], str(run["message_id"]))
    metadata = message.metadata if message else {"status": run["status"]}
    told = unfold(str(run["message_id"]), message.parts if message else [], metadata)
    if run["error"]:
        return [*told, frames.error(f"{run['error']['message']} ({run['error']['code']})")]
    return [*told, frames.abort() if run["status"] == "cancelled" else frames.finish(metadata)]
