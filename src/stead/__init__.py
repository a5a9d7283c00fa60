"""Stead: the backend that AI agents live in. One PostgreSQL, one Python package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stead.agents import AgentContext, ToolContext
    from stead.assembly import Settings, Stead
    from stead.core.errors import SteadError
    from stead.jobs import JobContext, JobFailed, Question
    from stead.tools import ActionContext, ToolRefused, ToolRetry

__all__ = [
    "ActionContext",
    "AgentContext",
    "JobContext",
    "JobFailed",
    "Question",
    "Settings",
    "Stead",
    "SteadError",
    "ToolContext",
    "ToolRefused",
    "ToolRetry",
]

_HOMES = {
    "ActionContext": "stead.tools",
    "AgentContext": "stead.agents",
    "JobContext": "stead.jobs",
    "JobFailed": "stead.jobs",
    "Question": "stead.jobs",
    "Settings": "stead.assembly",
    "Stead": "stead.assembly",
    "SteadError": "stead.core.errors",
    "ToolContext": "stead.agents",
    "ToolRefused": "stead.tools",
    "ToolRetry": "stead.tools",
}


def __getattr__(name: str) -> Any:
    # Looked up when asked for: `import stead.core` must not load a web framework and three SDKs.
    if name not in _HOMES:
        raise AttributeError(f"module 'stead' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
