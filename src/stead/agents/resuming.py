"""Going on with a run that waited: in any process, also after all of them were killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog

from stead import actions, outbox, sessions
from stead.agents import frames, queries, waiting
from stead.agents.acting import governed_tools, outcome_of, read_outcomes
from stead.agents.errors import AgentUnknown
from stead.agents.frames import Frame
from stead.agents.limits import RuntimeConfig
from stead.agents.models import AgentDefinition, CallOutcome, Resumed, Suspension, WaitingCall
from stead.agents.opening import Begun, log_run, look_back, recall, traced_as
from stead.agents.registry import AgentRegistry
from stead.agents.transcript import outcome_frames, settle_call
from stead.core.ids import new_id
from stead.db import NOBODY, Database, Row, Transaction
from stead.identity import Principal, Tenant, anonymous, tenant_service
from stead.providers.embedders import Embedder
from stead.realtime import notify
from stead.sessions import Message, Part

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 20


async def claim(db: Database, room: int) -> list[Row]:
    """Runs that can go on, or that nobody wants any more; for a second they are this process's to take."""
    async with db.transaction(NOBODY) as tx:
        return await queries.claim_waiting_runs(tx, min(_BATCH, room))


def principal_of(row: Row) -> Principal:
    """In whose name a run goes on: that in which it began."""
    tenant = Tenant(id=row["tenant_id"], slug=row["tenant_slug"])
    if row["profile_id"] is None:
        return anonymous(tenant, row["session_id"])
    return Principal(
        kind="user",
        tenant=tenant,
        role="authenticated",
        profile_id=row["profile_id"],
        credential="resumed",
    )


def question_of(row: Row) -> str:
    """What the person said, for recall."""
    given: dict[str, Any] = row["input"] or {}
    parts: list[Part] = given.get("message", [])
    return sessions.text_of(parts)


def traceparent_of(row: Row) -> str | None:
    """The trace of the run that waited, where it was traced."""
    given: dict[str, Any] = row["input"] or {}
    traceparent = given.get("traceparent")
    return traceparent if isinstance(traceparent, str) else None


async def withdraw(db: Database, row: Row) -> None:
    """Withdraws what nobody waits for any more: its message was answered anew, or edited."""
    service = tenant_service(Tenant(id=row["tenant_id"], slug=row["tenant_slug"]))
    async with db.transaction(service) as tx:
        for envelope_id in sorted(row["envelope_ids"]):
            try:
                await actions.approving.cancel(tx, service, envelope_id)
            except (outbox.EnvelopeNotCancellable, outbox.EnvelopeUnknown):
                # It runs or has ended, and stands in the outbox as what it came to.
                continue
        await queries.drop_waiting(tx, service.tenant.id, row["run_id"])


async def reopen(
    db: Database,
    row: Row,
    registry: AgentRegistry,
    embedder: Embedder,
    config: RuntimeConfig,
    process_id: UUID,
    vector: Sequence[float] | None,
    trace: RunTrace | None = None,
) -> Begun | None:
    """Opens the run that goes on with one that waited, and stores what was waited for in its message.

    Args:
        db: The database.
        row: Of `claim`.
        registry: Agents.
        embedder: For recall.
        config: Limits.
        process_id: Who carries it out.
        vector: Embedding of what the person said.
        trace: What the run is told to, where runs are traced.

    Returns:
        None where another process was quicker, the session is busy by now, or the run ended here because its agent
        or its session is gone.
    """
    principal = principal_of(row)
    service = tenant_service(principal.tenant)
    async with db.transaction(service, read_only=True) as tx:
        envelopes = await read_outcomes(tx, service, row["envelope_ids"])
    async with db.transaction(principal.served()) as tx:
        try:
            session = await sessions.lock(tx, principal, row["session_id"])
        except sessions.SessionUnknown:
            # It was linked to a person a moment ago, or forgotten.
            return None
        held = await queries.lock_waiting(tx, principal.tenant.id, row["run_id"])
        if held is None or held["resumed"]:
            return None
        if await queries.active_run(tx, principal.tenant.id, session.id) is not None:
            return None
        calls = waiting.read_calls(held["calls"])
        outcomes = _outcomes(calls, envelopes)
        if outcomes is None:
            return None
        answered = await sessions.messages.find(tx, principal, session.id, str(held["message_id"]))
        if answered is None:
            return None
        await _settle(tx, principal, answered, outcomes)
        before = await sessions.messages.latest(
            tx, principal, session.id, before_seq=answered.seq, limit=config.history_messages
        )
        asked = next((m for m in reversed(before) if m.id == held["user_message_id"]), None)
        if asked is None:
            return None
        later = await sessions.messages.listing(
            tx, principal, session.id, after_seq=answered.seq, limit=1
        )
        run_id, message_id = new_id(), new_id()
        agent, error = await _agent(tx, principal, registry, held["agent_name"])
        if session.status != "in_progress":
            error = {"code": sessions.SessionEnded.code, "message": sessions.SessionEnded.title()}
        model = agent.model or config.loop.model
        await log_run(
            tx,
            principal,
            session,
            agent,
            run_id=run_id,
            user_message_id=asked.id,
            message_id=message_id,
            process_id=process_id,
            model=model,
            given={
                "message": asked.parts,
                "trigger": "resume",
                "resumes": str(row["run_id"]),
                **traced_as(trace),
            },
            trace=trace,
        )
        await notify(tx, [waiting.topic_of_session(session.id)])
        if error is not None:
            await _fail(tx, principal, row["run_id"], run_id, process_id, error)
            return None
        await queries.take_waiting(tx, principal.tenant.id, row["run_id"], run_id)
        block, injected, recalled_ns = await recall(
            tx, principal, vector, session, agent, run_id, before, embedder, config
        )
        past = await look_back(tx, vector, session, agent, asked, embedder, config)
        return Begun(
            principal=principal,
            session=session,
            agent=agent,
            user_message=asked,
            run_id=run_id,
            message_id=message_id,
            model=model,
            history=before,
            memories=block,
            injected=injected,
            past=past,
            governed=await governed_tools(tx, principal, agent.actions),
            resumed=Resumed(
                run_id=row["run_id"],
                suspension=Suspension(state=held["state"], sdk_version=held["sdk_version"], calls=calls),
                outcomes=outcomes,
            ),
            prologue=_prologue(calls, outcomes),
            goes_on_in=None if later else answered.id,
            trace=trace,
            recalled_ns=recalled_ns,
        )


def _outcomes(
    calls: Sequence[WaitingCall], envelopes: Mapping[UUID, Row]
) -> dict[str, CallOutcome] | None:
    """By call; None where one has not ended after all."""
    found: dict[str, CallOutcome] = {}
    for call in calls:
        outcome = outcome_of(envelopes.get(call.envelope_id), call.input)
        if outcome is None:
            return None
        found[call.call_id] = outcome
    return found


async def _settle(
    tx: Transaction, principal: Principal, message: Message, outcomes: Mapping[str, CallOutcome]
) -> None:
    parts: list[dict[str, Any]] = [
        settle_call(part, outcomes[part["toolCallId"]]) if part.get("toolCallId") in outcomes else part
        for part in message.parts
    ]
    if parts != message.parts:
        await sessions.messages.replace(tx, principal, message, parts)


async def _agent(
    tx: Transaction, principal: Principal, registry: AgentRegistry, slug: str
) -> tuple[AgentDefinition, dict[str, Any] | None]:
    try:
        return await registry.resolve(tx, principal, slug), None
    except AgentUnknown as error:
        gone = AgentDefinition(slug=slug, name=slug, instructions="")
        return gone, {"code": error.code, "message": error.title()}


async def _fail(
    tx: Transaction,
    principal: Principal,
    waited: UUID,
    run_id: UUID,
    process_id: UUID,
    error: dict[str, Any],
) -> None:
    """Ends a run that cannot go on; what was waited for is stored."""
    await queries.end_run(
        tx, principal.tenant.id, run_id, process_id, "failed", {"parts": []}, error, "error",
        0, None, 0, 0, 0, 0, None,
    )  # fmt: skip
    await queries.drop_waiting(tx, principal.tenant.id, waited)
    _log.warning("run_not_resumed", run_id=str(waited), code=error["code"])


def _prologue(calls: Sequence[WaitingCall], outcomes: Mapping[str, CallOutcome]) -> list[Frame]:
    # Outside of a step: a client looks for a call that it knows in its last one, which a new one would end.
    told: list[Frame] = []
    for call in calls:
        told += [
            frames.tool_input_start(call.call_id, call.name),
            frames.tool_input_available(call.call_id, call.name, call.input),
            *outcome_frames(call.call_id, outcomes[call.call_id]),
        ]
    return told
