"""The run loop: one agent answers one message through the OpenAI Agents SDK."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any, Final

import structlog
from agents import Agent, ModelSettings, RunConfig, Runner, function_tool
from agents.result import RunResultStreaming
from openai.types.responses import Response

from stead.agents import frames
from stead.agents.engine.governed import Given, first_input, governed_names, offered, pause
from stead.agents.engine.output import JsonSchemaOutput
from stead.agents.engine.tracing import ToolHooks, TracedModel, tell_resumed
from stead.agents.engine.translation import Translator
from stead.agents.errors import RunStateUnreadable
from stead.agents.limits import LoopConfig
from stead.agents.models import (
    HISTORY,
    AgentContext,
    AgentDefinition,
    RunOutcome,
    ToolContext,
    Turn,
)
from stead.agents.streams import LiveStream
from stead.db import assert_no_transaction
from stead.providers.models import PriceList, is_offline, takes_temperature
from stead.providers.models.catalog import ModelCatalog
from stead.providers.models.failures import failure_of
from stead.providers.models.retries import retry_settings

_log = structlog.stdlib.get_logger(__name__)
_MEMORIES: Final = "{{memories}}"
_CONTEXT: Final = "{{context}}"
_PLACES: Final = re.compile("|".join(map(re.escape, (_MEMORIES, _CONTEXT, HISTORY))))


@dataclass(frozen=True, kw_only=True)
class _Spent:
    """What was used of a model up to a moment."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0

    @classmethod
    def of(cls, result: RunResultStreaming) -> _Spent:
        usage = result.context_wrapper.usage
        return cls(
            requests=usage.requests,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.input_tokens_details.cached_tokens,
        )


def instructions_of(agent: AgentDefinition, context: AgentContext) -> str:
    """The instructions of one run: the agent's own, with what is remembered.

    A text says with ``{{memories}}``, ``{{history}}`` and ``{{context}}`` where those go; otherwise history and
    memories follow it.
    """
    if callable(agent.instructions):
        text = agent.instructions(context)
    else:
        # At once: what a person wrote into the one may be spelt like the other.
        there = {
            _CONTEXT: _as_data(context.session.context),
            _MEMORIES: context.memories,
            HISTORY: context.history,
        }
        text = _PLACES.sub(lambda found: there[found[0]], agent.instructions)
    for place, block in ((HISTORY, context.history), (_MEMORIES, context.memories)):
        placed = isinstance(agent.instructions, str) and place in agent.instructions
        if block and not placed and block not in text:
            text = f"{text}\n\n{block}"
    return text


def _as_data(context: dict[str, Any]) -> str:
    """A session's context in one line of JSON, in which no marker of a block can stand."""
    if not context:
        return ""
    written = json.dumps(context, ensure_ascii=False)
    return written.replace("<", "\\u003c").replace(">", "\\u003e")


async def answer(
    turn: Turn, stream: LiveStream, catalog: ModelCatalog, prices: PriceList, config: LoopConfig
) -> RunOutcome:
    """Runs the agent and emits the frames of its answer, but for the last, which follow its being stored.

    Never raises what the model or a tool did wrong: the outcome says it, and the stream has an ``error``.

    Raises:
        asyncio.CancelledError: This process is stopping.
    """
    assert_no_transaction("an agent's run")
    turn.actions.outcomes.update(turn.resumed.outcomes if turn.resumed is not None else {})
    tell_resumed(turn)
    course = _Course(turn, stream)
    outcome, translator = course.outcome, course.translator
    try:
        async with asyncio.timeout(config.run_timeout_s):
            await course.take(catalog, prices, config)
        outcome.status = "cancelled" if stream.stop_requested.is_set() else "completed"
    except asyncio.CancelledError:
        course.cancel()
        raise
    except Exception as error:  # noqa: BLE001 - the outermost edge of a run: whatever it is, the client is told
        if not _at_limit(translator):
            outcome.status = "failed"
            outcome.error = _failed(error, stream, translator)
        course.cancel()
    if outcome.status != "completed":
        outcome.suspension = None
    for frame in [*_asked(outcome), *translator.close()]:
        stream.emit(frame)
    if _at_limit(translator) and outcome.status == "completed":
        outcome.finish_reason = "length"
    elif outcome.suspension is not None:
        outcome.finish_reason = "tool-approval"
    else:
        outcome.finish_reason = "error" if outcome.status == "failed" else "stop"
    outcome.latency_ms = round((time.monotonic() - course.began) * 1000)
    course.count(prices)
    return outcome


class _Course:
    """A run under way. Most take one pass of the SDK's loop; what interrupts a pass may let the next one begin."""

    def __init__(self, turn: Turn, stream: LiveStream) -> None:
        self.outcome = RunOutcome()
        self.translator = Translator(turn.actions.outcomes)
        self.began = time.monotonic()
        self._turn = turn
        self._stream = stream
        self._result: RunResultStreaming | None = None
        self._before = _Spent()

    async def take(self, catalog: ModelCatalog, prices: PriceList, config: LoopConfig) -> None:
        """To the end, or to where it has to wait."""
        agent = _agent(self._turn, catalog, config)
        given: Given | None = await first_input(agent, self._turn)
        while given is not None:
            result = _begin(agent, given, self._turn, catalog, prices, config)
            if self._result is None:
                # A restored state counts on from what the run before it has spent.
                self._before = _Spent.of(result)
            self._result = result
            await _stream(result, self._stream, self.translator, self.outcome, self.began)
            given = pause(result, self._turn, self.outcome) if result.interruptions else None

    def cancel(self) -> None:
        """Ends the pass under way."""
        if self._result is not None:
            self._result.cancel("immediate")

    def count(self, prices: PriceList) -> None:
        """What was spent, into the outcome."""
        if self._result is not None:
            _count(
                self._result,
                self.translator.incomplete,
                self.outcome,
                self._turn.model,
                prices,
                self._before,
            )


def _asked(outcome: RunOutcome) -> list[frames.Frame]:
    """What people are asked for."""
    calls = outcome.suspension.calls if outcome.suspension is not None else ()
    return [
        frames.tool_approval_request(call.call_id, str(call.approval_id))
        for call in calls
        if call.approval_id is not None
    ]


def _failed(error: Exception, stream: LiveStream, translator: Translator) -> dict[str, str]:
    failure = (
        error
        if isinstance(error, RunStateUnreadable)
        else failure_of(error, started=translator.has_output, broken=translator.broken)
    )
    _log.warning("run_failed", run_id=str(stream.run_id), code=failure.code, reason=type(error).__name__)
    return {"code": failure.code, "message": failure.detail}


def _at_limit(translator: Translator) -> bool:
    # The SDK raises for it; but what was said within the limit of tokens is the answer.
    details = translator.incomplete.incomplete_details if translator.incomplete else None
    return details is not None and details.reason == "max_output_tokens"


def _agent(turn: Turn, catalog: ModelCatalog, config: LoopConfig) -> Agent[ToolContext]:
    return Agent[ToolContext](
        # By what stays: a run that waits finds its agent again by this name.
        name=turn.agent.slug,
        instructions=instructions_of(turn.agent, turn.context),
        model_settings=ModelSettings(
            temperature=turn.agent.temperature if takes_temperature(turn.model) else None,
            max_tokens=turn.agent.max_tokens,
            include_usage=True,
            # The conversation is kept here and nowhere else.
            store=False if turn.model.startswith("openai/") else None,
            retry=None if is_offline(turn.model) else retry_settings(config.max_retries),
            timeout=None if catalog.times_streams(turn.model) else config.call_timeout_s,
        ),
        tools=[
            function_tool(
                tool.function(turn.tool_context) if tool.per_run else tool.function,
                name_override=tool.name,
                strict_mode=False,
            )
            for tool in turn.agent.tools
        ]
        + offered(turn),
        output_type=JsonSchemaOutput(turn.agent.output_schema) if turn.agent.output_schema else None,
    )


def _begin(
    agent: Agent[ToolContext],
    given: Given,
    turn: Turn,
    catalog: ModelCatalog,
    prices: PriceList,
    config: LoopConfig,
) -> RunResultStreaming:
    model = catalog.get(turn.model)
    hooks: ToolHooks | None = None
    if turn.trace is not None:
        model = TracedModel(model, turn.model, turn.trace, prices)
        hooks = ToolHooks(turn.trace, governed_names(turn))
    return Runner.run_streamed(
        agent,
        given,
        # A state has its own.
        context=turn.tool_context if isinstance(given, list) else None,
        max_turns=config.max_turns,
        hooks=hooks,
        # The model goes along here and not in the agent: the SDK copies an agent, with all that hangs on it, at
        # the beginning of every run.
        run_config=RunConfig(
            model=model,
            tracing_disabled=True,
            workflow_name=turn.agent.slug,
            tool_error_formatter=hooks.note_failure if hooks is not None else None,
        ),
    )


async def _stream(
    result: RunResultStreaming,
    stream: LiveStream,
    translator: Translator,
    outcome: RunOutcome,
    began: float,
) -> None:
    # Stopping is noticed between two events, and also while the model is silent.
    stopper = asyncio.create_task(_stop_when_asked(result, stream))
    try:
        async for event in result.stream_events():
            for frame in translator.frames(event):
                stream.emit(frame)
            if outcome.first_token_ms is None and translator.has_output:
                outcome.first_token_ms = round((time.monotonic() - began) * 1000)
    finally:
        stopper.cancel()


async def _stop_when_asked(result: RunResultStreaming, stream: LiveStream) -> None:
    await stream.stop_requested.wait()
    result.cancel("immediate")


def _count(
    result: RunResultStreaming,
    incomplete: Response | None,
    outcome: RunOutcome,
    model: str,
    prices: PriceList,
    before: _Spent,
) -> None:
    usage = _Spent.of(result)
    outcome.requests = usage.requests - before.requests
    outcome.input_tokens = usage.input_tokens - before.input_tokens
    outcome.output_tokens = usage.output_tokens - before.output_tokens
    outcome.cached_tokens = usage.cached_tokens - before.cached_tokens
    if incomplete is not None and incomplete.usage is not None:
        # The SDK leaves it out of its sum.
        outcome.requests += 1
        outcome.input_tokens += incomplete.usage.input_tokens
        outcome.output_tokens += incomplete.usage.output_tokens
        outcome.cached_tokens += incomplete.usage.input_tokens_details.cached_tokens
    outcome.cost_usd = prices.cost_usd(
        model,
        input_tokens=outcome.input_tokens,
        output_tokens=outcome.output_tokens,
        cached_tokens=outcome.cached_tokens,
    )
