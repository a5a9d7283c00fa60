"""Every event that is logged has its line in the reference, with level and fields, and every line its event."""

from __future__ import annotations

import ast
import re

from tests.docs.pages import REFERENCE, ROOT, code, rows

_LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def _logged() -> dict[str, tuple[str, frozenset[str]]]:
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match call:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="_log" | "log" | "logger"), attr=level),
                    args=args,
                ) if level in _LEVELS:
                    assert args, f"{file}: an event without a name"
                    name = args[0]
                    assert isinstance(name, ast.Constant), f"{file}: the name of an event is a literal"
                    fields = frozenset(str(keyword.arg) for keyword in call.keywords)
                    before = found.setdefault(str(name.value), (level, frozenset()))
                    found[str(name.value)] = (level, before[1] | fields)
    return found


def test_each_event_is_documented_and_each_line_is_logged() -> None:
    documented = {
        code(cells[0]): (cells[1], frozenset(re.findall(r"`([a-z_]+)`", cells[2])))
        for cells in rows(REFERENCE / "log-events.md")
        if cells[1] in _LEVELS
    }
    assert documented == _logged()


def test_each_metric_is_documented() -> None:
    source = "\n".join(f.read_text(encoding="utf-8") for f in (ROOT / "src").rglob("*.py"))
    made = set(re.findall(r"(?:Counter|Histogram|Gauge|Summary)\(\s*\"(stead_[a-z_]+)\"", source))
    documented = {code(c[0]) for c in rows(REFERENCE / "log-events.md") if c[0].startswith("`stead_")}
    assert made
    assert documented == made
