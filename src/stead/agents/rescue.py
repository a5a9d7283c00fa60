"""Ending the runs of processes that died."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import structlog

from stead import sessions
from stead.agents import frames, queries, waiting
from stead.agents.errors import RunInterrupted
from stead.agents.streams import topic_of
from stead.agents.transcript import fold, without_calls
from stead.db import NOBODY, Database, Row
from stead.identity import tenant_service, tenants
from stead.memory import cognition
from stead.realtime import notify

_log = structlog.stdlib.get_logger(__name__)

INTERRUPTED_TEXT: Final = (
    "The answer was interrupted: the server that was giving it stopped. Send the message again."
    f" ({RunInterrupted.code})"
)


def interrupted_error() -> dict[str, Any]:
    """What the row of such a run says."""
    return {"code": RunInterrupted.code, "message": RunInterrupted.title()}


async def claim_lost_runs(
    db: Database, process_id: UUID, *, silent_s: float, batch: int = 20
) -> list[Row]:
    """Takes over runs whose process has fallen silent.

    The claim makes them this process's own, so that of two rescuers one ends each, and so that the lost
    process, should it come back, is fenced off: it may write neither frames nor the end any more.
    """
    async with db.transaction(NOBODY) as tx:
        return await queries.claim_lost_runs(tx, process_id, silent_s, batch)


async def end_lost_run(db: Database, process_id: UUID, tenant_id: UUID, run_id: UUID) -> None:
    """Ends a run of this process from what was written of its stream.

    Args:
        db: The database.
        process_id: Who holds the run.
        tenant_id: Whose run it is.
        run_id: The run.
    """
    async with db.transaction(NOBODY, read_only=True) as tx:
        tenant = await tenants.find_by_id(tx, tenant_id)
    if tenant is None:
        return
    service = tenant_service(tenant)
    async with db.transaction(service) as tx:
        chunks = await queries.chunks_after(tx, tenant.id, run_id, 0)
        run = await queries.end_lost_run(tx, tenant.id, run_id, process_id, interrupted_error())
        if run is None:
            return
        await cognition.record(tx, service, run_id)
        parts = fold([frame for chunk in chunks for frame in chunk["frames"]])
        goes_on = await waiting.release(tx, service, run_id)
        if not goes_on:
            parts = without_calls(parts, await waiting.end(tx, service, run_id))
        if parts and not goes_on and run["kind"] == "chat":
            await sessions.messages.add(
                tx,
                service,
                run["session_id"],
                role="assistant",
                parts=parts,
                message_id=run["message_id"],
                run_id=run_id,
                metadata={"runId": str(run_id), "agent": run["agent_name"], "status": "failed"},
            )
        closing = list(waiting.GOES_ON) if goes_on else [frames.error(INTERRUPTED_TEXT)]
        if not chunks:
            closing.insert(0, frames.start(str(run["message_id"]), {"status": "failed"}))
        seq = chunks[-1]["seq"] + 1 if chunks else 1
        await queries.insert_chunks(tx, tenant.id, run_id, seq, [closing])
        await notify(tx, [topic_of(run_id)])
    _log.warning("run_rescued", run_id=str(run_id), tenant_id=str(tenant.id))
