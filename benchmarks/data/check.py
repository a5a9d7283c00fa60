"""Check a conversation data set: ``python -m benchmarks.data.check [FILE]``.

Prints counts and exits with 1 when the file breaks a rule described in README.md.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

DEFAULT = Path(__file__).with_name("conversations.jsonl")
CATEGORIES = ("single", "multi", "temporal", "knowledge_update", "open")
FIELDS: dict[str, dict[str, type]] = {
    "message": {
        "type": str,
        "scope": str,
        "session": str,
        "seq": int,
        "at": str,
        "speaker": str,
        "text": str,
        "id": str,
    },
    "query": {
        "type": str,
        "scope": str,
        "text": str,
        "at": str,
        "evidence": list,
        "category": str,
    },
}


class Checker:
    """Reads rows in file order and collects what is wrong with them."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.messages: dict[str, tuple[str, datetime]] = {}
        self.turns: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()
        self.categories: Counter[str] = Counter()
        self.evidence_sizes: Counter[int] = Counter()
        self.sessions: dict[str, list[str]] = {}
        self.speakers: dict[str, set[str]] = {}
        self._scope: str | None = None
        self._last: tuple[int, datetime] | None = None
        self._texts: set[tuple[str, str]] = set()

    def fail(self, line: int, problem: str) -> None:
        """Record one problem."""
        self.errors.append(f"line {line}: {problem}")

    def row(self, line: int, raw: str) -> None:
        """Check one line of the file."""
        try:
            row = json.loads(raw)
        except ValueError as error:
            self.fail(line, f"not JSON: {error}")
            return
        fields = FIELDS.get(row.get("type", "")) if isinstance(row, dict) else None
        if fields is None:
            self.fail(line, "not an object of type message or query")
            return
        if set(row) != set(fields):
            self.fail(line, f"fields differ: {sorted(set(row) ^ set(fields))}")
            return
        for name, kind in fields.items():
            if type(row[name]) is not kind:
                self.fail(line, f"{name} is not {kind.__name__}")
                return
            if kind is str and (not row[name] or row[name] != row[name].strip()):
                self.fail(line, f"{name} is empty or has outer spaces")
        try:
            at = datetime.fromisoformat(row["at"])
        except ValueError:
            self.fail(line, f"at is not an ISO time: {row['at']}")
            return
        if at.tzinfo is None:
            self.fail(line, "at has no time zone")
            return
        if row["type"] == "message":
            self._message(line, row, at)
        else:
            self._query(line, row, at)

    def _message(self, line: int, row: dict[str, Any], at: datetime) -> None:
        scope, session = row["scope"], row["session"]
        if row["id"] in self.messages:
            self.fail(line, f"id {row['id']} is used twice")
        if scope != self._scope:
            if scope in self.turns:
                self.fail(line, f"scope {scope} is not in one piece")
            self._scope, self._last = scope, None
        elif self.queries[scope]:
            self.fail(line, f"message after a query in scope {scope}")
        if self._last and (row["seq"] <= self._last[0] or at <= self._last[1]):
            self.fail(line, "seq and at must both rise within a scope")
        self._last = (row["seq"], at)
        seen = self.sessions.setdefault(scope, [])
        if not seen or seen[-1] != session:
            if session in seen:
                self.fail(line, f"session {session} is not in one piece")
            seen.append(session)
        self.speakers.setdefault(scope, set()).add(row["speaker"])
        self.messages[row["id"]] = (scope, at)
        self.turns[scope] += 1

    def _query(self, line: int, row: dict[str, Any], at: datetime) -> None:
        scope, evidence, category = row["scope"], row["evidence"], row["category"]
        if scope != self._scope:
            self.fail(line, f"query of scope {scope} does not follow its messages")
        if category not in CATEGORIES:
            self.fail(line, f"unknown category {category}")
        if not evidence or len(set(map(str, evidence))) != len(evidence):
            self.fail(line, "evidence is empty or names a message twice")
        if category == "multi" and not 2 <= len(evidence) <= 4:
            self.fail(line, f"a multi query has {len(evidence)} evidence messages")
        for message_id in evidence:
            known = self.messages.get(message_id) if isinstance(message_id, str) else None
            if known is None:
                self.fail(line, f"evidence {message_id!r} is no message above")
            elif known[0] != scope:
                self.fail(line, f"evidence {message_id} is of scope {known[0]}")
            elif known[1] >= at:
                self.fail(line, f"evidence {message_id} is not before the query")
        key = (scope, row["text"].casefold())
        if key in self._texts:
            self.fail(line, "the same query twice in a scope")
        self._texts.add(key)
        self.queries[scope] += 1
        self.categories[category] += 1
        self.evidence_sizes[len(evidence)] += 1

    def end(self) -> None:
        """Check what can be seen only with the whole file read."""
        for scope in self.turns:
            if not self.queries[scope]:
                self.errors.append(f"scope {scope} has no query")
            if len(self.speakers[scope]) < 2:
                self.errors.append(f"scope {scope} has one speaker only")

    def report(self) -> str:
        """Counts, as lines of text."""
        total = sum(self.queries.values())
        lines = [f"{'scope':<16} {'sessions':>8} {'turns':>6} {'queries':>7}"]
        for scope, turns in self.turns.items():
            lines.append(
                f"{scope:<16} {len(self.sessions[scope]):>8} {turns:>6} {self.queries[scope]:>7}"
            )
        sessions = sum(map(len, self.sessions.values()))
        lines.append(
            f"{'all ' + str(len(self.turns)):<16} {sessions:>8} {self.turns.total():>6} {total:>7}"
        )
        for category in CATEGORIES:
            count = self.categories[category]
            lines.append(f"{category:<16} {count:>4} {count / max(total, 1):>6.1%}")
        sizes = ", ".join(f"{size}: {count}" for size, count in sorted(self.evidence_sizes.items()))
        lines.append(f"evidence messages a query: {sizes}")
        return "\n".join(lines)


def check(path: Path) -> Checker:
    """Read a file and return the checker with its counts and errors."""
    checker = Checker()
    with path.open(encoding="utf-8") as lines:
        for number, raw in enumerate(lines, 1):
            checker.row(number, raw)
    checker.end()
    return checker


def main(argv: list[str] | None = None) -> int:
    """Command line entry."""
    arguments = sys.argv[1:] if argv is None else argv
    checker = check(Path(arguments[0]) if arguments else DEFAULT)
    print(checker.report())
    for error in checker.errors:
        print(error, file=sys.stderr)
    print("ok" if not checker.errors else f"{len(checker.errors)} errors")
    return 1 if checker.errors else 0


if __name__ == "__main__":
    sys.exit(main())
