"""What can go wrong with tools."""

from __future__ import annotations

from stead.core.errors import Conflict, Invalid, NotFound


class ToolUnknown(NotFound):
    """There is no such tool."""

    code = "tool_unknown"


class ToolDrifted(Conflict):
    """The tool changed, and nobody has looked at it yet."""

    code = "tool_drifted"


class ToolInCode(Conflict):
    """The tool is defined elsewhere."""

    code = "tool_in_code"


class ToolInvalid(Invalid):
    """The tool cannot be read."""

    code = "tool_invalid"


class ToolSchemaInvalid(Invalid):
    """The tool's schema is none that arguments can be checked with."""

    code = "tool_schema_invalid"


class ToolProviderUnknown(NotFound):
    """No provider of that name lists tools here."""

    code = "tool_provider_unknown"


class DriftUnknown(NotFound):
    """There is no such change of a tool."""

    code = "drift_unknown"


class AddressRefused(Invalid):
    """That address is none that is called from here."""

    code = "address_refused"


class AddressUnknown(Invalid):
    """That name has no address."""

    code = "address_unknown"


class ToolRefused(Exception):
    """For functions to raise: what was asked for cannot be done, and never will. It had no effect.

    Args:
        message: For the person; it is stored and shown.
    """


class ToolRetry(Exception):
    """For functions to raise: it had no effect, and may be tried again.

    Args:
        message: For the person; it is stored and shown.
        after_s: Seconds after which; None: as the policy says.
    """

    def __init__(self, message: str = "", *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s
