"""How a stream ends."""

from __future__ import annotations

from typing import Any

from stead.agents import frames
from stead.agents.models import RunOutcome


def last_frames(outcome: RunOutcome, metadata: dict[str, Any]) -> list[frames.Frame]:
    """What ends the stream, once the answer is stored."""
    if outcome.status == "cancelled":
        return [frames.abort()]
    if outcome.status == "failed" and outcome.error is not None:
        return [frames.error(f"{outcome.error['message']} ({outcome.error['code']})")]
    return [frames.finish(metadata)]
