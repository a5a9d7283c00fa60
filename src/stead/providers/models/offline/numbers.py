"""Numbers for the offline model's structured output: what the text says, else the least admitted."""

from __future__ import annotations

import math
from collections.abc import Mapping


def fill_number(
    schema: Mapping[str, object], found: float | None, index: int, *, whole: bool
) -> int | float:
    """A number within the bounds of ``schema``.

    Args:
        schema: ``minimum``, ``maximum``, their exclusive forms and ``multipleOf`` are kept.
        found: A number that the text gives for this place; it is taken if it is within the bounds.
        index: The place's position among its siblings, so that unique numbers can differ.
        whole: Whether only integers are admitted.
    """
    low, high = _bound(schema, "minimum", -math.inf), _bound(schema, "maximum", math.inf)
    over = _bound(schema, "exclusiveMinimum", -math.inf)
    under = _bound(schema, "exclusiveMaximum", math.inf)
    step = _bound(schema, "multipleOf", 0.0) or (1.0 if whole else 0.0)
    candidates = [] if found is None else [found]
    candidates += [float(index), float(index + 1)]
    for least in {low, over} - {-math.inf}:
        candidates += [least, least + index, least + index + 1, math.nextafter(least, math.inf)]
        candidates += (
            [(math.ceil(least / step) + more) * step for more in (index, index + 1)] if step else []
        )
    for most in {high, under} - {math.inf}:
        candidates += [most, most - 1, math.nextafter(most, -math.inf)]
        candidates += [(math.floor(most / step) - less) * step for less in (0, 1)] if step else []
    if math.isfinite(max(low, over)) and math.isfinite(min(high, under)):
        candidates.append(max(low, over) / 2 + min(high, under) / 2)
    fitting = (one for one in candidates if in_bounds(schema, one, whole=whole))
    number = next(fitting, found or 0.0)
    return int(number) if whole or number.is_integer() else number


def in_bounds(schema: Mapping[str, object], number: float, *, whole: bool) -> bool:
    """Whether ``schema`` admits ``number``."""
    if not math.isfinite(number) or (whole and not number.is_integer()):
        return False
    step = _bound(schema, "multipleOf", 0.0)
    return (
        _bound(schema, "minimum", -math.inf) <= number <= _bound(schema, "maximum", math.inf)
        and number > _bound(schema, "exclusiveMinimum", -math.inf)
        and number < _bound(schema, "exclusiveMaximum", math.inf)
        and (not step or math.isclose(math.remainder(number, step), 0.0, abs_tol=1e-9 * step))
    )


def _bound(schema: Mapping[str, object], key: str, default: float) -> float:
    value = schema.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
