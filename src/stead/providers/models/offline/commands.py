"""The one command of the offline model: ``/tool name {json}`` in the user's last message."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, cast

from stead.providers.models.offline.words import shorten

_COMMAND = re.compile(r"/tool(?:\s+(?P<name>[^\s{]+)?\s*(?P<arguments>.*))?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ToolCommand:
    """A command that can be carried out; ``arguments`` is a JSON object as text."""

    name: str
    arguments: str


def tool_command(text: str, offered: Sequence[str]) -> ToolCommand | str | None:
    """Reads ``/tool name {json}``; without arguments they are ``{}``.

    Args:
        text: The user's last message.
        offered: The names that may be called.

    Returns:
        The command; or a sentence that says what is wrong with it; or None if ``text`` is no command.
    """
    match = _COMMAND.fullmatch(text.strip())
    if match is None:
        return None
    name: str | None = match["name"]
    if name is None:
        problem = "A tool command looks like this: /tool name {json}."
    elif name not in offered:
        problem = f"There is no tool named `{shorten(name, 80)}`."
    else:
        try:
            return ToolCommand(name=name, arguments=_arguments(match["arguments"]))
        except json.JSONDecodeError as error:
            reason = f"{error.msg} at character {error.pos + 1}"
        except RecursionError:
            reason = "it is nested too deeply"
        except ValueError as error:
            reason = str(error)
        problem = f"The arguments of `{name}` must be a JSON object: {reason}."
    return f"{problem} " + (
        f"Tools on offer: {', '.join(offered)}." if offered else "No tools are on offer."
    )


def _arguments(text: str) -> str:
    """The JSON object that ``text`` spells, written anew."""
    value: object = json.loads(text.strip() or "{}", parse_constant=_refuse)
    if not isinstance(value, dict):
        raise ValueError("this is another kind of value")  # noqa: TRY004 - the caller turns it into a sentence
    arguments = cast("dict[str, object]", value)
    written = json.dumps(arguments, ensure_ascii=False)
    # A lone surrogate has no UTF-8 form: there every escape is kept.
    return json.dumps(arguments) if any("\ud800" <= char <= "\udfff" for char in written) else written


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")
