"""The development model: it answers without network, by rule, and says so.

It quotes the memories that Stead injects, notes what the user tells, calls a tool on an explicit
``/tool name {json}`` in the user's last message, and fills output schemas from the input. It makes no
pretence of intelligence: every text answer carries ``[offline model]``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from agents import AgentOutputSchemaBase, FunctionTool, Handoff, ModelSettings, Tool, Usage
from agents.items import ModelResponse, TResponseInputItem, TResponseStreamEvent
from agents.models.interface import Model, ModelTracing
from agents.tracing import generation_span
from openai.types.responses import Response, ResponsePromptParam, ResponseUsage
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails
from typing_extensions import override

from stead.core.clock import Clock, system_clock
from stead.core.ids import new_id
from stead.providers.models.offline.answer import answer, labelled
from stead.providers.models.offline.commands import ToolCommand, tool_command
from stead.providers.models.offline.context import context_in
from stead.providers.models.offline.events import OutputItem, events, function_call, message
from stead.providers.models.offline.input import Reading, estimated_tokens, read
from stead.providers.models.offline.memories import parse_memories
from stead.providers.models.offline.schema import fill

MODEL_NAME = "offline"


class OfflineModel(Model):
    """A model of the OpenAI Agents SDK without network: but for its ids, a function of its input.

    Args:
        delay_s: Seconds between two deltas of a stream, for trying out stop and resume by hand.
        clock: Gives the responses' ``created_at``.
    """

    def __init__(self, *, delay_s: float = 0.0, clock: Clock = system_clock) -> None:
        self._delay_s = delay_s
        self._clock = clock

    @override
    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        """The whole answer at once; see the SDK's ``Model.get_response`` for the arguments."""
        with generation_span(model=MODEL_NAME, disabled=tracing.is_disabled()) as span:
            response, item = self._respond(
                _Call(
                    instructions=system_instructions or "",
                    reading=read(input),
                    offered=_offered(tools, handoffs, model_settings),
                    output_schema=output_schema,
                    continues=bool(previous_response_id or conversation_id),
                )
            )
            usage = _counted(response)
            span.span_data.usage = _span_usage(usage)
            return ModelResponse(output=[item], usage=usage, response_id=response.id)

    @override
    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The same answer word by word; see the SDK's ``Model.stream_response`` for the arguments."""
        with generation_span(model=MODEL_NAME, disabled=tracing.is_disabled()) as span:
            response, item = self._respond(
                _Call(
                    instructions=system_instructions or "",
                    reading=read(input),
                    offered=_offered(tools, handoffs, model_settings),
                    output_schema=output_schema,
                    continues=bool(previous_response_id or conversation_id),
                )
            )
            span.span_data.usage = _span_usage(_counted(response))
            for event in events(response, item):
                yield event
                # Even without a delay the loop must get its turn, or nobody could cancel the stream.
                await asyncio.sleep(self._delay_s if event.type.endswith(".delta") else 0)

    def _respond(self, call: _Call) -> tuple[Response, OutputItem]:
        item, written = _output_item(call)
        input_tokens = estimated_tokens(call.reading.characters + len(call.instructions))
        output_tokens = estimated_tokens(len(written))
        response = Response(
            id=f"resp_{new_id().hex}",
            created_at=self._clock.now().timestamp(),
            model=MODEL_NAME,
            object="response",
            status="completed",
            output=[item],
            tools=[],
            tool_choice="auto",
            parallel_tool_calls=False,
            usage=ResponseUsage(
                input_tokens=input_tokens,
                input_tokens_details=InputTokensDetails(cached_tokens=0, cache_write_tokens=0),
                output_tokens=output_tokens,
                output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
                total_tokens=input_tokens + output_tokens,
            ),
        )
        return response, item


@dataclass(frozen=True, kw_only=True)
class _Call:
    """What of a model call an answer depends on."""

    instructions: str
    reading: Reading
    offered: Sequence[str]
    output_schema: AgentOutputSchemaBase | None
    continues: bool


def _output_item(call: _Call) -> tuple[OutputItem, str]:
    """The answer as an output item, and the text that was written for it."""
    reading = call.reading
    command = tool_command(reading.user_text, call.offered) if reading.user_is_last else None
    if isinstance(command, ToolCommand):
        item_id, call_id = f"fc_{new_id().hex}", f"call_{new_id().hex}"
        return function_call(item_id, call_id, command.name, command.arguments), command.arguments
    if call.output_schema is not None and not call.output_schema.is_plain_text():
        results = "\n".join(result.output for result in reading.results)
        source = results or context_in(reading.user_text) or reading.user_text
        text = json.dumps(fill(call.output_schema.json_schema(), source), ensure_ascii=False)
    else:
        body = command or answer(reading, parse_memories(call.instructions))
        text = labelled(body, first=not (reading.answered_before or call.continues))
    return message(f"msg_{new_id().hex}", text), text


def _offered(tools: Sequence[Tool], handoffs: Sequence[Handoff], settings: ModelSettings) -> list[str]:
    """The names that a function call may bear. Hosted tools run at a vendor: none is callable here."""
    if settings.tool_choice == "none":
        return []
    own = [tool.name for tool in tools if isinstance(tool, FunctionTool)]
    return own + [handoff.tool_name for handoff in handoffs]


def _counted(response: Response) -> Usage:
    usage = response.usage
    if usage is None:
        return Usage(requests=1)
    return Usage(
        requests=1,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
    )


def _span_usage(usage: Usage) -> dict[str, int]:
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
