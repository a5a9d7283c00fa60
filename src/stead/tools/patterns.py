"""Keywords of JSON Schema in ways that no schema and no argument can make slow."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, cast

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]
from pydantic_core import SchemaError, SchemaValidator, core_schema
from pydantic_core import ValidationError as CoreValidationError

from stead.tools.digests import canonical


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> SchemaValidator:
    """A pattern of the engine whose time grows with the text only (no look-around, no back-references).

    Raises:
        ValueError: It is none.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError:
        raise ValueError("is no pattern that can be matched in bounded time") from None


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str):
        try:
            compiled(pattern).validate_python(instance, strict=True)
        except CoreValidationError:
            yield ValidationError("does not match")


def _unique(_: Any, wanted: bool, instance: Any, __: Any) -> Iterator[ValidationError]:  # noqa: FBT001
    if wanted and isinstance(instance, list):
        items = cast("list[Any]", instance)
        if len({canonical(_levelled(item)) for item in items}) < len(items):
            yield ValidationError("has repeated items")


def _levelled(value: Any) -> Any:
    """1 and 1.0 are one number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_levelled(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _levelled(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


BoundedValidator: Final[Any] = cast(
    "Any", extend(Draft202012Validator, validators={"pattern": _pattern, "uniqueItems": _unique})
)
