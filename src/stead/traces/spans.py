"""The spans of one run, with the names that the GenAI conventions and Langfuse have for what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from opentelemetry.trace import (
    Span,
    SpanKind,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)

from stead.traces.calls import CallTrace
from stead.traces.content import ContentWriter, Piece, name, plain
from stead.traces.guarding import guarded
from stead.traces.marking import INPUT, OUTPUT, Value, mark, mark_failed, mark_stopped, provider_of
from stead.traces.models import ModelCall, RunEnd


@dataclass(kw_only=True)
class _ToolSpan:
    span: Span
    error: str | None = None


class RunTrace:
    """The trace of one run. Its methods are cheap, and none raises.

    Args:
        tracer: OpenTelemetry's.
        span: The root.
        common: What stands on each span.
        writer: Writes content; None: there is none in this trace.
    """

    def __init__(
        self, tracer: Tracer, span: Span, common: Mapping[str, Value], writer: ContentWriter | None
    ) -> None:
        self._tracer = tracer
        self._span = span
        self._common = dict(common)
        self._writer = writer
        self._context = set_span_in_context(span)
        self._tools: dict[str, _ToolSpan | None] = {}
        self._calls: list[CallTrace] = []

    @property
    def content(self) -> bool:
        """Whether what was said is in it."""
        return self._writer is not None

    @property
    def trace_id(self) -> str:
        """As receivers write it."""
        return format_trace_id(self._span.get_span_context().trace_id)

    @property
    def traceparent(self) -> str:
        """The root as others name it who go on with it."""
        context = self._span.get_span_context()
        span_id = format_span_id(context.span_id)
        return f"00-{self.trace_id}-{span_id}-{context.trace_flags:02x}"

    @guarded
    def describe(
        self,
        *,
        agent: str,
        model: str,
        agent_id: UUID | None = None,
        version_id: UUID | None = None,
        run_id: UUID | None = None,
        profile_id: UUID | None = None,
        resumes: UUID | None = None,
        said: str = "",
    ) -> None:
        """Says which agent answers what.

        Args:
            agent: Its slug, which the trace is named by.
            model: The model's name with the provider.
            agent_id: Its row.
            version_id: Its version's row.
            run_id: The run.
            profile_id: The person whose session it is.
            resumes: The run that it goes on with.
            said: The message that is answered, for traces with content.
        """
        self._common["langfuse.trace.name"] = name(agent)
        if run_id is not None:
            self._common["langfuse.trace.metadata.run_id"] = str(run_id)
        if profile_id is not None:
            self._common["user.id"] = str(profile_id)
        provider, short = provider_of(model)
        self._span.update_name(f"invoke_agent {name(agent)}")
        mark(
            self._span,
            {
                **self._common,
                "langfuse.observation.type": "agent",
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": short,
                "gen_ai.agent.name": name(agent),
                "gen_ai.agent.id": _id(agent_id),
                "gen_ai.agent.version": _id(version_id),
                "stead.run.id": _id(run_id),
                "stead.run.resumes": _id(resumes),
            },
        )
        if self._writer is not None and said:
            asked = [Piece(role="user", text=said)]
            mark(
                self._span,
                {
                    "gen_ai.input.messages": self._writer.messages(asked),
                    INPUT: self._writer.text(said),
                },
            )

    @guarded
    def recalled(
        self, began_ns: int, ended_ns: int, *, memories: int, question: str, block: str
    ) -> None:
        """Adds what was remembered for the message.

        Args:
            began_ns: When it was begun to look, since 1970.
            ended_ns: When it was found.
            memories: How many the model is given.
            question: What was asked for, for traces with content.
            block: What was found, likewise.
        """
        span = self._child("search_memory", SpanKind.INTERNAL, start_ns=began_ns)
        mark(
            span,
            {
                "langfuse.observation.type": "retriever",
                "gen_ai.operation.name": "search_memory",
                "stead.memory.injected": memories,
            },
        )
        if self._writer is not None:
            mark(
                span,
                {
                    "gen_ai.retrieval.query.text": self._writer.text(question),
                    INPUT: self._writer.text(question),
                    OUTPUT: self._writer.text(block),
                },
            )
        span.end(ended_ns)

    def call(self, call: ModelCall) -> CallTrace:
        """Begins a call of a model. One that follows on one that failed is that call, tried again."""
        if self._calls and self._calls[-1].has_failed:
            again = self._calls[-1]
            again.again()
            return again
        provider, short = provider_of(call.model)
        kind = SpanKind.INTERNAL if provider == "stead" else SpanKind.CLIENT
        span = self._child(f"chat {short}", kind)
        parameters = {
            key: value
            for key, value in (
                ("temperature", call.temperature),
                ("top_p", call.top_p),
                ("max_tokens", call.max_tokens),
            )
            if value is not None
        }
        mark(
            span,
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.model.name": short,
                "langfuse.observation.model.parameters": json.dumps(parameters),
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": short,
                "gen_ai.request.stream": call.stream,
                "gen_ai.output.type": call.output,
                **{f"gen_ai.request.{key}": value for key, value in parameters.items()},
            },
        )
        self._told(span, call)
        begun = CallTrace(span, self._writer)
        self._calls.append(begun)
        return begun

    @guarded
    def tool_begins(
        self, call_id: str, tool: str, description: str, arguments: object, *, anew: bool = False
    ) -> None:
        """Begins a call of a tool.

        Args:
            call_id: The model's id of it.
            tool: What the model calls the tool.
            description: What the model is told of it.
            arguments: Of the call, for traces with content.
            anew: Whether one that has ended under this id was another; otherwise it is the same one.
        """
        if call_id in self._tools and not (anew and self._tools[call_id] is None):
            return
        span = self._child(f"execute_tool {name(tool)}", SpanKind.INTERNAL)
        mark(
            span,
            {
                "langfuse.observation.type": "tool",
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name(tool),
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": name(call_id),
                "gen_ai.tool.description": plain(description[:1000]) or None,
            },
        )
        if self._writer is not None:
            written = self._writer.value(arguments)
            mark(span, {"gen_ai.tool.call.arguments": written, INPUT: written})
        self._tools[call_id] = _ToolSpan(span=span)

    @guarded
    def tool_fails(self, call_id: str, error: str) -> None:
        """Notes that a tool raised. What it raised may quote anything: only the type is told."""
        tool = self._tools.get(call_id)
        if tool is not None:
            tool.error = name(error)

    @guarded
    def tool_ends(self, call_id: str, outcome: str, result: object) -> None:
        """Ends a call of a tool.

        Args:
            call_id: The model's id of it.
            outcome: ``succeeded``, ``failed``, ``rejected``, ``waiting`` or ``cancelled``.
            result: What the model is told, for traces with content.
        """
        tool = self._tools.get(call_id)
        if tool is None:
            return
        self._tools[call_id] = None
        if tool.error is None and outcome == "failed":
            tool.error = "tool_failed"
        mark(tool.span, {"stead.tool.outcome": "failed" if tool.error else outcome})
        if self._writer is not None and result is not None:
            written = self._writer.value(result)
            mark(tool.span, {"gen_ai.tool.call.result": written, OUTPUT: written})
        if tool.error is not None:
            mark_failed(tool.span, tool.error)
        elif outcome == "cancelled":
            mark_stopped(tool.span)
        tool.span.end()

    @guarded
    def end(self, end: RunEnd) -> None:
        """Ends the run, and what was left of it."""
        for call in self._calls:
            call.close()
        for call_id in self._tools:
            self.tool_ends(call_id, "cancelled", None)
        mark(
            self._span,
            {
                "stead.run.status": end.status,
                "stead.run.requests": end.requests,
                "stead.run.first_token_ms": end.first_token_ms,
                "gen_ai.response.finish_reasons": [name(end.finish_reason)]
                if end.finish_reason
                else None,
                "langfuse.observation.metadata.status": end.status,
            },
        )
        self._answered(end)
        if end.status == "failed":
            mark_failed(self._span, end.code or "failed")
        elif end.status == "cancelled":
            mark_stopped(self._span)
        self._span.end()

    @guarded
    def _told(self, span: Span, call: ModelCall) -> None:
        if self._writer is not None:
            said = call.said()
            mark(
                span,
                {
                    "gen_ai.input.messages": self._writer.messages(said),
                    "gen_ai.system_instructions": self._writer.system(call.instructions)
                    if call.instructions
                    else None,
                    INPUT: self._writer.chat(said, call.instructions),
                },
            )

    @guarded
    def _answered(self, end: RunEnd) -> None:
        if self._writer is not None and (output := end.output()):
            answered = [Piece(role="assistant", text=output)]
            mark(
                self._span,
                {
                    "gen_ai.output.messages": self._writer.messages(
                        answered, end.finish_reason or "stop"
                    ),
                    OUTPUT: self._writer.text(output),
                },
            )

    def _child(self, title: str, kind: SpanKind, start_ns: int | None = None) -> Span:
        return self._tracer.start_span(
            title,
            context=self._context,
            kind=kind,
            attributes=self._common,
            start_time=start_ns,
        )


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)
