"""Schemas that can be used, arguments that fit them."""

from __future__ import annotations

from typing import Any

import pytest

from stead.tools import ToolSchemaInvalid, check_arguments, check_schema
from tests.tools.calls import tool


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


REFUND = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "pattern": "^A-[0-9]+$"},
        "amount": {"type": "number", "exclusiveMinimum": 0},
        "reason": {"enum": ["broken", "late"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "uniqueItems": True},
    },
    "required": ["order_id", "amount"],
    "additionalProperties": False,
    "$defs": {"line": _object(sku={"type": "string"}) | {"required": ["sku"]}},
}


def test_what_fits_has_no_faults() -> None:
    given = {"order_id": "A-1", "amount": 2.5, "lines": [{"sku": "x"}, {"sku": "y"}]}
    assert check_arguments(tool(schema=REFUND), given) == []


def test_all_faults_are_told_at_once_and_no_value() -> None:
    given = {"order_id": "SECRET-1", "reason": "SECRET-2", "lines": [{"sku": 7}, {}], "card": "SECRET-3"}
    found = check_arguments(tool(schema=REFUND), given)
    assert sorted(found) == [
        "/: has members that are not known: card",
        "/: lacks amount",
        "/lines/0/sku: must be of type string",
        "/lines/1: lacks sku",
        '/order_id: does not match "^A-[0-9]+$"',
        '/reason: must be one of ["broken","late"]',
    ]
    assert "SECRET" not in str(found)


@pytest.mark.parametrize(
    ("items", "fits"),
    [([1, 2], True), ([1, 1.0], False), ([True, 1], True), ([{"a": 1}, {"a": 1}], False)],
)
def test_repeated_items(items: list[Any], fits: bool) -> None:
    spec = tool(schema=_object(x={"type": "array", "uniqueItems": True}))
    assert (check_arguments(spec, {"x": items}) == []) is fits


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({}, "not that of an object"),
        ({"type": "array"}, "not that of an object"),
        (_object(x={"type": "strin"}), "not as JSON Schema has it"),
        (_object(x={"minimum": "1"}), "not as JSON Schema has it"),
        (_object(x=3), "is no schema"),
        (_object(x={"$ref": "http://169.254.169.254/latest"}), "refers to somewhere else"),
        (_object(x={"$ref": "file:///etc/passwd"}), "refers to somewhere else"),
        (_object(x={"$ref": "#/$defs/none"}), "refers to nothing"),
        (_object(x={"$ref": "#"}), "refers to somewhere else"),
        (_object(x={"$id": "http://evil.example/"}), "is not supported"),
        (_object(x={"$dynamicRef": "#a"}), "is not supported"),
        (_object(x={"$schema": "http://json-schema.org/draft-07/schema#"}), "belongs at the top"),
        ({"type": "object", "patternProperties": {"^(a+)+$": {}}}, "is not supported"),
        ({"type": "object", "$defs": {"x": {"$id": "http://evil.example/"}}}, "is not supported"),
        (_object(x={"pattern": "(?=a)b"}), "bounded time"),
        (_object(x={"pattern": r"(a)\1"}), "bounded time"),
        (_object(x={"pattern": "(" * 40}), "bounded time"),
        (_object(x={"pattern": "a" * 501}), "longer than"),
        (_object(x={"description": "x" * 70_000}), "bytes"),
        (_object(x={"default": float("nan")}), "no JSON"),
    ],
)
def test_schemas_that_are_refused(schema: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolSchemaInvalid, match=says):
        check_schema(schema)


def test_a_schema_does_not_refer_to_itself() -> None:
    tree = _object(root={"$ref": "#/$defs/node"}) | {
        "$defs": {"node": _object(left={"$ref": "#/$defs/node"})}
    }
    with pytest.raises(ToolSchemaInvalid, match="refers to itself"):
        check_schema(tree)


def test_a_schema_does_not_grow_by_references() -> None:
    defs: dict[str, Any] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(20)
    }
    with pytest.raises(ToolSchemaInvalid, match="too large or too deep"):
        check_schema(_object(x={"$ref": "#/$defs/d0"}) | {"$defs": {**defs, "d20": {"type": "string"}}})


def test_a_schema_is_not_too_deep() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        deep = {"type": "array", "items": deep}
    with pytest.raises(ToolSchemaInvalid, match="too large or too deep"):
        check_schema(_object(x=deep))


def test_no_pattern_takes_more_than_its_text() -> None:
    # A backtracking engine would not come back from this within the life of the test run.
    spec = tool(schema=_object(x={"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}))
    assert check_arguments(spec, {"x": "a" * 50_000}) != []


def test_arguments_are_bounded() -> None:
    spec = tool(schema=_object(x={"type": "array", "items": {"type": "integer"}}))
    assert "bytes" in check_arguments(spec, {"x": "a" * 300_000})[0]
    nested: Any = []
    for _ in range(60):
        nested = [nested]
    assert "too deep" in check_arguments(spec, {"x": nested})[0]
    assert check_arguments(spec, {"x": float("inf")}) == ["/: is no JSON"]
    assert len(check_arguments(spec, {"x": ["a"] * 1000})) == 50


def test_a_number_that_is_too_large_is_a_fault() -> None:
    spec = tool(schema=_object(x={"multipleOf": 0.1}))
    assert "too large" in check_arguments(spec, {"x": 10**400})[0]
