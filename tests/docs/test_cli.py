"""Every command and option has its place in the reference, and `--help` of each works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from stead.cli.main import app
from tests.docs.pages import REFERENCE, sections


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from _commands(child, (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(app), ("stead",)))
GROUPS = {path[:-1] for path in COMMANDS if len(path) > 2}


def test_each_command_has_a_section_and_each_section_a_command() -> None:
    documented = {
        tuple(heading.split()) for heading in sections(REFERENCE / "cli.md") if heading != "Command line"
    }
    assert documented == set(COMMANDS) | GROUPS


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_argument_and_option_is_described(path: tuple[str, ...]) -> None:
    text = sections(REFERENCE / "cli.md")[" ".join(path)]
    documented = set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
    there: set[str] = set()
    for parameter in COMMANDS[path].params:
        if parameter.name != "help":
            there.add(parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name)
    assert documented == there


@pytest.mark.parametrize("path", [("stead",), *sorted(GROUPS), *COMMANDS], ids=" ".join)
def test_help(path: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(app, [*path[1:], "--help"])
    assert answer.exit_code == 0, answer.output
    assert "Usage: " in answer.output
