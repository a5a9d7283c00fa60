"""LangGraph's filters as conditions on items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from stead.adapters.errors import AdapterArgumentInvalid
from stead.memory.items import Condition, Operator


def conditions_of(given: Mapping[str, Any]) -> list[Condition]:
    """What a filter asks: ``{"color": "red"}``, ``{"score": {"$gte": 4}}``, ``{"author": {"name": "Ann"}}``.

    A name with a point in it is one name.

    Raises:
        AdapterArgumentInvalid: Operators and names stand side by side, or it is nested too deeply.
    """
    try:
        return list(_conditions(given, ()))
    except RecursionError:
        raise AdapterArgumentInvalid("filter: is nested too deeply") from None


def _conditions(given: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Condition]:
    for name, wanted in given.items():
        here = (*path, str(name))
        if not isinstance(wanted, dict):
            operand = list(cast("tuple[Any, ...]", wanted)) if isinstance(wanted, tuple) else wanted
            yield Condition(path=here, operator="$eq", operand=operand)
            continue
        inner = cast("dict[str, Any]", wanted)
        operators = [key for key in inner if str(key).startswith("$")]
        if not operators:
            yield Condition(path=here, operator="$object")
            yield from _conditions(inner, here)
        elif len(operators) < len(inner):
            raise AdapterArgumentInvalid(
                f"filter, {'.'.join(here)}: operators and names stand side by side",
                hint='Write {"name": {"$gt": 1, "$lt": 9}}.',
            )
        else:
            for operator, operand in inner.items():
                yield Condition(path=here, operator=cast("Operator", operator), operand=operand)
