"""Where runs meet their traces: around each call of a model, and at the SDK's hooks for tools.

The SDK's own tracing stays off. It tells a model's call when its stream has ended well; here one that is stopped,
breaks off or is tried again is told too, with what it had by then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from agents import AgentOutputSchemaBase, Model, ModelSettings, RunHooks, Tool
from agents.run_config import ToolErrorFormatterArgs
from agents.tool_context import ToolContext as CallContext
from typing_extensions import override

from stead.agents.acting import as_text
from stead.agents.models import ToolContext, Turn
from stead.providers.models import PriceList
from stead.providers.models.failures import failure_of
from stead.traces import ModelAnswer, ModelCall, Piece, ToolUse

if TYPE_CHECKING:
    from stead.traces.calls import CallTrace
    from stead.traces.spans import RunTrace

#: What the SDK puts where a model gave no id.
_NO_ID: Final = "__fake_id__"
_LAST: Final = {"response.completed", "response.incomplete", "response.failed"}
_BROKEN: Final = {"response.failed", "response.error", "error"}
_ROLES: Final = {"developer": "system"}


class TracedModel(Model):
    """A model whose calls are told to a trace.

    Args:
        model: The model.
        name: Its name with the provider.
        trace: Of the run.
        prices: What models cost.
    """

    def __init__(self, model: Model, name: str, trace: RunTrace, prices: PriceList) -> None:
        self._model = model
        self._name = name
        self._trace = trace
        self._prices = prices

    def __getattr__(self, name: str) -> Any:
        # The SDK asks models for what only some have. A copy that is being made has nothing yet.
        if name == "_model":
            raise AttributeError(name)
        return getattr(self._model, name)

    @override
    async def _cleanup_on_run_end(self, owner: object) -> None:
        await self._model._cleanup_on_run_end(owner)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    @override
    def get_retry_advice(self, request: Any) -> Any:
        return self._model.get_retry_advice(request)

    @override
    async def get_response(
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        *given: Any,
        **named: Any,
    ) -> Any:
        call = self._begin(system_instructions, input, model_settings, output_schema, stream=False)
        heard = _Heard(self._name, self._prices)
        try:
            response = await self._model.get_response(
                system_instructions, input, model_settings, tools, output_schema, *given, **named
            )
        except asyncio.CancelledError:
            call.stopped(heard.answer)
            raise
        except Exception as error:
            call.failed(failure_of(error, started=False).code)
            raise
        heard.response = response
        call.answered(heard.answer)
        return response

    @override
    async def stream_response(
        self,
        system_instructions: str | None,
        input: Any,
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        *given: Any,
        **named: Any,
    ) -> AsyncIterator[Any]:
        call = self._begin(system_instructions, input, model_settings, output_schema, stream=True)
        heard = _Heard(self._name, self._prices)
        stream = self._model.stream_response(
            system_instructions, input, model_settings, tools, output_schema, *given, **named
        )
        try:
            async for event in stream:
                self._look_at(event, call, heard)
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            call.stopped(heard.answer)
            raise
        except Exception as error:
            code = failure_of(error, started=heard.begun).code
            call.failed(code, heard.answer if heard.begun else None)
            raise
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        if heard.response is None:
            call.failed(_broken_off(heard.begun), heard.answer)

    def _begin(
        self,
        instructions: str | None,
        given: Any,
        settings: ModelSettings,
        schema: AgentOutputSchemaBase | None,
        *,
        stream: bool,
    ) -> CallTrace:
        return self._trace.call(
            ModelCall(
                model=self._name,
                temperature=settings.temperature,
                top_p=settings.top_p,
                max_tokens=settings.max_tokens,
                stream=stream,
                output="json" if schema is not None and not schema.is_plain_text() else "text",
                instructions=instructions,
                said=lambda: list(pieces_of(given)),
            )
        )

    def _look_at(self, event: Any, call: CallTrace, heard: _Heard) -> None:
        kind: str = event.type
        if kind.endswith(".delta"):
            heard.begun = True
            call.first_token()
            if self._trace.content and kind == "response.output_text.delta":
                heard.texts.append(event.delta)
        elif kind in _LAST:
            heard.response = event.response
            if kind != "response.failed":
                call.answered(heard.answer)
        if kind in _BROKEN:
            call.failed(_broken_off(heard.begun), heard.answer)


class _Heard:
    """What a model has said so far."""

    def __init__(self, name: str, prices: PriceList) -> None:
        self._name = name
        self._prices = prices
        self.begun = False
        self.texts: list[str] = []
        self.response: Any = None

    def answer(self) -> ModelAnswer:
        """As a trace takes it."""
        response = self.response
        if response is None:
            texts = self.texts
            return ModelAnswer(
                said=lambda: [Piece(role="assistant", text="".join(texts))] if texts else []
            )
        usage = response.usage
        spent: dict[str, Any] = {}
        if usage is not None:
            cached = usage.input_tokens_details.cached_tokens or 0
            spent = {
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "cached_tokens": cached,
                "cost_usd": self._prices.cost_usd(
                    self._name,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cached_tokens=cached,
                ),
            }
        given_id = getattr(response, "id", None) or getattr(response, "response_id", None)
        return ModelAnswer(
            model=_short(getattr(response, "model", None)),
            id=None if given_id in {None, _NO_ID} else given_id,
            finish_reason=_finish_reason(response),
            said=lambda: list(pieces_of(response.output)),
            **spent,
        )


class ToolHooks(RunHooks[ToolContext]):
    """Tells a trace of functions that are called within the run.

    Args:
        trace: Of the run.
        governed: Tools that are not: their calls are told where they are proposed.
    """

    def __init__(self, trace: RunTrace, governed: Iterable[str]) -> None:
        self._trace = trace
        self._governed = frozenset(governed)

    @override
    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        if isinstance(context, CallContext) and tool.name not in self._governed:
            self._trace.tool_begins(
                context.tool_call_id, tool.name, tool.description, context.tool_arguments, anew=True
            )

    @override
    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        if isinstance(context, CallContext) and tool.name not in self._governed:
            told: object = result
            if not isinstance(result, str):
                dump = getattr(result, "model_dump", None)
                told = dump(mode="json") if callable(dump) else result
            self._trace.tool_ends(context.tool_call_id, "succeeded", told)

    def note_failure(self, failed: ToolErrorFormatterArgs[Any]) -> str | None:
        """Takes a tool's error in, and leaves to the SDK what the model is told of it."""
        if failed.error is not None:
            self._trace.tool_fails(failed.call_id, type(failed.error).__name__)
        return None


def tell_governed(turn: Turn, call_id: str) -> None:
    """Tells the trace of a run what a governed call came to, if it has; or that it waits."""
    trace, actions = turn.trace, turn.actions
    if trace is None:
        return
    outcome = actions.outcomes.get(call_id)
    if outcome is not None:
        trace.tool_ends(call_id, outcome.kind, as_text(outcome.value) if trace.content else None)
    elif call_id in actions.waiting:
        trace.tool_ends(call_id, "waiting", None)


def tell_resumed(turn: Turn) -> None:
    """Tells the trace of a run that goes on what it waited for."""
    trace = turn.trace
    if trace is None or turn.resumed is None:
        return
    for call in turn.resumed.suspension.calls:
        trace.tool_begins(call.call_id, call.name, "", call.input)
        tell_governed(turn, call.call_id)


def pieces_of(items: Any) -> Iterable[Piece]:
    """A conversation in the form of the Responses API, whether of dictionaries or of the SDK's types."""
    if isinstance(items, str):
        yield Piece(role="user", text=items)
        return
    for item in items:
        get = _getter(item)
        kind = get("type")
        if kind == "function_call":
            use = ToolUse(
                call_id=str(get("call_id")), name=str(get("name")), arguments=str(get("arguments") or "")
            )
            yield Piece(role="assistant", call=use)
        elif kind == "function_call_output":
            yield Piece(role="tool", text=_text_of(get("output")), result_of=str(get("call_id")))
        elif get("role") is not None:
            role = str(get("role"))
            yield Piece(role=_ROLES.get(role, role), text=_text_of(get("content")))


def _broken_off(begun: bool) -> str:  # noqa: FBT001
    """The code of a stream that its provider ended before its time."""
    return failure_of(RuntimeError(), started=begun, broken=True).code


def _getter(item: Any) -> Callable[[str], Any]:
    if isinstance(item, dict):
        return item.get  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return lambda name: getattr(item, name, None)


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return json.dumps(content, ensure_ascii=False, default=str)
    parts: list[Any] = content  # pyright: ignore[reportUnknownVariableType]
    found: list[str] = []
    for part in parts:
        get = _getter(part)
        found.append(str(get("text") or get("refusal") or f"({get('type')})"))
    return "".join(found)


def _short(model: object) -> str | None:
    return model if isinstance(model, str) and model else None


def _finish_reason(response: Any) -> str:
    if getattr(response, "status", None) == "failed":
        return "error"
    details = getattr(response, "incomplete_details", None)
    if details is not None:
        return "length" if details.reason == "max_output_tokens" else str(details.reason)
    called = any(getattr(item, "type", None) == "function_call" for item in response.output)
    return "tool_call" if called else "stop"
