"""The first transaction of a run: message, run, recall, history. Nothing is read from the database after it
until the run ends."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from stead import evidence, memory, sessions
from stead.agents import queries
from stead.agents.acting import governed_tools
from stead.agents.errors import SessionBusy
from stead.agents.frames import Frame
from stead.agents.incoming import Incoming, settle
from stead.agents.limits import RuntimeConfig
from stead.agents.models import (
    Actions,
    AgentContext,
    AgentDefinition,
    GovernedTool,
    Resumed,
    RunKind,
    RunOutcome,
    ToolContext,
    Turn,
)
from stead.agents.registry import AgentRegistry
from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal
from stead.memory import Recalled
from stead.providers.embedders import Embedder
from stead.providers.models import is_offline
from stead.sessions import Message, Session

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What the first transaction leaves for the rest of a run.

    Args:
        governed: Tools of the catalogue that the agent may call.
        resumed: What it goes on with, for a run that waited.
        prologue: Frames that come before the model's: of what it waited for.
        goes_on_in: The message that clients show it in, if that is not its own: the one that waited, as long as it
            is the last.
        trace: What it is told to, where runs are traced.
        recalled_ns: When recall began and ended, since 1970; None where nothing was recalled.
        kind: Of a ``generation`` the user's message is what it is generated from, and is stored nowhere.
        looked_up: What its tools found in memory while it ran.
    """

    principal: Principal
    session: Session
    agent: AgentDefinition
    user_message: Message
    run_id: UUID
    message_id: UUID
    model: str
    history: Sequence[Message]
    memories: str
    injected: Sequence[Recalled]
    past: str = ""
    governed: Sequence[GovernedTool] = ()
    resumed: Resumed | None = None
    prologue: Sequence[Frame] = field(default_factory=list[Frame])
    goes_on_in: UUID | None = None
    trace: RunTrace | None = None
    recalled_ns: tuple[int, int] | None = None
    kind: RunKind = "chat"
    looked_up: list[Recalled] = field(default_factory=list[Recalled])

    def turn(self, actions: Actions, recall: Callable[[str], Awaitable[Sequence[Recalled]]]) -> Turn:
        """What the engine needs."""
        return Turn(
            agent=self.agent,
            model=self.model,
            context=AgentContext(
                agent=self.agent.slug,
                session=self.session,
                memories=self.memories,
                user_text=sessions.text_of(self.user_message.parts),
                history=self.past,
            ),
            tool_context=ToolContext(
                principal=self.principal,
                session=self.session,
                run_id=self.run_id,
                agent=self.agent.slug,
                recall=recall,
            ),
            history=self.history,
            governed=self.governed,
            actions=actions,
            resumed=self.resumed,
            trace=self.trace,
        )

    def metadata(self, outcome: RunOutcome | None = None) -> dict[str, Any]:
        """What the message says of itself: who answered, with what, how it ended."""
        metadata: dict[str, Any] = {
            "runId": str(self.run_id),
            "sessionId": str(self.session.id),
            "agent": self.agent.slug,
            "model": self.model,
            "memories": len(self.injected),
            "offline": is_offline(self.model),
        }
        if outcome is not None:
            metadata |= {
                "status": outcome.status,
                "finishReason": outcome.finish_reason,
                "latencyMs": outcome.latency_ms,
                "usage": {"inputTokens": outcome.input_tokens, "outputTokens": outcome.output_tokens},
            }
        return metadata


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who wants what answered by whom.

    Args:
        agent: A slug.
        vector: Embedding of the message, or None.
        trace: What the run is told to, where runs are traced.
    """

    principal: Principal
    session_id: UUID
    agent: str
    incoming: Incoming
    vector: Sequence[float] | None
    trace: RunTrace | None = None


async def open_run(
    tx: Transaction,
    request: Request,
    registry: AgentRegistry,
    embedder: Embedder,
    config: RuntimeConfig,
    process_id: UUID,
) -> Begun | UUID:
    """Stores the message and opens the run.

    Returns:
        The run; only its id when this message was sent before and has, or gets, its answer.

    Raises:
        SessionUnknown, SessionEnded, AgentUnknown: One of them is not there for this caller.
        SessionBusy: The session is answering another message.
        NothingToAnswer: Another answer was asked for and there is no message.
    """
    principal, incoming = request.principal, request.incoming
    session = await sessions.lock(tx, principal, request.session_id)
    agent = await registry.resolve(tx, principal, request.agent)
    active = await queries.active_run(tx, principal.tenant.id, session.id)
    known, last = await sessions.messages.find_with_latest(
        tx, principal, session.id, incoming.client_id, limit=config.history_messages
    )
    if known is not None and incoming.trigger == "submit-message" and known.parts == incoming.parts:
        earlier = await queries.run_by_user_message(tx, principal.tenant.id, known.id)
        if earlier is not None and earlier["status"] in {"running", "completed"}:
            return earlier["id"]
    if session.status != "in_progress":
        raise sessions.SessionEnded(f"the session is {session.status}", hint="Open a new session.")
    if active is not None:
        raise SessionBusy(
            "one message at a time", hint="Wait for the answer, or stop it.", run_id=str(active["id"])
        )
    message = await settle(tx, principal, session.id, incoming, known)
    run_id, message_id = new_id(), new_id()
    model = agent.model or config.loop.model
    await log_run(
        tx,
        principal,
        session,
        agent,
        run_id=run_id,
        user_message_id=message.id,
        message_id=message_id,
        process_id=process_id,
        model=model,
        given={
            "message": message.parts,
            "trigger": incoming.trigger,
            **({"metadata": incoming.metadata} if incoming.metadata else {}),
            **traced_as(request.trace),
        },
        trace=request.trace,
    )
    # What was there before a new message is its history. Any other message may have lost what came after it.
    history = last
    if known is not None or incoming.trigger != "submit-message":
        history = await sessions.messages.latest(
            tx, principal, session.id, before_seq=message.seq, limit=config.history_messages
        )
        if history != last:
            # A run that waited for its answer to be gone on with may have lost it.
            await queries.look_at_waiting(tx, principal.tenant.id, session.id)
    block, injected, recalled_ns = await recall(
        tx, principal, request.vector, session, agent, run_id, [*history, message], embedder, config
    )
    past = await look_back(tx, request.vector, session, agent, message, embedder, config)
    return Begun(
        principal=principal,
        session=session,
        agent=agent,
        user_message=message,
        run_id=run_id,
        message_id=message_id,
        model=model,
        history=[*history, message],
        memories=block,
        injected=injected,
        past=past,
        governed=await governed_tools(tx, principal, agent.actions),
        trace=request.trace,
        recalled_ns=recalled_ns,
    )


async def log_run(
    tx: Transaction,
    principal: Principal,
    session: Session,
    agent: AgentDefinition,
    *,
    run_id: UUID,
    user_message_id: UUID | None,
    message_id: UUID,
    process_id: UUID,
    model: str,
    given: dict[str, Any],
    kind: RunKind = "chat",
    trace: RunTrace | None,
) -> None:
    """Makes the row of a run that begins.

    Args:
        given: What it is made of.
        trace: What it is told to, where runs are traced.
    """
    await queries.insert_run(
        tx,
        run_id,
        principal.tenant.id,
        session.id,
        session.profile_id,
        agent.id,
        agent.version_id,
        agent.slug,
        user_message_id,
        message_id,
        process_id,
        model,
        given,
        kind,
        None if trace is None else trace.trace_id,
    )


def traced_as(trace: RunTrace | None) -> dict[str, str]:
    """What a run's row says of its trace, for a run that goes on with it."""
    return {} if trace is None else {"traceparent": trace.traceparent}


async def look_back(
    tx: Transaction,
    vector: Sequence[float] | None,
    session: Session,
    agent: AgentDefinition,
    message: Message,
    embedder: Embedder,
    config: RuntimeConfig,
) -> str:
    """Past proposals and outcomes for this message, as a block for instructions, where the agent wants them."""
    text = sessions.text_of(message.parts)
    if not (agent.wants_history and config.history.max_tokens and text.strip()):
        return ""
    found = await evidence.relevant(
        tx,
        text,
        profile_id=session.profile_id,
        embedder=embedder,
        vector=vector,
        limit=config.history.max_items * 2,
    )
    block, _ = evidence.as_instructions(found, config.history)
    return block


async def recall(
    tx: Transaction,
    principal: Principal,
    vector: Sequence[float] | None,
    session: Session,
    agent: AgentDefinition,
    run_id: UUID,
    seen: Sequence[Message],
    embedder: Embedder,
    config: RuntimeConfig,
) -> tuple[str, list[Recalled], tuple[int, int]]:
    """What is remembered for this message, as a block for the instructions, and a note of it; with when it was
    begun to look and when it was found, in nanoseconds since 1970."""
    began, began_ns = time.monotonic(), time.time_ns()
    scope_id = session.profile_id or session.id
    found = await memory.recall(
        tx,
        scope_id,
        await memory.read_question(
            tx,
            scope_id,
            sessions.text_of(seen[-1].parts),
            vector=vector,
            asked_at=seen[-1].created_at,
        ),
        embedder=embedder,
        agent_id=agent.id,
        limit=config.budget.max_items * 2,
    )
    block, injected = memory.as_instructions(
        found, config.budget, already_said=[message.id for message in seen]
    )
    await memory.note(
        tx,
        principal,
        session_id=session.id,
        profile_id=session.profile_id,
        run_id=run_id,
        agent_name=agent.slug,
        found=found,
        injected=injected,
        embedder=embedder,
        started_at=began,
    )
    return block, injected, (began_ns, time.time_ns())
