"""How the command line speaks: in colour to people, plainly to programs."""

from __future__ import annotations

import json
import sys
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
