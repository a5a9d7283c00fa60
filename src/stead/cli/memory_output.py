"""Memories on a terminal and in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.output import line, visible

if TYPE_CHECKING:
    from stead.memory import Memory, Recalled

_ARMS: Final = (
    "dense",
    "dense_near",
    "lexical",
    "lexical_near",
    "lexical_wide",
    "recency",
    "usefulness",
)
_PREVIEW_CHARS: Final = 160


def print_memories(memories: Sequence[Memory], *, as_json: bool) -> None:
    """A table for a person, a JSON object a line for a program."""
    if as_json or not sys.stdout.isatty():
        _print_lines(map(asdict, memories))
        return
    table = _table()
    for memory in memories:
        table.add_row(*_cells(memory), style=_style(memory))
    _print_table(table, len(memories))


def print_found(found: Sequence[Recalled], *, explain: bool, as_json: bool) -> None:
    """The same, with the score of each memory and, where they are asked for, those of the arms."""
    if as_json or not sys.stdout.isatty():
        _print_lines({**asdict(r.memory), "score": r.score} | _scores(r, explain) for r in found)
        return
    arms = _ARMS if explain else ()
    table = _table("score", *arms)
    for item in found:
        said = [getattr(item.scores, arm) for arm in arms]
        table.add_row(
            f"{item.score:.3f}",
            *("" if value is None else f"{value:.3f}" for value in said),
            *_cells(item.memory),
            style=_style(item.memory),
        )
    _print_table(table, len(found))


def print_memory(memory: Memory, *, as_json: bool) -> None:
    """Everything that is known of one memory."""
    if as_json or not sys.stdout.isatty():
        _print_lines([asdict(memory)])
        return
    for name, value in asdict(memory).items():
        if value not in (None, [], {}):
            output.out.print(f"[dim]{name:14}[/] {escape(_plain(value))}")


def _scores(found: Recalled, explain: bool) -> dict[str, Any]:
    return {"scores": asdict(found.scores)} if explain else {}


def _table(*numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in numbers:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("when", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("memory", overflow="fold", min_width=20)
    # Whole, whatever the width: it is what the next command needs.
    table.add_column("id", no_wrap=True, min_width=36)
    return table


def _print_table(table: Table, count: int) -> None:
    if count:
        # Not the soft wrapping of other output: a table has to know how wide it may be.
        output.out.print(table, soft_wrap=False)
    else:
        output.say("nothing is remembered that fits", "dim")


def _cells(memory: Memory) -> tuple[str, str, str, str]:
    words = " ".join(memory.content.split())
    shown = words if len(words) <= _PREVIEW_CHARS else words[: _PREVIEW_CHARS - 1] + "…"
    return f"{memory.happened_at:%Y-%m-%d}", memory.kind, escape(visible(shown)), str(memory.id)


def _style(memory: Memory) -> str | None:
    return "dim" if memory.valid_to or memory.archived_at else None


def _plain(value: object) -> str:
    if isinstance(value, list | dict):
        return visible(json.dumps(value, ensure_ascii=False, default=str))
    return visible(str(value))


def _print_lines(records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        sys.stdout.write(line(record))
