"""Governed tools as the Agents SDK takes them, and runs that stop for them and go on."""

from __future__ import annotations

from typing import Any

from agents import Agent, FunctionTool, RunState, Tool
from agents.items import TResponseInputItem
from agents.result import RunResultStreaming
from agents.run_context import RunContextWrapper
from agents.tool_context import ToolContext as CallContext
from agents.version import __version__ as sdk_version

from stead.agents.acting import as_text
from stead.agents.engine.history import model_input
from stead.agents.engine.tracing import tell_governed
from stead.agents.errors import RunStateUnreadable
from stead.agents.models import (
    CallOutcome,
    GovernedTool,
    RunOutcome,
    Suspension,
    ToolContext,
    Turn,
)
from stead.tools import ToolSpec

Given = list[TResponseInputItem] | RunState[ToolContext, Agent[ToolContext]]
_NO_JSON = "The arguments are no JSON object. Nothing was done."


def offered(turn: Turn) -> list[Tool]:
    """The governed tools of a run."""
    # What the run waits for must be there to be answered, whatever became of the agent or of the tool.
    missing = governed_names(turn) - {tool.name for tool in turn.governed}
    gone = [GovernedTool(name=name, spec=_gone(name)) for name in sorted(missing)]
    return [_tool(tool, turn) for tool in (*turn.governed, *gone)]


def governed_names(turn: Turn) -> set[str]:
    """What a model calls the governed tools of a run, and those that it waited for."""
    waited = turn.resumed.suspension.calls if turn.resumed is not None else ()
    return {tool.name for tool in turn.governed} | {call.name for call in waited}


async def first_input(agent: Agent[ToolContext], turn: Turn) -> Given:
    """The conversation; or, for a run that waited, its state with what it waited for decided.

    Raises:
        RunStateUnreadable: Another version of the engine wrote it.
    """
    if turn.resumed is None:
        return model_input(turn.history)
    try:
        state: RunState[ToolContext, Agent[ToolContext]] = await RunState.from_string(
            agent,
            turn.resumed.suspension.state,
            context_deserializer=lambda _: turn.tool_context,
        )
        for item in state.get_interruptions():
            outcome = turn.resumed.outcomes.get(item.call_id or "")
            if outcome is None or outcome.kind == "rejected":
                said = as_text(outcome.value) if outcome is not None else _NO_JSON
                state.reject(item, rejection_message=said)
            else:
                state.approve(item)
    except Exception as error:
        # A state of another version may fail in any way.
        wrote = turn.resumed.suspension.sdk_version
        raise RunStateUnreadable(
            f"it waited under version {wrote} of the Agents SDK, and this is {sdk_version}",
            hint="What it waited for is done and stored. Ask again.",
        ) from error
    return state


def pause(result: RunResultStreaming, turn: Turn, outcome: RunOutcome) -> Given | None:
    """What becomes of a run that was interrupted: it is suspended; or it goes on at once, if only calls that could
    not even be proposed were in the way."""
    state: Any = result.to_state()
    waiting: list[str] = []
    for item in result.interruptions:
        call_id = item.call_id or ""
        if call_id in turn.actions.waiting:
            waiting.append(call_id)
            continue
        turn.actions.outcomes.setdefault(call_id, CallOutcome(kind="failed", value=_NO_JSON))
        state.reject(item, rejection_message=_NO_JSON)
    if not waiting:
        return state
    outcome.suspension = Suspension(
        # Whose run it is stands in its row; it must not be read out of a text.
        state=state.to_string(context_serializer=_nothing),
        sdk_version=sdk_version,
        calls=[turn.actions.waiting[call_id] for call_id in waiting],
    )
    return None


def _tool(tool: GovernedTool, turn: Turn) -> FunctionTool:
    async def must_wait(
        context: RunContextWrapper[Any], arguments: dict[str, Any], call_id: str
    ) -> bool:
        del context
        if turn.trace is None:
            return await turn.actions.must_wait(tool, call_id, arguments)
        turn.trace.tool_begins(call_id, tool.name, tool.spec.description or "", arguments)
        try:
            return await turn.actions.must_wait(tool, call_id, arguments)
        except Exception as error:
            turn.trace.tool_fails(call_id, type(error).__name__)
            raise
        finally:
            tell_governed(turn, call_id)

    async def look_up(context: CallContext[Any], arguments: str) -> str:
        # The effect is a worker's: here is only what came of it.
        del arguments
        outcome = turn.actions.outcomes.get(context.tool_call_id)
        return as_text(outcome.value) if outcome is not None else "Nothing is known of this call."

    return FunctionTool(
        name=tool.name,
        description=tool.spec.description or tool.spec.display_name,
        params_json_schema=dict(tool.spec.schema),
        on_invoke_tool=look_up,
        strict_json_schema=False,
        needs_approval=must_wait,
    )


def _gone(name: str) -> ToolSpec:
    return ToolSpec(
        slug=name,
        version="1",
        provider="local",
        display_name=name,
        description="Not available any more.",
        schema={"type": "object"},
    )


def _nothing(context: object) -> dict[str, Any]:
    del context
    return {}
