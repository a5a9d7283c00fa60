"""A receiver of traces: OTLP over HTTP, as protobuf. It keeps what comes, and fails as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

_WAIT_S = 30


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span as it arrived."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    links: list[tuple[str, str]]
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[str]
    status: str
    status_message: str
    began_ns: int
    ended_ns: int
    raw: trace_pb2.Span

    @property
    def everything(self) -> str:
        """All that it says, in any field."""
        return f"{self.raw}\n{self.attributes}\n{self.resource}"


@dataclass(frozen=True, kw_only=True)
class Export:
    """One request of an exporter."""

    path: str
    headers: dict[str, str]
    spans: list[Span] = field(default_factory=list[Span])


class OtlpServer:
    """Listens on 127.0.0.1 until its block ends.

    Attributes:
        status: What it answers.
        silent: Whether it takes requests and answers none.
    """

    def __init__(self) -> None:
        self.status = 200
        self.silent = False
        self.exports: list[Export] = []
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Condition()
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, port: int = 0) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return self

    async def close(self) -> None:
        """Stops listening and cuts what is open."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Span]:
        """What was accepted, in the order of arrival."""
        return [span for export in self.exports for span in export.spans]

    async def until(self, arrived: Callable[[OtlpServer], bool]) -> None:
        """Waits until that is so."""
        async with asyncio.timeout(_WAIT_S), self._arrived:
            await self._arrived.wait_for(lambda: arrived(self))

    async def trace_of(self, session: str, runs: int = 1) -> list[Span]:
        """The spans of a session, once so many of its runs have ended."""

        def of_session() -> list[Span]:
            return [s for s in self.spans if s.attributes.get("session.id") == session]

        await self.until(lambda _: sum(s.name.startswith("invoke_agent") for s in of_session()) >= runs)
        return of_session()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._answer(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if self.silent:
            await asyncio.Event().wait()
        status = self.status
        async with self._arrived:
            spans = _spans(body) if status == 200 else []
            self.exports.append(Export(path=first.split(" ")[1], headers=headers, spans=spans))
            self._arrived.notify_all()
        answer = ExportTraceServiceResponse().SerializeToString()
        writer.write(
            f"HTTP/1.1 {status} -\r\ncontent-type: application/x-protobuf\r\n"
            f"content-length: {len(answer)}\r\n\r\n".encode()
            + answer
        )
        await writer.drain()


def _spans(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    found: list[Span] = []
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            assert scope.scope.name == "stead"
            found += [_span(span, resource) for span in scope.spans]
    return found


def _span(span: trace_pb2.Span, resource: dict[str, Any]) -> Span:
    return Span(
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        attributes=_attributes(span.attributes),
        resource=resource,
        events=[event.name for event in span.events],
        status=trace_pb2.Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
        status_message=span.status.message,
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        raw=span,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None
