"""What can go wrong with the call of a tool before memory sees it."""

from stead.core.errors import Invalid


class ToolArgumentsInvalid(Invalid):
    """The arguments of the tool do not fit."""

    code = "tool_arguments_invalid"
