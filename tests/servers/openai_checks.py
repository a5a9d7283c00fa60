"""The requests that OpenAI refuses, with its own words where they are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.servers.script import Reply, Request

RESPONSE_ROLES = ("assistant", "system", "developer", "user")
CHAT_ROLES = ("system", "assistant", "user", "function", "tool", "developer")


def refusal(request: Request, api_key: str | None) -> Reply | None:
    """The error that OpenAI would answer this request with, if any."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        return Reply(status=401, error_message="You didn't provide an API key.")
    if api_key is not None and key != api_key:
        message = f"Incorrect API key provided: {key[:3]}***."
        return Reply(status=401, error_message=message, error_code="invalid_api_key")
    checks = {
        ("POST", "/v1/responses"): _check_response,
        ("POST", "/v1/chat/completions"): _check_chat,
        ("POST", "/v1/embeddings"): _check_embeddings,
        ("GET", "/v1/models"): None,
    }
    where = (request.method, request.path)
    if where not in checks:
        return Reply(status=404, error_message=f"Invalid URL ({request.method} {request.path})")
    check = checks[where]
    if check is None:
        return None
    if not isinstance(request.body, dict):
        return _invalid("We could not parse the JSON body of your request.")
    return next(check(request.body), None)


def _check_response(body: dict[str, Any]) -> Iterator[Reply]:
    yield from _missing(body, "model", "input")
    items = body["input"] if isinstance(body["input"], list) else []
    for index, item in enumerate(items):
        if "role" in item and item["role"] not in RESPONSE_ROLES:
            yield _bad_role(item["role"], f"input[{index}]", RESPONSE_ROLES)
    if body.get("previous_response_id") or body.get("conversation"):
        return
    called = {item["call_id"] for item in items if item.get("type") == "function_call"}
    answered = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    for call_id in sorted(answered - called):
        yield _invalid(f"No tool call found for function call output with call_id {call_id}.", "input")
    for call_id in sorted(called - answered):
        yield _invalid(f"No tool output found for function call {call_id}.", "input")


def _check_chat(body: dict[str, Any]) -> Iterator[Reply]:
    yield from _missing(body, "model", "messages")
    waiting: set[str] = set()
    for index, message in enumerate(body["messages"]):
        role = message.get("role")
        if role not in CHAT_ROLES:
            yield _bad_role(role, f"messages[{index}].role", CHAT_ROLES)
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                yield _invalid(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding "
                    "message with 'tool_calls'.",
                    f"messages.[{index}].role",
                )
            waiting.discard(message.get("tool_call_id"))
            continue
        if waiting:
            break
        waiting = {call["id"] for call in message.get("tool_calls") or ()}
    if waiting:
        yield _invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to "
            "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(sorted(waiting)),
            "messages",
        )


def _check_embeddings(body: dict[str, Any]) -> Iterator[Reply]:
    yield from _missing(body, "model", "input")
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if not texts or "" in texts:
        yield _invalid("Invalid 'input': input cannot be an empty string or list.", "input")
    if len(texts) > 2048 and not isinstance(texts[0], int):
        yield _invalid("Invalid 'input': maximum array length is 2048.", "input")


def _missing(body: dict[str, Any], *names: str) -> Iterator[Reply]:
    for name in names:
        if body.get(name) is None:
            yield _invalid(
                f"Missing required parameter: '{name}'.", name, code="missing_required_parameter"
            )


def _bad_role(role: object, param: str, roles: tuple[str, ...]) -> Reply:
    known = ", ".join(f"'{name}'" for name in roles[:-1])
    message = f"Invalid value: '{role}'. Supported values are: {known}, and '{roles[-1]}'."
    return _invalid(message, param, code="invalid_value")


def _invalid(message: str, param: str | None = None, *, code: str | None = None) -> Reply:
    return Reply(status=400, error_message=message, error_code=code, error_param=param)
