"""What Prometheus is told of spans."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import Counter

Outcome = Literal["exported", "failed", "dropped"]
_SPANS: Final = Counter(
    "stead_trace_spans_total", "Spans that were sent, could not be sent, or found no room.", ["outcome"]
)
for _outcome in ("exported", "failed", "dropped"):
    _SPANS.labels(outcome=_outcome)


def spans(outcome: Outcome, n: int) -> None:
    """Counts spans."""
    _SPANS.labels(outcome=outcome).inc(n)
