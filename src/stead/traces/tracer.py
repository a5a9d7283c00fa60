"""The tracer: begins a trace for each run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from typing import Final

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from stead.traces.config import TracesConfig
from stead.traces.content import ContentWriter
from stead.traces.exporting import Outgoing
from stead.traces.marking import attributes_of
from stead.traces.models import Origin
from stead.traces.spans import RunTrace

_log = structlog.stdlib.get_logger(__name__)
_MAX_TRACEPARENT: Final = 256


class Tracer:
    """Begins traces and sends their spans.

    It is not OpenTelemetry's global one: an application that has its own keeps it.

    Args:
        config: Where to.
    """

    def __init__(self, config: TracesConfig) -> None:
        self.content = config.content
        self._environment = config.environment
        self._writer = ContentWriter(config.secrets) if config.content else None
        self._outgoing = Outgoing(config)
        given = {"deployment.environment.name": config.environment, "service.version": config.version}
        if not os.environ.get("OTEL_SERVICE_NAME"):
            given["service.name"] = "stead"
        ratio = TraceIdRatioBased(config.ratio)
        self._provider = TracerProvider(
            # A caller may ask for a trace to be kept, and not for one to be left out.
            sampler=ParentBased(
                root=ratio, remote_parent_sampled=ALWAYS_ON, remote_parent_not_sampled=ratio
            ),
            resource=Resource.create(given),
            # At exit it would wait for half a minute.
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(self._outgoing)
        self._tracer = self._provider.get_tracer("stead", config.version)

    def begin(
        self,
        origin: Origin,
        *,
        traceparent: str | None = None,
        follows: str | None = None,
    ) -> RunTrace | None:
        """Begins the trace of a run.

        Args:
            origin: Whose it is.
            traceparent: The caller's span, which this becomes a part of.
            follows: The ``traceparent`` of a run that this one goes on with.

        Returns:
            None where the trace is not kept.
        """
        common = attributes_of(origin, self._environment)
        linked = get_current_span(_remote(follows)).get_span_context()
        span = self._tracer.start_span(
            "invoke_agent",
            context=_remote(traceparent),
            kind=SpanKind.INTERNAL,
            attributes={**common, "gen_ai.operation.name": "invoke_agent"},
            links=[Link(linked)] if linked.is_valid else None,
        )
        if not span.is_recording():
            return None
        return RunTrace(self._tracer, span, common, self._writer)

    async def aclose(self, within_s: float) -> None:
        """Sends what waits, for some seconds at most: what is not sent by then is lost, and counted."""
        closed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def close() -> None:
            self._provider.shutdown()
            # The loop may be gone.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(closed.set)

        # A daemon: it does not keep the process, as a thread of the loop's pool would.
        threading.Thread(target=close, name="traces-close", daemon=True).start()
        try:
            async with asyncio.timeout(within_s):
                await closed.wait()
        except TimeoutError:
            pass
        if lost := self._outgoing.give_up():
            _log.warning("traces_not_sent", spans=lost)


def _remote(traceparent: str | None) -> Context:
    """The context that a header names; an empty one where it names none."""
    if traceparent is None or len(traceparent) > _MAX_TRACEPARENT:
        return Context()
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
