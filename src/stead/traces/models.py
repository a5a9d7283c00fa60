"""What traces are told, known without OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

import structlog

from stead.core.ids import parse_id
from stead.traces.content import Piece

Ended = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Whose a trace is.

    Args:
        tenant_id: Whose data it is of; None: nobody's.
        tenant: Its slug.
        session_id: The conversation.
        profile_id: The person.
    """

    tenant_id: UUID | None = None
    tenant: str | None = None
    session_id: UUID | None = None
    profile_id: UUID | None = None


def origin_of_context() -> Origin:
    """The tenant that the log of this context names: for calls that only a request or a job knows of."""
    tenant_id = structlog.contextvars.get_contextvars().get("tenant_id")
    return Origin(tenant_id=parse_id(tenant_id) if isinstance(tenant_id, str) else None)


@dataclass(frozen=True, kw_only=True)
class ModelCall:
    """What a model is asked.

    Args:
        model: Its name with the provider.
        instructions: What is to be done, for traces with content.
        said: The conversation, likewise.
        output: ``text`` or ``json``.
    """

    model: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stream: bool = False
    output: Literal["text", "json"] = "text"
    instructions: str | None = None
    said: Callable[[], Sequence[Piece]] = tuple


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """What a model answered.

    Args:
        model: Which one it says that it is.
        finish_reason: ``stop``, ``length``, ``tool_call``, ``content_filter`` or ``error``.
        input_tokens: All of them, the cached ones too; None: it did not say.
        cost_usd: By list price; None: the price is not known.
        said: What it said, for traces with content.
    """

    model: str | None = None
    id: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    cost_usd: Decimal | None = None
    said: Callable[[], Sequence[Piece]] = tuple


@dataclass(frozen=True, kw_only=True)
class RunEnd:
    """How a run ended.

    Args:
        code: Of the error, where it failed.
        output: What was answered, for traces with content.
    """

    status: Ended
    finish_reason: str | None = None
    code: str | None = None
    first_token_ms: int | None = None
    requests: int = 0
    output: Callable[[], str] = str
