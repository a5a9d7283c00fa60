"""Runs as their traces are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from stead import sessions
from stead.agents import resuming
from stead.agents.models import RunOutcome
from stead.agents.opening import Begun
from stead.agents.streams import LiveStream
from stead.agents.transcript import fold
from stead.db import Row
from stead.identity import Principal
from stead.traces import Origin, RunEnd

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace
    from stead.traces.tracer import Tracer


def begin(
    tracer: Tracer, principal: Principal, session_id: UUID, traceparent: str | None
) -> RunTrace | None:
    """Begins the trace of an answer; None where it is not kept.

    Args:
        tracer: The tracer.
        principal: Who asks.
        session_id: The session.
        traceparent: The caller's span.
    """
    origin = Origin(
        tenant_id=principal.tenant.id,
        tenant=principal.tenant.slug,
        session_id=session_id,
        profile_id=principal.profile_id,
    )
    return tracer.begin(origin, traceparent=traceparent)


def go_on(tracer: Tracer, row: Row) -> RunTrace | None:
    """Begins the trace of a run that goes on with one that waited: its own, as that may be days ago, with a link.

    Args:
        tracer: The tracer.
        row: Of `resuming.claim`.
    """
    origin = Origin(
        tenant_id=row["tenant_id"],
        tenant=row["tenant_slug"],
        session_id=row["session_id"],
        profile_id=row["profile_id"],
    )
    return tracer.begin(origin, follows=resuming.traceparent_of(row))


def describe(trace: RunTrace, begun: Begun) -> None:
    """Says what was begun, and what was recalled for it."""
    said = sessions.text_of(begun.user_message.parts) if trace.content else ""
    trace.describe(
        agent=begun.agent.slug,
        model=begun.model,
        agent_id=begun.agent.id,
        version_id=begun.agent.version_id,
        run_id=begun.run_id,
        profile_id=begun.session.profile_id,
        resumes=begun.resumed.run_id if begun.resumed is not None else None,
        said=said,
    )
    if begun.recalled_ns is not None:
        began_ns, ended_ns = begun.recalled_ns
        trace.recalled(
            began_ns, ended_ns, memories=len(begun.injected), question=said, block=begun.memories
        )


def end(trace: RunTrace, outcome: RunOutcome, stream: LiveStream) -> None:
    """Says how it ended, and what was answered."""
    trace.end(
        RunEnd(
            status="completed" if outcome.status == "running" else outcome.status,
            finish_reason=outcome.finish_reason,
            code=outcome.error["code"] if outcome.error is not None else None,
            first_token_ms=outcome.first_token_ms,
            requests=outcome.requests,
            output=lambda: sessions.text_of(fold(stream.frames)),
        )
    )
