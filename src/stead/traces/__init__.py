"""What runs did, as OpenTelemetry spans over OTLP, in the GenAI conventions and as Langfuse reads them.

No tables. Spans leave in a thread of their own from a queue that is bounded: a receiver that is slow or gone costs
spans, never an answer. What was said is in them only where that is switched on. OpenTelemetry itself (the extra
``otel``) is imported when a tracer is opened, and not before.
"""

from stead.traces.config import TracesConfig
from stead.traces.content import Piece, ToolUse
from stead.traces.errors import TracesNotConfigured, TracesUnreachable
from stead.traces.models import ModelAnswer, ModelCall, Origin, RunEnd, origin_of_context
from stead.traces.opening import check_extra, open_tracer
from stead.traces.receivers import address_of, langfuse, probe, read_headers, traces_url

__all__ = [
    "ModelAnswer",
    "ModelCall",
    "Origin",
    "Piece",
    "RunEnd",
    "ToolUse",
    "TracesConfig",
    "TracesNotConfigured",
    "TracesUnreachable",
    "address_of",
    "check_extra",
    "langfuse",
    "open_tracer",
    "origin_of_context",
    "probe",
    "read_headers",
    "traces_url",
]
