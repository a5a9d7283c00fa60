"""003's endpoints and their fields, as the OpenAPI document has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.servers import Running


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the document: JSON fields with their types; required ones are marked by ``!``."""

    operation: str
    request: dict[str, str] = field(default_factory=dict)
    response: dict[str, str] = field(default_factory=dict)


# `email` at opening is from the prose of 003.
ENDPOINTS = [
    Endpoint(
        "POST /api/session",
        {"orgId": "string!", "email": "string"},
        {"sessionId": "string uuid!"},
    ),
    Endpoint(
        "PATCH /api/session/{}",
        {"email": "string", "phone": "string", "name": "string", "context": "object"},
        {"success": "boolean", "sessionId": "string uuid!"},
    ),
    Endpoint(
        "POST /api/session/{}/link",
        {"clerkUserId": "string!"},
        {"success": "boolean", "sessionId": "string uuid!"},
    ),
    Endpoint("POST /api/session/{}/complete", {"context": "object"}, {"success": "boolean"}),
    Endpoint("POST /api/chat", {"sessionId": "string uuid", "agentId": "string", "message": "string"}),
    Endpoint("POST /api/generate/{}", {"sessionId": "string uuid!"}, {"content": "string!"}),
]


@pytest.fixture
async def document(server: Running) -> dict[str, Any]:
    return (await server.client.get("/openapi.json")).json()


def _operation(document: dict[str, Any], wanted: str) -> dict[str, Any]:
    method, path = wanted.split(" ")
    for known, item in document["paths"].items():
        pieces = ["{}" if piece.startswith("{") else piece for piece in known.split("/")]
        if "/".join(pieces) == path and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"003's {wanted} is not there")


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for each in (schema, *schema.get("anyOf", [])):
        if "$ref" in each:
            return document["components"]["schemas"][each["$ref"].rpartition("/")[2]]
    return schema


def _types(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    kinds: set[str] = set()
    for each in schema.get("anyOf", [schema]):
        known = _resolve(document, each)
        kind, form = known.get("type", ""), known.get("format", "")
        kinds |= {kind, f"{kind} {form}".strip()}
        if "const" in known:
            kinds.add(type(known["const"]).__name__.replace("bool", "boolean"))
    return kinds


def _assert_fields(
    document: dict[str, Any], schema: dict[str, Any], fields: dict[str, str], *, exact_need: bool
) -> None:
    body = _resolve(document, schema)
    for name, wanted in fields.items():
        assert name in body["properties"], f"{name} is missing from {sorted(body['properties'])}"
        kind = wanted.removesuffix("!")
        assert kind in _types(document, body["properties"][name]), (name, body["properties"][name])
        if wanted.endswith("!"):
            assert name in body.get("required", []), f"{name} is always there in 003"
        elif exact_need:
            assert name not in body.get("required", []), f"{name} is optional in 003"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
async def test_the_endpoint_is_there_with_its_fields(
    document: dict[str, Any], endpoint: Endpoint
) -> None:
    operation = _operation(document, endpoint.operation)
    sent = operation["requestBody"]["content"]["application/json"]["schema"]
    _assert_fields(document, sent, endpoint.request, exact_need=True)
    # Beyond 003's own fields nothing is demanded.
    demanded = set(_resolve(document, sent).get("required", []))
    assert demanded <= {name for name, kind in endpoint.request.items() if kind.endswith("!")}
    if endpoint.response:
        answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
        _assert_fields(document, answered, endpoint.response, exact_need=False)


async def test_completing_needs_no_body(document: dict[str, Any]) -> None:
    operation = _operation(document, "POST /api/session/{}/complete")
    assert operation["requestBody"].get("required", False) is False


async def test_chat_answers_with_server_sent_events(document: dict[str, Any]) -> None:
    operation = _operation(document, "POST /api/chat")
    assert "text/event-stream" in operation["responses"]["200"]["content"]


async def test_success_is_always_true(document: dict[str, Any]) -> None:
    for wanted in ("PATCH /api/session/{}", "POST /api/session/{}/complete"):
        answered = _operation(document, wanted)["responses"]["200"]["content"]["application/json"]
        assert _resolve(document, answered["schema"])["properties"]["success"]["const"] is True
