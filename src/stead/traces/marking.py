"""How spans say what they are of, and that something went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from opentelemetry.trace import Span, Status, StatusCode

from stead.traces.content import name
from stead.traces.models import Origin

Value = str | int | float | bool | Sequence[str]
#: What Langfuse shows as input and output of a span.
INPUT: Final = "langfuse.observation.input"
OUTPUT: Final = "langfuse.observation.output"


def attributes_of(origin: Origin, environment: str) -> dict[str, Value]:
    """What stands on each span of a trace: receivers look at spans one by one."""
    given: Mapping[str, UUID | str | None] = {
        "langfuse.environment": environment,
        "stead.tenant.id": origin.tenant_id,
        "langfuse.trace.metadata.tenant_id": origin.tenant_id,
        "langfuse.trace.metadata.tenant": origin.tenant,
        "session.id": origin.session_id,
        "gen_ai.conversation.id": origin.session_id,
        "user.id": origin.profile_id,
    }
    return {key: name(value) for key, value in given.items() if value is not None}


def provider_of(model: str) -> tuple[str, str]:
    """The provider, as the conventions call it, and its own name of a model."""
    provider, slash, short = model.partition("/")
    return (provider, name(short)) if slash else ("stead", name(model))


def mark(span: Span, attributes: Mapping[str, Value | None]) -> None:
    """Sets those attributes that there are."""
    span.set_attributes({key: value for key, value in attributes.items() if value is not None})


def mark_failed(span: Span, code: str) -> None:
    """Says that it failed, by a code: what an exception says may quote what was said."""
    mark(span, {"error.type": code, "langfuse.observation.level": "ERROR"})
    span.set_status(Status(StatusCode.ERROR, code))


def mark_stopped(span: Span) -> None:
    """Says that it was stopped, which is no error."""
    mark(
        span,
        {
            "langfuse.observation.level": "WARNING",
            "langfuse.observation.status_message": "stopped",
        },
    )
