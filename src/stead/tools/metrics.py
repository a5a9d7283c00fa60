"""What Prometheus is told of tools."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

_DRIFTED: Final = Counter(
    "stead_tool_drifts_total", "Tools that were found to have changed, by severity", ["severity"]
)


def drifted(severity: str) -> None:
    """Counts a tool that changed."""
    _DRIFTED.labels(severity=severity).inc()
