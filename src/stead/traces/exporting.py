"""How spans leave: through a bounded queue, in a thread of their own. Whoever ends a span never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import requests
import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from typing_extensions import override

from stead.traces import metrics
from stead.traces.config import TracesConfig

_log = structlog.stdlib.get_logger(__name__)
#: Headers of a request that are no credentials.
_USUAL: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
    }
)


class _Waiting:
    """How many spans were ended and neither sent nor given up. Two threads count."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spans = 0
        self._closed = False
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Takes a place for a span; False when there is none."""
        with self._lock:
            if self._spans >= self._most:
                return False
            self._spans += 1
            return True

    def leave(self, spans: int) -> bool:
        """Gives places back; False when nobody counts any more."""
        with self._lock:
            self._spans -= spans
            return not self._closed

    def close(self) -> int:
        """Counts no more; returns how many there were."""
        with self._lock:
            self._closed = True
            return self._spans


class _Exporter(SpanExporter):
    """Counts what OpenTelemetry's exporter sends, and says when it begins to fail and when it has stopped to.

    Its own messages are not logged: they quote what a receiver answers.
    """

    def __init__(self, exporter: SpanExporter, waiting: _Waiting) -> None:
        self._exporter = exporter
        self._waiting = waiting
        self._failing = False

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result, reason = SpanExportResult.FAILURE, "refused or unreachable"
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - the outermost edge of this thread
            reason = type(error).__name__
        if not self._waiting.leave(len(spans)):
            return result
        failed = result is not SpanExportResult.SUCCESS
        metrics.spans("failed" if failed else "exported", len(spans))
        if failed and not self._failing:
            _log.warning("traces_failing", spans=len(spans), reason=reason)
        elif self._failing and not failed:
            _log.info("traces_recovered")
        self._failing = failed
        return result

    @override
    def shutdown(self) -> None:
        self._exporter.shutdown()


class Outgoing(SpanProcessor):
    """Hands ended spans to OpenTelemetry's batches as long as there is room, and counts those it drops."""

    def __init__(self, config: TracesConfig) -> None:
        self._waiting = _Waiting(config.queue)
        exporter = OTLPSpanExporter(
            endpoint=config.url,
            headers=dict(config.headers),
            timeout=config.timeout_s,
            session=_session(config.headers),
        )
        self._batches = BatchSpanProcessor(
            _Exporter(exporter, self._waiting),
            max_queue_size=config.queue,
            max_export_batch_size=min(config.batch, config.queue),
            schedule_delay_millis=config.delay_s * 1000,
        )

    def give_up(self) -> int:
        """Counts what has not been sent as dropped; returns how many spans that are."""
        lost = self._waiting.close()
        metrics.spans("dropped", lost)
        return lost

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        pass

    @override
    def on_end(self, span: ReadableSpan) -> None:
        if self._waiting.enter():
            self._batches.on_end(span)
        else:
            metrics.spans("dropped", 1)

    @override
    def shutdown(self) -> None:
        self._batches.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batches.force_flush(timeout_millis)


def _session(headers: Mapping[str, str]) -> requests.Session:
    """A client that sends those headers and no others.

    By themselves the exporter would add those of ``OTEL_EXPORTER_OTLP_HEADERS``, whichever receiver they were
    meant for, and the client the password that a ``.netrc`` has for the host.
    """
    session = requests.Session()
    session.auth = _only(_USUAL | {name.lower() for name in headers})
    return session


def _only(
    names: frozenset[str] | set[str],
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def strip(request: requests.PreparedRequest) -> requests.PreparedRequest:
        for name in list(request.headers):
            if name.lower() not in names:
                del request.headers[name]
        return request

    return strip
