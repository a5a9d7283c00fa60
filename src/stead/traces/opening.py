"""Opening a tracer, which is when OpenTelemetry is imported."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from stead.traces.config import TracesConfig
from stead.traces.errors import TracesNotConfigured

if TYPE_CHECKING:
    from stead.traces.tracer import Tracer


def check_extra() -> None:
    """Raises TracesNotConfigured where OpenTelemetry is not installed."""
    for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise TracesNotConfigured(
                "traces are configured, and OpenTelemetry is not installed",
                hint="pip install 'stead[otel]', or unset STEAD_OTLP_ENDPOINT and LANGFUSE_PUBLIC_KEY.",
            )


def open_tracer(config: TracesConfig) -> Tracer:
    """A tracer that sends to a receiver; it must be closed.

    Raises:
        TracesNotConfigured: The extra ``otel`` is not installed.
    """
    check_extra()
    from stead.traces.tracer import Tracer  # noqa: PLC0415 - an optional extra

    return Tracer(config)
