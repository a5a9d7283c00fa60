"""Reading JSON schemas for the offline model: references, merged parts, types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

Schema = Mapping[str, object]

_LONGEST_CHAIN = 16


def resolve(root: Schema, schema: Schema) -> Schema:
    """``schema`` with its reference into ``root`` followed and its ``allOf`` merged into it."""
    for _ in range(_LONGEST_CHAIN):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            break
        beside = {key: member for key, member in schema.items() if key != "$ref"}
        schema = {**_target(root, reference), **beside}
    parts = schemas(schema.get("allOf"))
    if not parts:
        return schema
    own = {key: member for key, member in schema.items() if key != "allOf"}
    merged: dict[str, object] = {}
    for part in [*(resolve(root, part) for part in parts), own]:
        properties = {**members(merged.get("properties")), **members(part.get("properties"))}
        required = [*elements(merged.get("required")), *elements(part.get("required"))]
        merged = {**merged, **part}
        if properties:
            merged.update(properties=properties, required=required)
    return merged


def type_of(schema: Schema, named: object) -> str:
    """The type that a value shall have: of several, null where nothing is named, else a fitting one."""
    kind = schema.get("type")
    if kinds := [str(one) for one in elements(kind)]:
        if named is None and "null" in kinds:
            return "null"
        real = [one for one in kinds if one != "null"] or ["null"]
        return next((one for one in real if fits({"type": one}, named)), real[0])
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def fits(schema: Schema, named: object) -> bool:
    """Whether a JSON value is of the type that ``schema`` asks for."""
    match schema.get("type"):
        case "object":
            return isinstance(named, Mapping)
        case "array":
            return isinstance(named, list)
        case "number" | "integer":
            return isinstance(named, int | float) and not isinstance(named, bool)
        case "boolean":
            return isinstance(named, bool)
        case kind:
            return kind == "string" and isinstance(named, str)


def schemas(value: object) -> list[Schema]:
    """The schemas in a list, such as that of ``anyOf``; empty for anything else."""
    return [cast("Schema", one) for one in elements(value) if isinstance(one, Mapping)]


def elements(value: object) -> list[object]:
    """``value`` if it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def members(value: object) -> Schema:
    """``value`` if it is an object, else an empty one."""
    return cast("Schema", value) if isinstance(value, Mapping) else {}


def count(value: object, default: int) -> int:
    """A number of elements or characters, or ``default`` where the schema sets none."""
    return int(value) if isinstance(value, int | float) else default


def _target(root: Schema, reference: str) -> Schema:
    found: object = root
    pointer = reference.removeprefix("#").strip("/")
    for key in pointer.split("/") if pointer else ():
        found = members(found).get(key.replace("~1", "/").replace("~0", "~"))
    return members(found)
