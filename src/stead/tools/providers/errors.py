"""What can go wrong with providers of tools, other than in a call (that is a `ToolOutcome`)."""

from __future__ import annotations

from stead.core.errors import Invalid, RateLimited, Unavailable


class ToolProviderUnavailable(Unavailable):
    """A provider of tools does not answer."""

    code = "tool_provider_unavailable"


class ToolProviderBusy(RateLimited):
    """A provider of tools asks to be left alone for a while."""

    code = "tool_provider_busy"


class ToolProviderMisconfigured(Invalid):
    """A provider of tools cannot be used as it is configured."""

    code = "tool_provider_misconfigured"
