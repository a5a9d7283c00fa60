"""What of 001's `trust_context` is listened to: only what makes a verdict stricter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: A proposer that says one of these of itself wants a person to look.
_FLAGS: Final = ("requires_approval", "untrusted")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a proposer says against its own proposal.

    Args:
        flagged: It wants a person to look, or said what cannot be read.
        score: How much it trusts itself, 0 to 1.
    """

    flagged: bool = False
    score: float | None = None

    def plain(self) -> dict[str, Any]:
        """A trust context that says just this."""
        said: dict[str, Any] = {"requires_approval": True} if self.flagged else {}
        return said if self.score is None else {**said, "score": self.score}


_NONE: Final = Doubt()


def doubt_of(context: Mapping[str, Any]) -> Doubt:
    """The doubt in a trust context. Whatever else it says counts for nothing.

    Args:
        context: As the proposer wrote it.
    """
    if not context:
        return _NONE
    flagged = any(context.get(name) not in (None, False) for name in _FLAGS)
    score = context.get("score")
    if score is None:
        return Doubt(flagged)
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        return Doubt(flagged=True)
    return Doubt(flagged, float(score))
