"""Agents: registered in code or as rows, run through the OpenAI Agents SDK, streamed, logged.

Owns ``agents`` (with tags and endorsements), ``agent_versions``, ``agent_runs`` and, privately, stream
chunks and processes. What always holds: a run outlives the connection that began it; a session has one run
at a time; a message, its run, its memories and the end of its stream commit together; a run whose process
dies is ended by another, visibly.
"""

from stead.agents.errors import (
    AgentInvalid,
    AgentUnknown,
    GenerationTaken,
    GenerationUnknown,
    NothingToAnswer,
    RunInterrupted,
    RunStateUnreadable,
    RunUnknown,
    SessionBusy,
    TooManyRuns,
)
from stead.agents.generating import Generation, OnceKey
from stead.agents.generating import latest as latest_generation
from stead.agents.incoming import Incoming
from stead.agents.limits import LoopConfig, RuntimeConfig
from stead.agents.models import (
    AgentContext,
    AgentDefinition,
    AgentSummary,
    AgentVersion,
    Instructions,
    Run,
    ToolContext,
    ToolFunction,
)
from stead.agents.output_schema import check_schema
from stead.agents.registry import AgentRegistry, add_version, listing, save_agent, versions
from stead.agents.runs import get_run, link_session, list_runs
from stead.agents.runtime import AgentRuntime
from stead.agents.voting import ApprovalAnswer

__all__ = [
    "AgentContext",
    "AgentDefinition",
    "AgentInvalid",
    "AgentRegistry",
    "AgentRuntime",
    "AgentSummary",
    "AgentUnknown",
    "AgentVersion",
    "ApprovalAnswer",
    "Generation",
    "GenerationTaken",
    "GenerationUnknown",
    "Incoming",
    "Instructions",
    "LoopConfig",
    "NothingToAnswer",
    "OnceKey",
    "Run",
    "RunInterrupted",
    "RunStateUnreadable",
    "RunUnknown",
    "RuntimeConfig",
    "SessionBusy",
    "TooManyRuns",
    "ToolContext",
    "ToolFunction",
    "add_version",
    "check_schema",
    "get_run",
    "latest_generation",
    "link_session",
    "list_runs",
    "listing",
    "save_agent",
    "versions",
]
