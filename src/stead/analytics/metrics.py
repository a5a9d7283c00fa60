"""What Prometheus is told of events."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import Counter

_WEBHOOKS: Final = Counter(
    "stead_analytics_webhooks_total", "Webhooks of shops and calendars", ["provider", "outcome"]
)
_FORWARDED: Final = Counter("stead_analytics_forwarded_total", "Events that were sent on", ["outcome"])


def received(provider: str, outcome: str) -> None:
    """Counts a webhook: recorded, repeated, ignored or refused."""
    _WEBHOOKS.labels(provider=provider, outcome=outcome).inc()


def forwarded(outcome: Literal["sent", "refused", "again"], n: int) -> None:
    """Counts events that were sent on, were refused for good, or are to be sent again."""
    _FORWARDED.labels(outcome=outcome).inc(n)
