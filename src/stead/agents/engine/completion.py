"""One structured answer of a model, outside of any conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents import Agent, ModelSettings, RunConfig, Runner
from agents.items import TResponseInputItem

from stead.agents.engine.output import JsonSchemaOutput, UncheckedOutput
from stead.agents.engine.tracing import TracedModel
from stead.agents.limits import LoopConfig
from stead.agents.models import Proposal, Said
from stead.db import assert_no_transaction
from stead.memory.extraction import Answer
from stead.providers.models import PriceList, is_offline, takes_temperature
from stead.providers.models.catalog import ModelCatalog
from stead.providers.models.failures import failure_of
from stead.providers.models.retries import retry_settings
from stead.traces import RunEnd

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace


@dataclass(frozen=True, kw_only=True)
class _Spent:
    """What a call answered, and what it cost."""

    output: Any
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


async def complete(
    catalog: ModelCatalog,
    prices: PriceList,
    config: LoopConfig,
    model: str,
    *,
    instructions: str,
    text: str,
    schema: dict[str, Any],
    trace: RunTrace | None = None,
) -> Answer:
    """Asks a model for JSON of a schema.

    Args:
        catalog: Models by name.
        prices: What they cost.
        config: Limits of a call.
        model: Its name.
        instructions: What is to be done.
        text: What it is done to.
        schema: A JSON Schema of the answer.
        trace: What it is told to; it ends with the answer.

    Raises:
        ModelFailed: A kind of it: refused, overloaded, timed out, or an answer that is none.
    """
    agent = _agent("extraction", instructions, model, config, 0.0, JsonSchemaOutput(schema))
    spent = await _ask(agent, text, catalog, prices, model, trace)
    return Answer(
        data=spent.output,
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cost_usd=spent.cost_usd,
        model=model,
    )


async def propose(
    catalog: ModelCatalog,
    prices: PriceList,
    config: LoopConfig,
    model: str,
    *,
    name: str,
    instructions: str,
    said: Sequence[Said],
    schema: dict[str, Any],
    temperature: float | None = None,
    trace: RunTrace | None = None,
) -> Proposal:
    """Asks a model for JSON of a schema and takes what it writes, unchecked: so that what is wrong with it can be
    told to the model.

    Args:
        catalog: Models by name.
        prices: What they cost.
        config: Limits of a call.
        model: Its name.
        name: Of the agent that asks.
        instructions: What is to be done.
        said: The conversation so far, a user's message last.
        schema: A JSON Schema of the answer.
        temperature: 0 to 2; None: the model's own.
        trace: What it is told to; it ends with the answer.

    Raises:
        ModelFailed: A kind of it: refused, overloaded or timed out.
    """
    agent = _agent(name, instructions, model, config, temperature, UncheckedOutput(schema))
    items: Any = [{"role": message.role, "content": message.text} for message in said]
    spent = await _ask(agent, items, catalog, prices, model, trace)
    return Proposal(
        text=spent.output,
        model=model,
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cost_usd=spent.cost_usd,
    )


def _agent(
    name: str,
    instructions: str,
    model: str,
    config: LoopConfig,
    temperature: float | None,
    output: JsonSchemaOutput,
) -> Agent[None]:
    return Agent[None](
        name=name,
        instructions=instructions,
        model_settings=ModelSettings(
            temperature=temperature if takes_temperature(model) else None,
            include_usage=True,
            store=False if model.startswith("openai/") else None,
            retry=None if is_offline(model) else retry_settings(config.max_retries),
            timeout=config.call_timeout_s,
        ),
        output_type=output,
    )


async def _ask(
    agent: Agent[None],
    said: str | list[TResponseInputItem],
    catalog: ModelCatalog,
    prices: PriceList,
    model: str,
    trace: RunTrace | None,
) -> _Spent:
    assert_no_transaction("asking a model")
    end = RunEnd(status="cancelled")
    try:
        asked = catalog.get(model)
        if trace is not None:
            asked = TracedModel(asked, model, trace, prices)
        result = await Runner.run(
            agent,
            said,
            max_turns=1,
            run_config=RunConfig(model=asked, tracing_disabled=True),
        )
        end = RunEnd(status="completed", finish_reason="stop", requests=1)
    except Exception as error:
        failure = failure_of(error, started=False)
        end = RunEnd(status="failed", finish_reason="error", code=failure.code)
        raise failure from error
    finally:
        if trace is not None:
            trace.end(end)
    usage = result.context_wrapper.usage
    cost = prices.cost_usd(
        model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.input_tokens_details.cached_tokens,
    )
    return _Spent(
        output=result.final_output,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=None if cost is None else float(cost),
    )
