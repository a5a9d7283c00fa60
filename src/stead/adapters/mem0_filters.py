"""mem0's metadata filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from stead.adapters.errors import AdapterArgumentInvalid

_LOGIC: Final = frozenset({"AND", "OR", "NOT"})
_OPERATORS: Final = frozenset(
    {"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "icontains"}
)
_MAX_DEPTH: Final = 32


def check_filters(filters: Mapping[str, Any], depth: int = 0) -> None:
    """Raises AdapterArgumentInvalid where a filter cannot be understood: it must not let everything through."""
    if depth > _MAX_DEPTH:
        raise AdapterArgumentInvalid("filters: are nested too deeply")
    for name, wanted in filters.items():
        if name in _LOGIC:
            if not isinstance(wanted, list) or not wanted:
                raise AdapterArgumentInvalid(f"filters, {name}: needs a list of filters")
            for inner in cast("list[Any]", wanted):
                if not isinstance(inner, dict):
                    raise AdapterArgumentInvalid(
                        f"filters, {name}: has something in it that is no filter"
                    )
                check_filters(cast("dict[str, Any]", inner), depth + 1)
        elif isinstance(wanted, dict):
            for operator, operand in cast("dict[str, Any]", wanted).items():
                if operator not in _OPERATORS:
                    raise AdapterArgumentInvalid(
                        f"filters, {name}: there is no operator {operator!r}",
                        hint="There are eq, ne, gt, gte, lt, lte, in, nin, contains and icontains.",
                    )
                if operator in {"in", "nin"} and not isinstance(operand, list | tuple):
                    raise AdapterArgumentInvalid(f"filters, {name}: {operator} needs a list")


def fits(values: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether these values are what filters ask for. Names are of the metadata; ``*`` is any value.

    Args:
        values: The metadata.
        filters: Checked by `check_filters`.
    """
    return all(_fits_one(values, name, wanted) for name, wanted in filters.items())


def _fits_one(values: Mapping[str, Any], name: str, wanted: Any) -> bool:
    if name in _LOGIC:
        inner = [fits(values, one) for one in wanted]
        return {"AND": all(inner), "OR": any(inner), "NOT": not any(inner)}[name]
    if isinstance(wanted, dict):
        found = values.get(name)
        tests = cast("dict[str, Any]", wanted)
        return all(_OPERATOR[operator](found, operand) for operator, operand in tests.items())
    if wanted == "*":
        return name in values
    return name in values and values[name] == wanted


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(found: Any, operand: Any) -> bool:
        # Numbers with numbers and texts with texts; nothing else is greater or less.
        for kind in (int | float, str):
            if isinstance(found, kind) and isinstance(operand, kind):
                return compare(found, operand)
        return False

    return test


def _contains(found: Any, operand: Any) -> bool:
    if isinstance(found, str):
        return isinstance(operand, str) and operand in found
    return isinstance(found, list) and operand in cast("list[Any]", found)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _icontains(found: Any, operand: Any) -> bool:
    if isinstance(found, list):
        found = [_lower(value) for value in cast("list[Any]", found)]
    return _contains(_lower(found), _lower(operand))


_OPERATOR: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda found, operand: found == operand,
    "ne": lambda found, operand: found != operand,
    "gt": _ordered(lambda found, operand: found > operand),
    "gte": _ordered(lambda found, operand: found >= operand),
    "lt": _ordered(lambda found, operand: found < operand),
    "lte": _ordered(lambda found, operand: found <= operand),
    "in": lambda found, operand: found in operand,
    "nin": lambda found, operand: found not in operand,
    "contains": _contains,
    "icontains": _icontains,
}
