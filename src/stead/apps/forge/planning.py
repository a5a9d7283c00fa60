"""Which files a wireframe becomes: by rule, so that a plan is the same whenever it is made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from stead.apps.forge.paths import as_name, fault_of
from stead.apps.forge.protocol import Component, PageRoute, WireframeSpec

MAX_PLANNED: Final = 12
_MAX_PAGES: Final = 8
STATE_PATH: Final = "src/lib/state.ts"
THEME_PATH: Final = "src/app/theme.css"

FileKind = Literal["page", "component", "state", "theme"]


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A file that is to be written.

    Args:
        name: Of the component that it exports.
        about: What of the wireframe it is made from.
    """

    path: str
    kind: FileKind
    name: str
    language: str
    about: Any


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Files in the order in which they are written, and what there was no room for."""

    files: Sequence[PlannedFile]
    skipped: Sequence[str]


def plan(spec: WireframeSpec) -> Plan:
    """The files of a wireframe: its pages, shared state, theme, and as many components as there is room
    for, those
    that most pages have first."""
    found: dict[str, PlannedFile] = {}
    skipped: list[str] = []

    def add(file: PlannedFile, room: int) -> None:
        key = file.path.casefold()
        if key in found:
            return
        if len(found) < room and fault_of(file.path) is None:
            found[key] = file
        else:
            skipped.append(file.path)

    for route in spec.site_map:
        add(_page(route), _MAX_PAGES)
    if spec.global_state_needs:
        needs = spec.global_state_needs
        add(_file(STATE_PATH, "state", "state", needs), MAX_PLANNED)
    if spec.theme_colors:
        add(_file(THEME_PATH, "theme", "theme", spec.theme_colors, "css"), MAX_PLANNED)
    for component in _components(spec):
        name = component_name(component.name)
        if name:
            path = f"src/components/{name}.tsx"
            add(_file(path, "component", name, component.model_dump(mode="json")), MAX_PLANNED)
    return Plan(files=tuple(found.values()), skipped=tuple(skipped))


def component_name(text: str) -> str:
    """A name that TypeScript takes for a component: letters and digits, a capital first; empty where there
    is none."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789")
    return (name[:1].upper() + name[1:])[:60]


def _page(route: PageRoute) -> PlannedFile:
    folders = [folder for part in route.path.split("/") if (folder := _folder(part))]
    path = "/".join(["src/app", *folders, "page.tsx"])
    name = component_name(" ".join(re.findall(r"[A-Za-z0-9]+", route.path))) or "Home"
    return _file(path, "page", f"{name}Page", route.model_dump(mode="json"))


def _folder(part: str) -> str:
    """A segment of an address as the app router spells its folder: ``:id`` and ``{id}`` are ``[id]``."""
    parameter = re.fullmatch(r":(\w+)|\{(\w+)\}|\[(\w+)\]", part)
    if parameter is not None:
        return f"[{as_name(next(group for group in parameter.groups() if group))}]"
    return as_name(part).lower()


def _file(path: str, kind: FileKind, name: str, about: Any, language: str = "typescript") -> PlannedFile:
    return PlannedFile(path=path, kind=kind, name=name, language=language, about=about)


def _components(spec: WireframeSpec) -> list[Component]:
    every = [component for route in spec.site_map for component in route.components]
    counts = Counter(component.name for component in every)
    first: dict[str, Component] = {}
    for component in every:
        first.setdefault(component.name, component)
    # The sort is stable: of those that as many pages have, the first one named comes first.
    return sorted(first.values(), key=lambda component: -counts[component.name])
