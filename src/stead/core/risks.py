"""How much can go wrong with an action: the tiers that policies, tools and approvals share."""

from __future__ import annotations

from typing import Literal

Risk = Literal["low", "medium", "high", "critical"]
