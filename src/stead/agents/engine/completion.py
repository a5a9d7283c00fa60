"""One structured answer of a model, outside of any conversation."""

from __future__ import annotations

from typing import Any

from agents import Agent, ModelSettings, RunConfig, Runner

from stead.agents.engine.output import JsonSchemaOutput
from stead.agents.limits import LoopConfig
from stead.db import assert_no_transaction
from stead.memory.extraction import Answer
from stead.providers.models import PriceList, is_offline
from stead.providers.models.catalog import ModelCatalog
from stead.providers.models.failures import failure_of
from stead.providers.models.retries import retry_settings


async def complete(
    catalog: ModelCatalog,
    prices: PriceList,
    config: LoopConfig,
    model: str,
    *,
    instructions: str,
    text: str,
    schema: dict[str, Any],
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

    Raises:
        ModelFailed: A kind of it: refused, overloaded, timed out, or an answer that is none.
    """
    assert_no_transaction("asking a model")
    agent = Agent[None](
        name="extraction",
        instructions=instructions,
        model_settings=ModelSettings(
            temperature=0.0,
            include_usage=True,
            store=False if model.startswith("openai/") else None,
            retry=None if is_offline(model) else retry_settings(config.max_retries),
            timeout=config.call_timeout_s,
        ),
        output_type=JsonSchemaOutput(schema),
    )
    try:
        result = await Runner.run(
            agent,
            text,
            max_turns=1,
            run_config=RunConfig(model=catalog.get(model), tracing_disabled=True),
        )
    except Exception as error:
        raise failure_of(error, started=False) from error
    usage = result.context_wrapper.usage
    cost = prices.cost_usd(
        model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.input_tokens_details.cached_tokens,
    )
    return Answer(
        data=result.final_output,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=None if cost is None else float(cost),
        model=model,
    )
