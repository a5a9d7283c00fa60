"""What Prometheus is told of jobs."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

_SETTLED: Final = Counter(
    "stead_jobs_settled_total", "Attempts that ended, by kind of job and outcome", ["kind", "outcome"]
)


def settled(kind: str, outcome: str, n: int) -> None:
    """Counts attempts that ended."""
    _SETTLED.labels(kind=kind, outcome=outcome).inc(n)
