"""Filters of subscriptions: ``column=operator.value``, joined by commas, all of which must hold.

They are compared here, on the JSON of the changed row, with SQL's three values: a null compares with nothing.
POSIX patterns (``match``, ``imatch``) are PostgreSQL's own and left to it; here they are only collected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from stead.realtime.errors import FilterInvalid

_MAX_CHARS: Final = 4000
_MAX_CONDITIONS: Final = 20
_MAX_VALUES: Final = 100
_MAX_PATTERN_CHARS: Final = 256
_COLUMN: Final = re.compile(r"[^\s=.,()\"\\\x00]{1,63}")
_ORDERED: Final = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "isdistinct"})
_PATTERNS: Final = frozenset({"like", "ilike", "match", "imatch"})
OPERATORS: Final = frozenset({*_ORDERED, *_PATTERNS, "in", "is"})
_BACK_REFERENCE: Final = re.compile(r"\\[1-9]")
_IS: Final = frozenset({"null", "true", "false", "unknown"})
_NUMBERS: Final = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "oid"})
_TEXTS: Final = frozenset({"text", "varchar", "bpchar", "name", "citext"})


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition, as spelt.

    Args:
        values: One, or those of a list.
    """

    column: str
    operator: str
    values: tuple[str, ...]
    negated: bool = False


@lru_cache(maxsize=4096)
def parse_filter(text: str) -> tuple[Condition, ...]:
    """Reads a filter.

    Raises:
        FilterInvalid: It is too long or none.
    """
    if len(text) > _MAX_CHARS:
        raise FilterInvalid(f"filter: at most {_MAX_CHARS} characters")
    conditions = tuple(_condition(part) for part in _split(text)) if text else ()
    if len(conditions) > _MAX_CONDITIONS:
        raise FilterInvalid(f"filter: at most {_MAX_CONDITIONS} conditions")
    return conditions


def _condition(text: str) -> Condition:
    column, separator, rest = text.strip().partition("=")
    negated = rest.startswith("not.")
    operator, point, value = rest.removeprefix("not.").partition(".")
    if not separator or not point or not _COLUMN.fullmatch(column) or operator not in OPERATORS:
        raise FilterInvalid(
            "filter: column=operator.value, as in project_id=eq.7",
            hint=f"Operators: {', '.join(sorted(OPERATORS))}; not. before one negates it.",
        )
    if operator == "in":
        if not (value.startswith("(") and value.endswith(")")):
            raise FilterInvalid("filter: in takes a list, as in status=in.(queued,running)")
        values = tuple(_unquote(item) for item in _split(value[1:-1]))
        if not 0 < len(values) <= _MAX_VALUES:
            raise FilterInvalid(f"filter: in takes 1 to {_MAX_VALUES} values")
    else:
        values = (_unquote(value),)
    if operator == "is" and values[0].lower() not in _IS:
        raise FilterInvalid("filter: is takes null, true, false or unknown")
    if operator in _PATTERNS and len(values[0]) > _MAX_PATTERN_CHARS:
        raise FilterInvalid(f"filter: a pattern has at most {_MAX_PATTERN_CHARS} characters")
    return Condition(column=column, operator=operator, values=values, negated=negated)


def _split(text: str) -> list[str]:
    """At commas that stand neither in parentheses nor in quotes."""
    parts: list[str] = []
    current: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"' and (quoted or not current or current[-1] in ".(,"):
            quoted = not quoted
        elif not quoted and character == "(":
            depth += 1
        elif not quoted and character == ")":
            depth = max(0, depth - 1)
        elif not quoted and depth == 0 and character == ",":
            parts.append("".join(current))
            current = []
            continue
        current.append(character)
    if quoted:
        raise FilterInvalid("filter: a quotation mark is not closed")
    return [*parts, "".join(current)]


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


#: True, false, or None: unknown, as SQL has it.
Truth = bool | None
Test = Callable[[Any], Truth]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A POSIX pattern that a column has to match; PostgreSQL says whether it does."""

    column: str
    pattern: str
    negated: bool


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Conditions made ready for the columns of one table.

    Args:
        tests: Column and test of each that is decided here.
        patterns: Those that PostgreSQL decides.
    """

    tests: tuple[tuple[str, Test], ...] = ()
    patterns: tuple[Pattern, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Which columns it looks at."""
        return frozenset({*(name for name, _ in self.tests), *(p.column for p in self.patterns)})

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether all that is decided here holds. A column that is not there was not told: nothing holds of it."""
        try:
            return all(name in row and test(row[name]) is True for name, test in self.tests)
        except (ValueError, InvalidOperation, OverflowError, TypeError):
            # A value of the row that Python cannot hold: an infinite time.
            return False


NO_FILTER: Final = Filter()


def compile_filter(text: str, types: Mapping[str, str]) -> Filter:
    """Makes a filter ready.

    Args:
        text: As the client spelt it.
        types: Of the columns that the caller may select. Others are as good as not there.

    Raises:
        FilterInvalid: It is none, names no such column, or a value does not fit.
    """
    tests: list[tuple[str, Test]] = []
    patterns: list[Pattern] = []
    for condition in parse_filter(text):
        kind = types.get(condition.column)
        if kind is None:
            raise FilterInvalid(f"filter: there is no column {condition.column}")
        if condition.operator in {"match", "imatch"}:
            _need_text(condition, kind)
            if _BACK_REFERENCE.search(condition.values[0]):
                # The one thing that makes PostgreSQL's matcher try everything.
                raise FilterInvalid("filter: a pattern has no back references")
            # PostgreSQL's spelling of "in any case", before the pattern itself.
            prefix = "(?i)" if condition.operator == "imatch" else ""
            patterns.append(
                Pattern(
                    column=condition.column,
                    pattern=prefix + condition.values[0],
                    negated=condition.negated,
                )
            )
        else:
            test = _test(condition, kind)
            tests.append((condition.column, _negated(test) if condition.negated else test))
    return Filter(tests=tuple(tests), patterns=tuple(patterns))


def _negated(test: Test) -> Test:
    def opposite(value: Any) -> Truth:
        truth = test(value)
        return None if truth is None else not truth

    return opposite


def _need_text(condition: Condition, kind: str) -> None:
    if kind not in _TEXTS:
        raise FilterInvalid(
            f"filter: {condition.operator} is for texts, and {condition.column} is {kind}"
        )


def _test(condition: Condition, kind: str) -> Test:
    operator = condition.operator
    if operator == "is":
        return _is(condition.values[0].lower(), condition, kind)
    if operator in {"like", "ilike"}:
        _need_text(condition, kind)
        return _like(condition.values[0], fold=operator == "ilike")
    read = _reader(kind)
    try:
        nothing = operator == "isdistinct" and condition.values == ("null",)
        wanted = [None if nothing else read(value) for value in condition.values]
    except (ValueError, InvalidOperation, OverflowError):
        raise FilterInvalid(f"filter: the value for {condition.column} is no {kind}") from None
    if operator == "in":
        allowed = frozenset(wanted)
        return lambda value: None if value is None else read(value) in allowed
    return _compare(operator, wanted[0], read, kind)


def _compare(operator: str, wanted: Any, read: Callable[[Any], Any], kind: str) -> Test:
    if operator == "isdistinct" and wanted is None:
        return lambda value: value is not None
    if operator == "isdistinct":
        return lambda value: value is None or read(value) != wanted
    if operator == "eq":
        return lambda value: None if value is None else read(value) == wanted
    if operator == "neq":
        return lambda value: None if value is None else read(value) != wanted
    if kind not in {*_NUMBERS, *_TEXTS, "uuid", "timestamptz", "timestamp", "date", "bool"}:
        raise FilterInvalid(f"filter: {kind} has no order to compare by")
    if operator == "lt":
        return lambda value: None if value is None else read(value) < wanted
    if operator == "lte":
        return lambda value: None if value is None else read(value) <= wanted
    if operator == "gt":
        return lambda value: None if value is None else read(value) > wanted
    return lambda value: None if value is None else read(value) >= wanted


def _is(wanted: str, condition: Condition, kind: str) -> Test:
    if wanted == "null":
        return lambda value: value is None
    if kind != "bool":
        raise FilterInvalid(f"filter: is.{wanted} is for truth values, and {condition.column} is {kind}")
    if wanted == "unknown":
        return lambda value: value is None
    return lambda value: value is (wanted == "true")


def _like(pattern: str, *, fold: bool) -> Test:
    """LIKE without backtracking: pieces between ``%`` are found one after the other, each as early as can be."""
    pieces: list[list[str | None]] = [[]]
    escaped = False
    for character in pattern.lower() if fold else pattern:
        if not escaped and character == "\\":
            escaped = True
            continue
        if not escaped and character == "%":
            pieces.append([])
        else:
            pieces[-1].append(None if character == "_" and not escaped else character)
        escaped = False
    if escaped:
        raise FilterInvalid("filter: a pattern must not end in a backslash")
    # Each piece has a fixed length, so looking for it cannot run away.
    found = [
        re.compile("".join("." if c is None else re.escape(c) for c in piece), re.DOTALL)
        for piece in pieces
    ]

    def matches(value: Any) -> Truth:
        if value is None:
            return None
        text = str(value).lower() if fold else str(value)
        first, last = found[0], found[-1]
        begin = first.match(text)
        if begin is None:
            return False
        if len(found) == 1:
            return begin.end() == len(text)
        place = begin.end()
        for piece in found[1:-1]:
            hit = piece.search(text, place)
            if hit is None:
                return False
            place = hit.end()
        start = len(text) - len(pieces[-1])
        return start >= place and last.match(text, start) is not None

    return matches


def _reader(kind: str) -> Callable[[Any], Any]:
    """How a value of that type is read, from a filter as from a row's JSON."""
    if kind in _NUMBERS:
        return _number
    if kind == "bool":
        return _truth
    if kind == "uuid":
        return lambda value: UUID(str(value))
    if kind in {"timestamptz", "timestamp"}:
        return _moment
    if kind == "date":
        return lambda value: date.fromisoformat(str(value))
    if kind in _TEXTS:
        return str
    if kind.startswith("_") or kind in {"json", "jsonb"}:
        raise FilterInvalid(f"filter: values of type {kind} cannot be compared")
    return str


def _number(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return number


def _truth(value: Any) -> bool:
    text = str(value).lower()
    if text in {"true", "t", "1"}:
        return True
    if text in {"false", "f", "0"}:
        return False
    raise ValueError


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
