"""How the command line speaks: in colour to people, plainly to programs."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from stead.core.errors import SteadError

out: Final = Console(soft_wrap=True, highlight=False)
err: Final = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def say(text: str, style: str = "") -> None:
    """A line on standard output."""
    out.print(escape(text), style=style or None)


def complain(error: SteadError) -> None:
    """An error, for a person: what and where, how to mend it, and its code."""
    err.print(
        f"[bold red]error[/] {escape(error.detail)} [dim]({error.extra.get('code', error.code)})[/]"
    )
    if error.hint:
        err.print(f"  [dim]try:[/] {escape(error.hint)}")


def visible(text: str) -> str:
    """Text for a terminal: control characters, which could move its cursor or change its title, are shown."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def line(record: dict[str, Any]) -> str:
    """A record as a line of JSON."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_json) + "\n"


def _json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
