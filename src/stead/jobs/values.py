"""What handlers and steps return, as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from stead.jobs.errors import ResultInvalid

#: What one result may take, as JSON text. Larger things belong into a table or a bucket, with their id as result.
MAX_BYTES: Final = 8 * 2**20
_PLAIN: Final = (str, int, bool)


def to_json(value: Any, what: str) -> Any:
    """A value as JSON has it.

    Args:
        value: Made of JSON, pydantic models, dataclasses, dates, UUIDs and the like.
        what: What it is the result of, for messages.

    Raises:
        ResultInvalid: It is none of these, has a NUL character, or is too large.
    """
    if value is None or (
        isinstance(value, _PLAIN) and len(str(value)) < 1000 and "\x00" not in str(value)
    ):
        return value
    try:
        plain = to_jsonable_python(value)
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
        encoded = text.encode()
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        # A half of a surrogate pair is no UTF-8 either.
        raise ResultInvalid(f"the result of {what} is no JSON ({type(error).__name__})") from None
    if len(encoded) > MAX_BYTES:
        raise ResultInvalid(
            f"the result of {what} has {len(encoded):,} bytes, {MAX_BYTES:,} are allowed"
        )
    if "\\u0000" in text and "\x00" in _strings(plain):
        raise ResultInvalid(f"the result of {what} has a NUL character")
    return plain


def from_json(function: Callable[..., Any], value: Any) -> Any:
    """A stored value as what the function's return annotation says."""
    adapter = _adapter(function)
    return value if adapter is None else adapter.validate_python(value)


def _strings(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(_strings(k) + _strings(v) for k, v in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return "".join(_strings(v) for v in value)  # pyright: ignore[reportUnknownVariableType]
    return ""


@lru_cache(maxsize=1024)
def _adapter(function: Callable[..., Any]) -> TypeAdapter[Any] | None:
    try:
        hint = get_type_hints(function).get("return")
    except (TypeError, NameError):
        return None
    return None if hint is None or hint is Any else TypeAdapter(hint)
