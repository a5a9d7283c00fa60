"""Agents and runs as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from uuid import UUID

from stead.identity import Principal
from stead.memory import Recalled
from stead.sessions import Message, Session
from stead.tools import ToolSpec

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace

#: Where past proposals and outcomes go in instructions.
HISTORY: Final = "{{history}}"
RunStatus = Literal["running", "completed", "failed", "cancelled"]
#: A ``generation`` writes no message, and several may run in a session at once.
RunKind = Literal["chat", "generation"]


@dataclass(frozen=True, kw_only=True)
class AgentContext:
    """What an agent's instructions are made from, per run.

    Args:
        agent: The agent's slug.
        session: The session, with its structured ``context``.
        memories: The block of what is remembered, ready to stand in instructions; empty when nothing is.
        user_text: What the person just said.
        history: The block of past proposals and outcomes that fit, likewise; for agents that are given it.
    """

    agent: str
    session: Session
    memories: str
    user_text: str
    history: str = ""


Instructions = str | Callable[[AgentContext], str]


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """What a tool knows of the run that calls it.

    Args:
        recall: What is remembered of the session's person, or of the session while it is nobody's, for a question;
            best first. It counts as given to the model.
    """

    principal: Principal
    session: Session
    run_id: UUID
    agent: str
    recall: Callable[[str], Awaitable[Sequence[Recalled]]]


@dataclass(frozen=True, kw_only=True)
class ToolFunction:
    """A function that agents may call, under a name.

    Args:
        per_run: The function makes, of a run's `ToolContext`, the one that its model calls.
    """

    name: str
    function: Callable[..., Any]
    per_run: bool = False


@dataclass(frozen=True, kw_only=True)
class GovernedTool:
    """A tool of the catalogue as a model is offered it.

    Args:
        name: What the model calls it: its slug, as far as models take it.
    """

    name: str
    spec: ToolSpec


@dataclass(frozen=True, kw_only=True)
class CallOutcome:
    """What a governed call came to.

    Args:
        kind: ``rejected``: people did not want it, or withdrew it.
        value: What the tool returned; else a sentence for the model.
        approval_id: What people were asked for, if they were.
    """

    kind: Literal["succeeded", "failed", "rejected"]
    value: Any
    approval_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class WaitingCall:
    """A governed call whose outcome is not there yet.

    Args:
        call_id: The model's id of it.
        name: What the model calls the tool.
        input: The arguments as the model gave them.
        envelope_id: The action that it became.
        approval_id: What people are asked for; None where it waits for something else.
    """

    call_id: str
    name: str
    input: dict[str, Any]
    envelope_id: UUID
    approval_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """A run that waits, as the engine can go on with it.

    Args:
        state: The engine's own text. It holds what was said.
        sdk_version: Of the engine that wrote it.
        calls: What it waits for.
    """

    state: str
    sdk_version: str
    calls: Sequence[WaitingCall]


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """A run that waited, with what it waited for.

    Args:
        run_id: The run that was suspended.
        outcomes: By the model's id of the call.
    """

    run_id: UUID
    suspension: Suspension
    outcomes: Mapping[str, CallOutcome]


class Actions(Protocol):
    """The governed calls of one run."""

    outcomes: dict[str, CallOutcome]
    waiting: dict[str, WaitingCall]

    async def must_wait(self, tool: GovernedTool, call_id: str, arguments: dict[str, Any]) -> bool:
        """Proposes the call; whether the run has to wait for it. If not, its outcome is there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Turn:
    """All that a run needs; but for its actions nothing is read from the database any more.

    Args:
        model: The model's name.
        history: The conversation so far, the new message last.
        governed: Tools of the catalogue that the agent may call.
        actions: What their calls become.
        resumed: What it goes on with, for a run that waited.
        trace: What it is told to, where runs are traced.
    """

    agent: AgentDefinition
    model: str
    context: AgentContext
    tool_context: ToolContext
    history: Sequence[Message]
    governed: Sequence[GovernedTool]
    actions: Actions
    resumed: Resumed | None = None
    trace: RunTrace | None = None


@dataclass(frozen=True, kw_only=True)
class AgentDefinition:
    """An agent, ready to run: defined in code, or read from its latest version.

    Args:
        model: A model's name; None: the one that the server is configured with.
        instructions: Text, in which ``{{memories}}``, ``{{history}}`` and ``{{context}}`` are replaced; or a
            function.
        tools: Functions that anybody may use, by the name that a model calls them: they run within the run.
        actions: Slugs of tools of the catalogue: their calls are proposed, judged and carried out by workers.
        output_schema: JSON Schema that the answer must follow, or None for text.
        history: Whether it is given past proposals and outcomes in any case.
        generates: The type of 003's ``/api/generate`` that it answers.
        id: Row of ``agents``; None for an agent in code that is not registered yet.
        version_id: Row of ``agent_versions``, for an agent that is not defined in code.
    """

    slug: str
    name: str
    instructions: Instructions
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: Sequence[ToolFunction] = ()
    actions: Sequence[str] = ()
    output_schema: dict[str, Any] | None = None
    tagline: str = ""
    history: bool = False
    generates: str | None = None
    id: UUID | None = None
    version_id: UUID | None = None

    @property
    def wants_history(self) -> bool:
        """Whether past proposals and outcomes are looked up for it: it says so, or acts through guardrails."""
        return (
            self.history
            or bool(self.actions)
            or (isinstance(self.instructions, str) and HISTORY in self.instructions)
        )


@dataclass(frozen=True, kw_only=True)
class AgentSummary:
    """An agent as the catalogue lists it."""

    id: UUID
    slug: str
    name: str
    tagline: str | None
    description: str | None
    visibility: str
    generates: str | None
    version: int | None
    model: str | None
    shared: bool


@dataclass(frozen=True, kw_only=True)
class AgentVersion:
    """One version of an agent that is defined without code."""

    id: UUID
    agent_id: UUID
    version: int
    model: str | None
    temperature: float | None
    max_tokens: int | None
    instructions: str
    tools: list[str]
    output_schema: dict[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Run:
    """One answer of one agent: to a message or, of kind ``generation``, to what a session's context says.

    Args:
        message_id: The assistant's message; of a generation, which writes none, only the name of its stream.
        error: ``{"code", "message"}`` of a failed run.
        cost_usd: None when the model's price is not known.
    """

    id: UUID
    session_id: UUID | None
    profile_id: UUID | None
    agent_id: UUID | None
    agent_name: str
    kind: RunKind
    message_id: UUID
    user_message_id: UUID | None
    status: RunStatus
    model: str | None
    error: dict[str, Any] | None
    finish_reason: str | None
    latency_ms: int | None
    first_token_ms: int | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: Decimal | None
    created_at: datetime
    completed_at: datetime | None


@dataclass(kw_only=True)
class RunOutcome:
    """What the loop found out, for the run's row.

    Attributes:
        suspension: What the run waits for, and how it goes on.
    """

    status: RunStatus = "completed"
    error: dict[str, Any] | None = None
    finish_reason: str | None = None
    first_token_ms: int | None = None
    latency_ms: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    requests: int = 0
    cost_usd: Decimal | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    suspension: Suspension | None = None


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message of a conversation that is not stored anywhere."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a model wrote where JSON of a schema was asked for. Nobody has checked it.

    Args:
        text: As it was written.
        cost_usd: By list price; None for a model whose price is not known.
    """

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
