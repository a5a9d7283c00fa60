"""The span of one call of a model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from opentelemetry.trace import Span

from stead.traces.content import ContentWriter, name
from stead.traces.guarding import guarded
from stead.traces.marking import OUTPUT, mark, mark_failed, mark_stopped
from stead.traces.models import ModelAnswer


class CallTrace:
    """One call of a model with all that it took: tries after the first are the same call.

    Args:
        span: It.
        writer: Writes content; None: there is none in this trace.
    """

    def __init__(self, span: Span, writer: ContentWriter | None) -> None:
        self._span = span
        self._writer = writer
        self._began_s = time.monotonic()
        self._first = False
        self._failure: tuple[str, int] | None = None
        self._tries = 1
        self._open = True

    @property
    def has_failed(self) -> bool:
        """Whether its last try failed, and it may be tried again."""
        return self._open and self._failure is not None

    def again(self) -> None:
        """Another try."""
        self._failure = None
        self._tries += 1

    @guarded
    def first_token(self) -> None:
        """The answer has begun; only the first time counts."""
        if self._first:
            return
        self._first = True
        mark(
            self._span,
            {
                "gen_ai.response.time_to_first_chunk": time.monotonic() - self._began_s,
                "langfuse.observation.completion_start_time": datetime.now(UTC).isoformat(),
            },
        )

    @guarded
    def answered(self, answer: Callable[[], ModelAnswer]) -> None:
        """Ends the call with what the model answered."""
        if self._open and self._failure is None:
            self._tell(answer())
            self._end(None)

    @guarded
    def stopped(self, heard: Callable[[], ModelAnswer]) -> None:
        """Ends the call where it was stopped, with what was heard."""
        if self._open and self._failure is None:
            self._tell(heard())
            mark_stopped(self._span)
            self._end(None)

    @guarded
    def failed(self, code: str, heard: Callable[[], ModelAnswer] | None = None) -> None:
        """The try failed. The call ends with it when the run does, unless there is another try."""
        if self._open and self._failure is None:
            self._failure = (code, time.time_ns())
            if heard is not None:
                self._tell(heard())

    @guarded
    def close(self) -> None:
        """Ends it where nothing else has."""
        if not self._open:
            return
        if self._failure is None:
            mark_stopped(self._span)
            self._end(None)
        else:
            code, at_ns = self._failure
            mark_failed(self._span, code)
            self._end(at_ns)

    def _end(self, at_ns: int | None) -> None:
        self._open = False
        mark(self._span, {"stead.model.tries": self._tries})
        self._span.end(at_ns)

    def _tell(self, answer: ModelAnswer) -> None:
        usage: dict[str, int] = {}
        if answer.input_tokens is not None and answer.output_tokens is not None:
            # Langfuse adds the kinds up: what was cached is not counted twice.
            usage["input"] = max(answer.input_tokens - answer.cached_tokens, 0)
            usage["output"] = answer.output_tokens
            if answer.cached_tokens:
                usage["input_cached_tokens"] = answer.cached_tokens
            usage["total"] = answer.input_tokens + answer.output_tokens
        cost = None if answer.cost_usd is None or not usage else float(answer.cost_usd)
        mark(
            self._span,
            {
                "gen_ai.response.model": name(answer.model) if answer.model else None,
                "gen_ai.response.id": name(answer.id) if answer.id else None,
                "gen_ai.response.finish_reasons": [answer.finish_reason]
                if answer.finish_reason
                else None,
                "gen_ai.usage.input_tokens": answer.input_tokens,
                "gen_ai.usage.output_tokens": answer.output_tokens,
                "gen_ai.usage.cache_read.input_tokens": answer.cached_tokens or None,
                "gen_ai.usage.cost": cost,
                "langfuse.observation.usage_details": json.dumps(usage) if usage else None,
                "langfuse.observation.cost_details": None
                if cost is None
                else json.dumps({"total": cost}),
            },
        )
        if self._writer is not None and (said := answer.said()):
            mark(
                self._span,
                {
                    "gen_ai.output.messages": self._writer.messages(
                        said, answer.finish_reason or "error"
                    ),
                    OUTPUT: self._writer.chat(said),
                },
            )
