"""JSON Schemas of tools: whether they can be used, and whether arguments fit them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from jsonschema import Draft202012Validator, SchemaError, ValidationError

from stead.tools.digests import canonical
from stead.tools.errors import ToolSchemaInvalid
from stead.tools.models import ToolSpec
from stead.tools.patterns import BoundedValidator, compiled

MAX_SCHEMA_BYTES: Final = 65_536
MAX_DEPTH: Final = 24
#: Subschemas, with what is referred to counted wherever it is referred to.
MAX_NODES: Final = 2_000
#: Subschemas times values: what checking may cost, whatever is sent.
MAX_WORK: Final = 2_000_000
MAX_ARGUMENT_BYTES: Final = 262_144
MAX_ERRORS: Final = 50
_MAX_PATTERN: Final = 500
_REFUSED: Final = (
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$vocabulary",
    "patternProperties",
)
_ONE: Final = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_MANY: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = ("properties", "dependentSchemas")
_DEFINITIONS: Final = ("$defs", "definitions")


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuses a schema that arguments cannot be checked with in bounded time, whoever wrote it.

    Args:
        schema: JSON Schema (2020-12) of an object, without references to elsewhere or to itself.

    Raises:
        ToolSchemaInvalid: Says what is wrong, by JSON pointer.
    """
    try:
        text = canonical(schema)
    except (TypeError, ValueError, RecursionError):
        raise ToolSchemaInvalid("the schema is no JSON") from None
    if len(text) > MAX_SCHEMA_BYTES:
        raise ToolSchemaInvalid(f"the schema has {len(text):,} bytes; {MAX_SCHEMA_BYTES:,} are allowed")
    if schema.get("type") != "object":
        raise ToolSchemaInvalid(
            "the schema is not that of an object", hint='Begin with "type": "object".'
        )
    _weigh(schema)
    try:
        Draft202012Validator.check_schema(_own(schema))
    except SchemaError as error:
        raise ToolSchemaInvalid(
            f"{_pointer(error.absolute_path) or '/'}: {_keyword_of(error)} is not as JSON Schema has it"
        ) from None


def check_arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> list[str]:
    """Everything in which arguments do not fit a tool, by JSON pointer; empty where they do.

    Values of arguments are not in it: they may be what must not be told.

    Args:
        spec: The tool, as the catalogue has it.
        arguments: What it would be called with.

    Raises:
        ToolSchemaInvalid: The tool's schema cannot be used.
    """
    try:
        size = len(canonical(arguments))
    except (TypeError, ValueError, RecursionError):
        return ["/: is no JSON"]
    if size > MAX_ARGUMENT_BYTES:
        return [f"/: has {size:,} bytes; {MAX_ARGUMENT_BYTES:,} are allowed"]
    validator, nodes = _validator(canonical(spec.schema))
    values = _count(arguments, MAX_DEPTH * 2)
    if values is None or values * nodes > MAX_WORK:
        return ["/: has too many values, or they are too deep"]
    found: dict[str, None] = {}
    try:
        for error in validator.iter_errors(dict(arguments)):
            found[f"{_pointer(error.absolute_path) or '/'}: {_words(error)}"] = None
            if len(found) >= MAX_ERRORS:
                break
    except ArithmeticError:
        found["/: has a number that is too large to be checked"] = None
    return list(found)


@lru_cache(maxsize=512)
def _validator(text: str) -> tuple[Any, int]:
    schema = json.loads(text)
    check_schema(schema)
    return BoundedValidator(_own(schema)), _weigh(schema)


def _own(schema: Mapping[str, Any]) -> dict[str, Any]:
    # `$schema` would choose another validator, with another engine of patterns.
    return {key: value for key, value in schema.items() if key != "$schema"}


def _weigh(root: Mapping[str, Any]) -> int:
    """How many subschemas there are to check with."""
    return _Scale(root).weigh()


class _Scale:
    """Walks a schema as a validator would, with references followed."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def weigh(self) -> int:
        """How many subschemas there are.

        Raises:
            ToolSchemaInvalid: There are too many, or one is not allowed.
        """
        self._visit(self._root, "", (), 0)
        # What nothing refers to is part of it all the same: it must not hide what is not allowed.
        for name in _DEFINITIONS:
            for key, each in _members(self._root.get(name)):
                self._visit(each, f"/{name}/{key}", (), 1)
        return self._nodes

    def _visit(self, schema: Any, where: str, referred: tuple[str, ...], depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise ToolSchemaInvalid(
                "the schema is too large or too deep",
                hint=f"At most {MAX_NODES} subschemas, {MAX_DEPTH} deep.",
            )
        if isinstance(schema, bool):
            return
        if not isinstance(schema, Mapping):
            raise ToolSchemaInvalid(f"{where or '/'}: is no schema")
        members = cast("Mapping[str, Any]", schema)
        for name in _REFUSED:
            if name in members:
                raise ToolSchemaInvalid(f"{where}/{name}: is not supported")
        if where and "$schema" in members:
            raise ToolSchemaInvalid(f"{where}/$schema: belongs at the top")
        self._pattern(members.get("pattern"), where)
        if "$ref" in members:
            self._follow(members["$ref"], where, referred, depth)
        for step, each in _subschemas(members):
            self._visit(each, f"{where}/{step}", referred, depth + 1)

    def _pattern(self, pattern: Any, where: str) -> None:
        if not isinstance(pattern, str):
            return
        if len(pattern) > _MAX_PATTERN:
            raise ToolSchemaInvalid(f"{where}/pattern: is longer than {_MAX_PATTERN} characters")
        try:
            compiled(pattern)
        except ValueError as error:
            raise ToolSchemaInvalid(
                f"{where}/pattern: {error}", hint="Without look-around and back-references."
            ) from None

    def _follow(self, reference: Any, where: str, referred: tuple[str, ...], depth: int) -> None:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise ToolSchemaInvalid(
                f"{where}/$ref: refers to somewhere else, or to the whole",
                hint="Refer to definitions of the schema itself: #/$defs/….",
            )
        if reference in referred:
            raise ToolSchemaInvalid(f"{where}/$ref: refers to itself")
        target: Any = self._root
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            target = cast("Mapping[str, Any]", target).get(name) if isinstance(target, Mapping) else None
        if target is None:
            raise ToolSchemaInvalid(f"{where}/$ref: refers to nothing")
        self._visit(target, f"{where}/$ref", (*referred, reference), depth + 1)


def _subschemas(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _ONE:
        if name in members:
            yield name, members[name]
    for name in _MANY:
        for number, each in enumerate(_items(members.get(name))):
            yield f"{name}/{number}", each
    for name in _NAMED:
        for key, each in _members(members.get(name)):
            yield f"{name}/{key}", each


def _items(value: Any) -> Sequence[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _members(value: Any) -> list[tuple[str, Any]]:
    return list(cast("Mapping[str, Any]", value).items()) if isinstance(value, Mapping) else []


def _count(value: Any, depth: int) -> int | None:
    """How many values there are in one; None: it is too deep."""
    if depth < 0:
        return None
    inner: Sequence[Any] = _items(value) or [each for _, each in _members(value)]
    total = 1
    for each in inner:
        found = _count(each, depth - 1)
        if found is None:
            return None
        total += found
    return total


def _pointer(path: Sequence[Any]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')[:100]}" for step in path)


def _keyword_of(error: SchemaError) -> str:
    return str(next(iter(reversed(list(error.schema_path))), "it"))[:60]


def _words(error: ValidationError) -> str:
    """What is wrong, in words of the schema alone."""
    keyword, wanted = str(error.validator), error.validator_value
    if keyword == "required":
        there: set[str] = {name for name, _ in _members(error.instance)}
        missing = [name for name in _items(wanted) if name not in there]
        return f"lacks {', '.join(missing)}"
    if keyword == "additionalProperties":
        known = {name for name, _ in _members(cast("Any", error.schema).get("properties"))}
        others = [str(name)[:60] for name, _ in _members(error.instance) if name not in known]
        return f"has members that are not known: {', '.join(others[:5])}"
    if keyword == "type":
        return f"must be of type {canonical(wanted).strip('[]').replace(chr(34), '')}"
    if keyword in {"enum", "const"}:
        return f"must be {'one of ' if keyword == 'enum' else ''}{canonical(wanted)[:300]}"
    if keyword in {"anyOf", "oneOf"}:
        return (
            f"fits {'none or several' if keyword == 'oneOf' else 'none'} of the forms that are allowed"
        )
    if keyword == "pattern":
        return f"does not match {canonical(wanted)[:200]}"
    if keyword in _LIMITS:
        return f"{_LIMITS[keyword]} {canonical(wanted)[:60]}"
    return f"does not fit {keyword[:60]}"


_LIMITS: Final = {
    "minimum": "must be at least",
    "maximum": "must be at most",
    "exclusiveMinimum": "must be more than",
    "exclusiveMaximum": "must be less than",
    "multipleOf": "must be a multiple of",
    "minLength": "is shorter than",
    "maxLength": "is longer than",
    "minItems": "has fewer items than",
    "maxItems": "has more items than",
    "minProperties": "has fewer members than",
    "maxProperties": "has more members than",
    "format": "is not of the form",
}
