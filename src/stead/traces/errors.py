"""What can go wrong with sending spans."""

from __future__ import annotations

from stead.core.errors import Unavailable


class TracesNotConfigured(Unavailable):
    """Traces need an extra that is missing."""

    code = "traces_not_configured"


class TracesUnreachable(Unavailable):
    """The receiver of traces does not take them."""

    code = "traces_unreachable"
