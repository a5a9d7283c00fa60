"""Runs that wait for what they proposed: stored when they begin to, gone when they have gone on."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from stead.agents import frames, queries
from stead.agents.errors import RunInterrupted
from stead.agents.frames import Frame
from stead.agents.models import RunOutcome, Suspension, WaitingCall
from stead.db import Transaction
from stead.identity import Principal

#: There may be a run to go on with. The same name stands in functions of the database.
WAKE_TOPIC: Final = "waiting"
#: How often it is tried to go on with one, where processes die over it.
_TRIES: Final = 5
#: What ends the stream of a run that went on, and whose process died over it: another one begins anew.
GOES_ON: Final[list[Frame]] = [
    frames.error(
        "The answer was interrupted: the server that was giving it stopped. It goes on by itself."
        f" ({RunInterrupted.code})"
    )
]


def topic_of_session(session_id: UUID) -> str:
    """The topic that is notified when a run of a session goes on."""
    return f"goes-on:{session_id}"


async def store(
    tx: Transaction, principal: Principal, run_id: UUID, session_id: UUID, suspension: Suspension
) -> None:
    """Stores what a run waits for, in the transaction that ends it."""
    calls = [_plain(call) for call in suspension.calls]
    await queries.insert_waiting(
        tx,
        principal.tenant.id,
        run_id,
        session_id,
        suspension.state,
        suspension.sdk_version,
        frames.storable(calls),
        list(dict.fromkeys(call.envelope_id for call in suspension.calls)),
    )


async def end_resumed(
    tx: Transaction, principal: Principal, resumed_run_id: UUID, outcome: RunOutcome
) -> bool:
    """Ends the waiting of a run that went on; or leaves it to another process, if this one stops in the midst.

    Returns:
        Whether another process goes on with it.
    """
    if (outcome.error or {}).get("code") == RunInterrupted.code and await release(
        tx, principal, resumed_run_id
    ):
        return True
    await end(tx, principal, resumed_run_id)
    return False


async def release(tx: Transaction, principal: Principal, resumed_run_id: UUID) -> bool:
    """Leaves what a run went on with to the next process; False where there is nothing, where it was tried too
    often, or where the run proposed something itself, which would be proposed twice."""
    calls = await queries.release_waiting(tx, principal.tenant.id, resumed_run_id, _TRIES)
    return calls is not None


async def end(tx: Transaction, principal: Principal, resumed_run_id: UUID) -> set[str]:
    """Ends the waiting that a run went on with; returns the calls that were waited for."""
    calls = await queries.end_waiting(tx, principal.tenant.id, resumed_run_id) or []
    return {call["call_id"] for call in calls}


def read_calls(stored: list[dict[str, Any]]) -> list[WaitingCall]:
    """Calls as they were stored."""
    return [
        WaitingCall(
            call_id=call["call_id"],
            name=call["name"],
            input=call["input"],
            envelope_id=UUID(call["envelope_id"]),
            approval_id=UUID(call["approval_id"]) if call["approval_id"] else None,
        )
        for call in stored
    ]


def _plain(call: WaitingCall) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "name": call.name,
        "input": call.input,
        "envelope_id": str(call.envelope_id),
        "approval_id": str(call.approval_id) if call.approval_id else None,
    }
