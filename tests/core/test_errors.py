"""Errors: a category, a stable code, a title."""

from __future__ import annotations

import importlib
import pkgutil

import stead
from stead.core.errors import CATEGORIES, RateLimited, SteadError


def all_errors() -> list[type[SteadError]]:
    """Every error class of the package."""
    for module in pkgutil.walk_packages(stead.__path__, "stead."):
        if module.name != "stead.__main__":
            importlib.import_module(module.name)
    found: list[type[SteadError]] = []
    pending = [SteadError]
    while pending:
        kind = pending.pop()
        found.append(kind)
        pending.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__.startswith("stead.")]


def test_each_belongs_to_a_category_and_has_a_title() -> None:
    for kind in all_errors():
        assert kind.__doc__, kind
        assert kind.title(), kind
        assert not kind.title().endswith("."), kind
        if kind is not SteadError and kind.code != "internal":
            assert issubclass(kind, CATEGORIES), kind


def test_codes_are_stable_names_and_used_once() -> None:
    codes: dict[str, type[SteadError]] = {}
    for kind in all_errors():
        if "code" not in vars(kind) or kind in CATEGORIES or kind is SteadError:
            continue
        assert kind.code.replace("_", "").isalnum(), kind
        assert kind.code == kind.code.lower(), kind
        twin = codes.setdefault(kind.code, kind)
        assert twin is kind, f"{twin} and {kind} share {kind.code}"


def test_the_title_stands_in_for_a_missing_detail() -> None:
    assert RateLimited().detail == "Too many requests"
    assert RateLimited("slow down", retry_after_s=7).retry_after_s == 7
