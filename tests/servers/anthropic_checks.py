"""The requests that Anthropic refuses, with its own words where they are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.servers.script import Reply, Request


def refusal(request: Request, api_key: str | None) -> Reply | None:
    """The error that Anthropic would answer this request with, if any."""
    key = request.headers.get("x-api-key")
    if not key:
        return Reply(status=401, error_message="x-api-key header is required")
    if api_key is not None and key != api_key:
        return Reply(status=401, error_message="invalid x-api-key")
    if "anthropic-version" not in request.headers:
        return Reply(status=401, error_message="anthropic-version: header is required")
    if (request.method, request.path) != ("POST", "/v1/messages"):
        return Reply(status=404, error_message="Not found")
    if not isinstance(request.body, dict):
        return _invalid("The request body is not valid JSON")
    return next(_check_messages(request.body), None)


def _check_messages(body: dict[str, Any]) -> Iterator[Reply]:
    for name in ("model", "messages", "max_tokens"):
        if body.get(name) is None:
            yield _invalid(f"{name}: Field required")
    if not body["messages"]:
        yield _invalid("messages: at least one message is required")
    calls: list[str] = []
    for index, message in enumerate(body["messages"]):
        if message.get("role") not in {"user", "assistant"}:
            yield _invalid(f'messages: Unexpected role "{message.get("role")}".')
        blocks = message["content"] if isinstance(message["content"], list) else []
        answers = [block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"]
        if missing := sorted(set(calls) - set(answers)):
            yield _invalid(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {', '.join(missing)}."
            )
        if unknown := sorted(set(answers) - set(calls)):
            yield _invalid(
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{', '.join(unknown)}."
            )
        calls = [block["id"] for block in blocks if block.get("type") == "tool_use"]
    if calls:
        yield _invalid("messages: `tool_use` ids were found without `tool_result` blocks after them")


def _invalid(message: str) -> Reply:
    return Reply(status=400, error_message=message)
