"""What Prometheus is told of the outbox, under the names of 001."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from prometheus_client import Counter, Gauge, Histogram

_PROCESSED: Final = Counter(
    "outbox_processed", "Attempts that ended: success, retry or failed", ["tenant", "status"]
)
_DURATION: Final = Histogram(
    "outbox_processing_duration_seconds",
    "From the beginning of an attempt to its result",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
_DLQ: Final = Gauge("outbox_dlq_size", "Dead letters", ["tenant"])
_DEPTH: Final = Gauge("outbox_depth", "Envelopes that are not over, by status", ["tenant", "status"])
_RETRIES: Final = Counter("outbox_retry", "Attempts that are to be repeated", ["tenant"])
_ATTEMPTS: Final = Counter("outbox_attempts", "Attempts that were begun", ["tenant"])
_FAILURES: Final = Counter("outbox_failures", "Attempts that failed, by code", ["tenant", "code"])
_CONFLICTS: Final = Counter("outbox_conflicts", "Writes of a lease that was lost")
_HELD: Final = Counter(
    "outbox_held", "Envelopes that their judgement kept from running", ["tenant", "code"]
)
_BREAKERS: Final = Counter("outbox_breakers_opened", "Accounts that are left alone for a while")

Status = Literal["success", "retry", "failed"]


def settled(ended: Iterable[tuple[str, Status, str | None]]) -> None:
    """Counts attempts that ended, each with its tenant, its status and the code of its failure."""
    for (tenant, status, code), n in Counts(ended).items():
        _PROCESSED.labels(tenant=tenant, status=status).inc(n)
        if status == "retry":
            _RETRIES.labels(tenant=tenant).inc(n)
        if status != "success":
            _FAILURES.labels(tenant=tenant, code=code or "unknown").inc(n)


def took(duration_s: float) -> None:
    """Notes how long an attempt took."""
    _DURATION.observe(duration_s)


def begun(tenants: Iterable[str]) -> None:
    """Counts attempts that begin, by their tenants."""
    for tenant, n in Counts(tenants).items():
        _ATTEMPTS.labels(tenant=tenant).inc(n)


def held(refused: Iterable[tuple[str, str]]) -> None:
    """Counts envelopes that do not run, each with its tenant and why."""
    for (tenant, code), n in Counts(refused).items():
        _HELD.labels(tenant=tenant, code=code).inc(n)


def fenced(n: int) -> None:
    """Counts writes that came too late."""
    _CONFLICTS.inc(n)


def breakers_opened(n: int) -> None:
    """Counts breakers that opened."""
    _BREAKERS.inc(n)


def depths(found: Mapping[tuple[str, str], int]) -> None:
    """Shows how much waits, by tenant and status."""
    _DLQ.clear()
    _DEPTH.clear()
    for (tenant, status), n in found.items():
        if status == "dlq":
            _DLQ.labels(tenant=tenant).set(n)
        else:
            _DEPTH.labels(tenant=tenant, status=status).set(n)
