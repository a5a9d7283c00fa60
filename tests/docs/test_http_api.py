"""Every route of the OpenAPI document has its section, which names its parameters and fields, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from stead.http import HttpConfig, Parts, create_app
from tests.docs.pages import REFERENCE, sections


def _never() -> AbstractAsyncContextManager[Parts]:
    raise AssertionError("only the document is asked for")


OPENAPI: dict[str, Any] = create_app(HttpConfig(version="test"), _never).openapi()
ROUTES = {
    f"{method.upper()} {path}": operation
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
}
PAGE = REFERENCE / "http-api.md"


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = OPENAPI["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    yield from schema.get("properties", {})
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from _fields(inner)


def test_each_route_has_a_section_and_each_section_a_route() -> None:
    documented = {heading.strip("`") for heading in sections(PAGE) if heading.startswith("`")}
    assert documented == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_each_parameter_and_field_is_named(route: str) -> None:
    operation = ROUTES[route]
    text = sections(PAGE)[f"`{route}`"].lower()
    wanted = {p["name"] for p in operation.get("parameters", ()) if p["in"] != "path"}
    answers = [operation.get("requestBody", {}), *operation["responses"].values()]
    for answer in answers:
        for content in answer.get("content", {}).values():
            wanted |= set(_fields(content.get("schema", {})))
    assert {name for name in wanted if f"`{name.lower()}`" not in text} == set()
