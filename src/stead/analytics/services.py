"""What the part works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stead.analytics.forwarding import Forwarder
from stead.analytics.models import Provider


@dataclass(frozen=True, kw_only=True)
class AnalyticsServices:
    """Secrets of webhooks, and who sends events on.

    Args:
        secrets: What webhooks are signed with, by provider and tenant.
        forwarder: Sends events on; None: nowhere to.
        keep_s: After how many seconds an event is deleted.
    """

    secrets: Mapping[Provider, Mapping[str, str]] = field(
        default_factory=dict[Provider, Mapping[str, str]], repr=False
    )
    forwarder: Forwarder | None = None
    keep_s: float = 400 * 86_400.0

    async def forward(self) -> int:
        """Sends some events on; returns how many."""
        return await self.forwarder.round() if self.forwarder else 0
