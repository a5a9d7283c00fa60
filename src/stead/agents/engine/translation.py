"""From the Agents SDK's stream to UI message frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.items import ToolCallOutputItem
from agents.stream_events import RawResponsesStreamEvent, RunItemStreamEvent, StreamEvent
from openai.types.responses import Response

from stead.agents import frames
from stead.agents.frames import Frame
from stead.agents.models import CallOutcome
from stead.agents.transcript import outcome_frames

_REASONING_DELTAS: Final = frozenset(
    {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
)
_FAILURES: Final = frozenset({"response.failed", "error", "response.error"})


class Translator:
    """Keeps what is open in a stream, so that every delta follows its start and every start has an end.

    Items are told apart by their position in the response: some models give all items the same id.

    Args:
        outcomes: What governed calls came to, by the model's id of the call; it grows meanwhile.

    Attributes:
        has_output: Whether a part of the answer was heard.
        incomplete: The response that its model ended before its time, such as at its limit of tokens.
        broken: Whether the provider said inside the stream that it failed.
    """

    def __init__(self, outcomes: Mapping[str, CallOutcome] | None = None) -> None:
        self._outcomes: Mapping[str, CallOutcome] = outcomes if outcomes is not None else {}
        self._step_open = False
        self._responses = 0
        self._open: dict[tuple[int, str], str] = {}
        self._calls: dict[int, tuple[str, str]] = {}
        self._announced: set[str] = set()
        self._blocks = 0
        self.has_output = False
        self.incomplete: Response | None = None
        self.broken = False

    def frames(self, event: StreamEvent) -> Iterator[Frame]:
        """The frames that one event stands for; often none."""
        if isinstance(event, RawResponsesStreamEvent):
            yield from self._raw(event.data)
        elif isinstance(event, RunItemStreamEvent) and isinstance(event.item, ToolCallOutputItem):
            yield from self._tool_output(event.item)

    def close(self) -> Iterator[Frame]:
        """Ends what is still open: at the end, or when the stream breaks off."""
        yield from self._close_blocks()
        if self._step_open:
            self._step_open = False
            yield frames.finish_step()

    def _raw(self, data: Any) -> Iterator[Frame]:
        kind: str = data.type
        if kind == "response.created":
            yield from self._new_step()
        elif kind == "response.output_item.added":
            yield from self._ensure_step()
            if data.item.type == "function_call":
                self._calls[data.output_index] = (data.item.call_id, data.item.name)
                yield from self._announce(data.item.call_id, data.item.name)
        elif kind == "response.output_text.delta":
            yield from self._delta("text", data.output_index, data.delta)
        elif kind in _REASONING_DELTAS:
            yield from self._reasoning(data.output_index, data.delta)
        elif kind == "response.function_call_arguments.delta":
            call = self._calls.get(data.output_index)
            if call is not None and data.delta:
                yield frames.tool_input_delta(call[0], data.delta)
        elif kind == "response.output_item.done":
            yield from self._done(data)
        elif kind == "response.incomplete":
            self.incomplete = data.response
        elif kind in _FAILURES:
            self.broken = True

    def _new_step(self) -> Iterator[Frame]:
        yield from self.close()
        self._responses += 1
        self._calls.clear()
        self._step_open = True
        yield frames.start_step()

    def _ensure_step(self) -> Iterator[Frame]:
        if not self._step_open:
            yield from self._new_step()

    def _delta(self, kind: str, index: int, delta: str) -> Iterator[Frame]:
        delta = frames.storable(delta)
        if not delta:
            return
        yield from self._ensure_step()
        self.has_output = True
        key = (index, kind)
        if key not in self._open:
            self._blocks += 1
            self._open[key] = f"{kind}-{self._blocks}"
            yield frames.block_start(kind, self._open[key])
        yield frames.block_delta(kind, self._open[key], delta)

    def _reasoning(self, index: int, delta: str) -> Iterator[Frame]:
        # The adapter for Anthropic's models puts the name of an empty field before the first real delta.
        if delta == "content" and (index, "reasoning") not in self._open:
            return
        yield from self._delta("reasoning", index, delta)

    def _announce(self, call_id: str, name: str) -> Iterator[Frame]:
        if call_id not in self._announced:
            self._announced.add(call_id)
            self.has_output = True
            yield frames.tool_input_start(call_id, name)

    def _done(self, data: Any) -> Iterator[Frame]:
        if data.item.type == "function_call":
            yield from self._announce(data.item.call_id, data.item.name)
            yield frames.tool_input_available(
                data.item.call_id, data.item.name, _parsed(data.item.arguments)
            )
            return
        for kind in ("text", "reasoning"):
            block_id = self._open.pop((data.output_index, kind), None)
            if block_id is not None:
                yield frames.block_end(kind, block_id)

    def _tool_output(self, item: ToolCallOutputItem) -> Iterator[Frame]:
        raw: Any = item.raw_item
        call_id = raw.get("call_id") if isinstance(raw, dict) else getattr(raw, "call_id", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if not isinstance(call_id, str) or call_id not in self._announced:
            return
        outcome = self._outcomes.get(call_id)
        if outcome is not None:
            yield from outcome_frames(call_id, outcome)
        else:
            yield frames.tool_output_available(call_id, _plain(item.output))

    def _close_blocks(self) -> Iterator[Frame]:
        for (_, kind), block_id in self._open.items():
            yield frames.block_end(kind, block_id)
        self._open.clear()


def _parsed(arguments: str) -> object:
    try:
        return json.loads(arguments) if arguments else {}
    except ValueError:
        return {"text": arguments}


def _plain(output: object) -> object:
    """The output of a tool as JSON: models and dataclasses by their fields, the rest as text."""
    try:
        dump = getattr(output, "model_dump", None)
        value = dump(mode="json") if callable(dump) else output
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError):
        return str(output)
