"""The run loop: one agent answers one message through the OpenAI Agents SDK."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any, Final

import structlog
from agents import Agent, ModelSettings, RunConfig, Runner, function_tool
from agents.result import RunResultStreaming
from openai.types.responses import Response

from stead.agents.engine.history import model_input
from stead.agents.engine.output import JsonSchemaOutput
from stead.agents.engine.translation import Translator
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
from stead.providers.models import PriceList, is_offline
from stead.providers.models.catalog import ModelCatalog
from stead.providers.models.failures import failure_of
from stead.providers.models.retries import retry_settings

_log = structlog.stdlib.get_logger(__name__)
_MEMORIES: Final = "{{memories}}"
_CONTEXT: Final = "{{context}}"
_PLACES: Final = re.compile("|".join(map(re.escape, (_MEMORIES, _CONTEXT, HISTORY))))


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
    outcome = RunOutcome()
    translator = Translator()
    began = time.monotonic()
    result: RunResultStreaming | None = None
    try:
        async with asyncio.timeout(config.run_timeout_s):
            result = _begin(turn, catalog, config)
            await _stream(result, stream, translator, outcome, began)
        outcome.status = "cancelled" if stream.stop_requested.is_set() else "completed"
    except asyncio.CancelledError:
        if result is not None:
            result.cancel("immediate")
        raise
    except Exception as error:  # noqa: BLE001 - the outermost edge of a run: whatever it is, the client is told
        if not _at_limit(translator):
            failure = failure_of(error, started=translator.has_output, broken=translator.broken)
            _log.warning(
                "run_failed", run_id=str(stream.run_id), code=failure.code, reason=type(error).__name__
            )
            outcome.status = "failed"
            outcome.error = {"code": failure.code, "message": failure.detail}
        if result is not None:
            result.cancel("immediate")
    for frame in translator.close():
        stream.emit(frame)
    if _at_limit(translator) and outcome.status == "completed":
        outcome.finish_reason = "length"
    else:
        outcome.finish_reason = "error" if outcome.status == "failed" else "stop"
    outcome.latency_ms = round((time.monotonic() - began) * 1000)
    if result is not None:
        _count(result, translator.incomplete, outcome, turn.model, prices)
    return outcome


def _at_limit(translator: Translator) -> bool:
    # The SDK raises for it; but what was said within the limit of tokens is the answer.
    details = translator.incomplete.incomplete_details if translator.incomplete else None
    return details is not None and details.reason == "max_output_tokens"


def _begin(turn: Turn, catalog: ModelCatalog, config: LoopConfig) -> RunResultStreaming:
    agent = Agent[ToolContext](
        name=turn.agent.name,
        instructions=instructions_of(turn.agent, turn.context),
        model_settings=ModelSettings(
            temperature=turn.agent.temperature,
            max_tokens=turn.agent.max_tokens,
            include_usage=True,
            # The conversation is kept here and nowhere else.
            store=False if turn.model.startswith("openai/") else None,
            retry=None if is_offline(turn.model) else retry_settings(config.max_retries),
            timeout=None if catalog.times_streams(turn.model) else config.call_timeout_s,
        ),
        tools=[
            function_tool(tool.function, name_override=tool.name, strict_mode=False)
            for tool in turn.agent.tools
        ],
        output_type=JsonSchemaOutput(turn.agent.output_schema) if turn.agent.output_schema else None,
    )
    return Runner.run_streamed(
        agent,
        model_input(turn.history),
        context=turn.tool_context,
        max_turns=config.max_turns,
        # The model goes along here and not in the agent: the SDK copies an agent, with all that hangs on it, at
        # the beginning of every run.
        run_config=RunConfig(
            model=catalog.get(turn.model), tracing_disabled=True, workflow_name=turn.agent.slug
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
) -> None:
    usage = result.context_wrapper.usage
    outcome.requests = usage.requests
    outcome.input_tokens = usage.input_tokens
    outcome.output_tokens = usage.output_tokens
    outcome.cached_tokens = usage.input_tokens_details.cached_tokens
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
