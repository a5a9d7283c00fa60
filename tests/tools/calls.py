"""Calls of tools, made up."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stead.tools import ToolCall, ToolSpec, with_digest

ANYTHING: dict[str, Any] = {"type": "object"}


def tool(slug: str = "ship", **fields: Any) -> ToolSpec:
    """A tool that takes anything."""
    plain = ToolSpec(
        slug=slug, version="1", provider="http", display_name=slug, description="", schema=ANYTHING
    )
    return with_digest(replace(plain, **fields))


def call_of(spec: ToolSpec, arguments: Mapping[str, Any] | None = None, **fields: Any) -> ToolCall:
    """One attempt to run it."""
    made = ToolCall(
        tenant_id=uuid.uuid4(),
        tenant_slug="acme",
        envelope_id=uuid.uuid4(),
        tool=spec,
        arguments=arguments or {},
        account_id=None,
        key="key-1",
        attempt=1,
    )
    return replace(made, **fields)


def call(
    tool: ToolSpec,
    *,
    tenant: uuid.UUID | None = None,
    tenant_slug: str = "acme",
    account: str | None = None,
    key: str = "key-1",
    timeout_s: float | None = None,
    **arguments: Any,
) -> ToolCall:
    """One attempt of an envelope, its arguments by name."""
    if timeout_s is not None:
        tool = replace(tool, timeout_s=timeout_s)
    return call_of(
        tool,
        arguments,
        tenant_id=tenant or uuid.UUID(int=1),
        tenant_slug=tenant_slug,
        account_id=account,
        key=key,
    )
