"""A review by rule: what can be seen without understanding the code."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from typing import Final

from stead.apps.forge.offline import LABEL
from stead.apps.forge.planning import plan
from stead.apps.forge.protocol import QAIssue, QAIssueSeverity, QAResult, WireframeSpec

_IMPORT: Final = re.compile(r"""(?:from|import)\s+["'](@/|\.{1,2}/)([^"'\n]+)["']""")
_SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:sk_live|ghp|AKIA)_?[A-Za-z0-9]{16,}"
)
_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_LATER: Final = re.compile(r"\b(?:TODO|FIXME)\b")
_ENDINGS: Final = ("", ".ts", ".tsx", ".js", ".jsx", ".css", ".json", "/index.ts", "/index.tsx")


def review(contents: Mapping[str, str], spec: WireframeSpec | None) -> QAResult:
    """Reviews files by rule."""
    issues = [issue for path, content in contents.items() for issue in _of(path, content, contents)]
    if spec is not None:
        issues += [
            _issue("critical", file.path, "the page is missing", "Write it.")
            for file in plan(spec).files
            if file.kind == "page" and file.path not in contents
        ]
    critical = sum(issue.severity == QAIssueSeverity.CRITICAL for issue in issues)
    return QAResult(
        passed=critical == 0,
        issues=issues,
        summary=f"{LABEL} {len(contents)} files looked through by rule: {len(issues)} issues, "
        f"{critical} of them critical. No model read the code.",
    )


def _of(path: str, content: str, contents: Mapping[str, str]) -> list[QAIssue]:
    found: list[QAIssue] = []
    if not content.strip():
        found.append(_issue("critical", path, "the file is empty", "Write it."))
    if _CONFLICT.search(content):
        found.append(_issue("critical", path, "markers of a merge are left", "Resolve the conflict."))
    if _SECRET.search(content):
        found.append(
            _issue(
                "critical", path, "it holds what looks like a secret", "Read it from the environment."
            )
        )
    if path.endswith(".json") and not _is_json(content):
        found.append(_issue("critical", path, "it is no JSON", "Mend the syntax."))
    found += [
        _issue("critical", path, f"it imports {missing}, which is not there", "Write that file.")
        for missing in _missing(path, content, contents)
    ]
    if _LATER.search(content):
        found.append(
            _issue("info", path, "something was left for later", "Do it, or note it elsewhere.")
        )
    return found


def _missing(path: str, content: str, contents: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for base, rest in _IMPORT.findall(content):
        start = "src" if base == "@/" else posixpath.join(posixpath.dirname(path), base)
        target = posixpath.normpath(posixpath.join(start, rest))
        if not any(f"{target}{ending}" in contents for ending in _ENDINGS):
            found.append(f"{base}{rest}"[:200])
    return found


def _is_json(content: str) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _issue(severity: str, path: str, what: str, suggestion: str) -> QAIssue:
    return QAIssue(
        severity=QAIssueSeverity(severity), description=f"{path}: {what}", suggestion=suggestion
    )
