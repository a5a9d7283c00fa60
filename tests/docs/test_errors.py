"""Every error has a line in the reference, with its status and title, and every line an error."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import stead
from stead.core.errors import CATEGORIES, SteadError
from tests.docs.pages import REFERENCE, code, rows


def _errors() -> set[type[SteadError]]:
    for module in pkgutil.walk_packages(stead.__path__, "stead."):
        if module.name != "stead.__main__":
            importlib.import_module(module.name)

    def below(kind: type[SteadError]) -> Iterator[type[SteadError]]:
        yield kind
        for sub in kind.__subclasses__():
            yield from below(sub)

    return {e for e in below(SteadError) if e.__module__.startswith("stead.") and "code" in vars(e)}


def test_each_error_has_its_line_and_each_line_its_error() -> None:
    documented = [(code(c[0]), int(c[1]), c[2]) for c in rows(REFERENCE / "errors.md")]
    assert len(documented) == len(set(documented))
    assert set(documented) == {(e.code, e.status, e.title()) for e in _errors()}


def test_each_line_says_what_to_do() -> None:
    assert [cells for cells in rows(REFERENCE / "errors.md") if len(cells) != 4 or not cells[3]] == []


def test_two_errors_share_a_code_only_where_one_is_a_category() -> None:
    by_code: dict[str, list[type[SteadError]]] = {}
    for error in _errors():
        by_code.setdefault(error.code, []).append(error)
    shared = [kinds for kinds in by_code.values() if len(kinds) > 1]
    assert all(
        any(k in {SteadError, *CATEGORIES} for k in kinds) and len(kinds) == 2 for kinds in shared
    )
