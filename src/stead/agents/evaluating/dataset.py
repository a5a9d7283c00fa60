"""Conversations with questions, a JSON object a line (docs/how-to/measure-recall.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from stead.agents.errors import DatasetInvalid
from stead.memory.contents import MAX_CONTENT_CHARS

_YEARS: Final = range(1000, 3001)
_HINT: Final = "docs/how-to/measure-recall.md shows the format."


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message of a conversation."""

    id: str
    session: str
    at: datetime
    speaker: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question.

    Args:
        at: When it is asked; None: now.
        evidence: The ids of the turns that answer it; at least one.
    """

    text: str
    at: datetime | None
    evidence: frozenset[str]
    category: str


@dataclass(kw_only=True)
class Scope:
    """One person's conversations, and what is asked about them."""

    name: str
    turns: list[Turn] = field(default_factory=list[Turn])
    queries: list[Query] = field(default_factory=list[Query])


def load(path: Path) -> list[Scope]:
    """Reads a data set. Members that are not known are left alone, and so are questions without evidence.

    Raises:
        DatasetInvalid: It cannot be read, or a line of it is not as it must be; it says which and why.
    """
    scopes: dict[str, Scope] = {}
    wanted: list[tuple[int, Scope, Query]] = []
    known: dict[str, set[str]] = {}
    for number, row in _rows(path):
        line = _Line(number, row)
        name = line.text("scope")
        scope = scopes.setdefault(name, Scope(name=name))
        match row.get("type"):
            case "message":
                turn = _turn(line)
                ids = known.setdefault(name, set())
                if turn.id in ids:
                    raise line.wrong("id", f"{turn.id!r} is the id of an earlier message of {name!r}")
                ids.add(turn.id)
                scope.turns.append(turn)
            case "query":
                query = _query(line)
                if query.evidence:
                    scope.queries.append(query)
                    wanted.append((number, scope, query))
            case other:
                raise line.wrong("type", f"{other!r} is neither 'message' nor 'query'")
    for number, scope, query in wanted:
        if missing := sorted(query.evidence - known.get(scope.name, set())):
            raise _wrong(number, f"evidence: {missing[0]!r} is no message of {scope.name!r}")
    if not wanted:
        raise DatasetInvalid(f"{path}: has no question with evidence", hint=_HINT)
    return [scope for scope in scopes.values() if scope.queries]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    try:
        with path.open("rb") as lines:
            for number, raw in enumerate(lines, 1):
                # Before decoding: a BOM belongs to no line, and an editor on Windows writes one.
                content = raw.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else raw.strip()
                if not content:
                    continue
                row: Any = json.loads(content.decode("utf-8"))
                if not isinstance(row, dict):
                    raise _wrong(number, "is no JSON object")
                yield number, cast("dict[str, Any]", row)
    except OSError as error:
        raise DatasetInvalid(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise _wrong(number, "is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _wrong(number, f"is no JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise _wrong(number, "is nested too deeply") from None


@dataclass(frozen=True)
class _Line:
    number: int
    row: dict[str, Any]

    def wrong(self, member: str, what: str) -> DatasetInvalid:
        return _wrong(self.number, f"{member}: {what}")

    def text(self, member: str) -> str:
        value = self.row.get(member)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self.wrong(member, "is missing" if value is None else "is no text")
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise self.wrong(member, "has a NUL character or half a surrogate pair")
        if len(value) > MAX_CONTENT_CHARS:
            raise self.wrong(
                member, f"has {len(value)} characters; at most {MAX_CONTENT_CHARS} are taken"
            )
        return value

    def moment(self, member: str) -> datetime:
        text = self.text(member)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(member, f"{text[:40]!r} is no moment (ISO 8601)") from None
        if moment.year not in _YEARS:
            raise self.wrong(member, "lies beyond the years 1000 to 3000")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _turn(line: _Line) -> Turn:
    return Turn(
        id=line.text("id"),
        session=line.text("session"),
        at=line.moment("at"),
        speaker=line.text("speaker"),
        text=line.text("text"),
    )


def _query(line: _Line) -> Query:
    evidence = line.row.get("evidence")
    if not isinstance(evidence, list):
        raise line.wrong("evidence", "is missing" if evidence is None else "is no list")
    ids = [_Line(line.number, {"evidence": item}) for item in cast("list[object]", evidence)]
    text = line.text("text")
    if not text.strip():
        raise line.wrong("text", "is empty")
    return Query(
        text=text,
        at=line.moment("at") if line.row.get("at") is not None else None,
        evidence=frozenset(item.text("evidence") for item in ids),
        category=line.text("category") if line.row.get("category") is not None else "none",
    )


def _wrong(number: int, what: str) -> DatasetInvalid:
    return DatasetInvalid(f"line {number}: {what}", hint=_HINT, line=number)
