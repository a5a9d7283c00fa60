"""The reference and `.env.example` have exactly the settings that there are, with their defaults."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices

from stead.assembly import Settings, load_settings
from tests.docs.pages import REFERENCE, ROOT, code, rows

EXAMPLE = ROOT / ".env.example"


def _names(field: str) -> list[str]:
    choices = Settings.model_fields[field].validation_alias
    assert isinstance(choices, AliasChoices)
    return [str(choice) for choice in choices.choices]


def _default(field: str) -> str:
    if field == "home":
        return ""  # it depends on where it is asked
    value: Any = Settings.model_fields[field].get_default(call_default_factory=True)
    match value:
        case None:
            return ""
        case tuple():
            return ",".join(value)
        case dict():
            return json.dumps(value)
        case _:
            return str(value)


def _settings() -> dict[str, tuple[str, tuple[str, ...]]]:
    return {
        _names(field)[0]: (_default(field), tuple(_names(field)[1:])) for field in Settings.model_fields
    }


def _examples() -> dict[str, str]:
    return dict(
        re.findall(r"^#(STEAD_[A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_reference() -> None:
    found = {
        code(cells[0]): (code(cells[1]), tuple(re.findall(r"`([^`]+)`", cells[2])))
        for cells in rows(REFERENCE / "settings.md")
    }
    assert found == _settings()


def test_example_names_each_setting_with_its_default() -> None:
    assert _examples() == {name: default for name, (default, _) in _settings().items()}


def test_example_names_each_alias() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, (_, aliases) in _settings().items():
        if aliases:
            assert f"# Aliases: {', '.join(aliases)}\n#{name}=" in text


def test_copied_as_it_is_the_example_changes_nothing() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_defaults_of_the_example_are_accepted_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    without = load_settings().model_dump()
    given = {name: value for name, value in _examples().items() if value}
    (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in given.items()), encoding="utf-8")
    assert load_settings().model_dump() == without
