"""Calls of tools as the worker makes them."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from stead.tools.models import ToolCall, ToolSpec


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
    """One attempt of an envelope."""
    if timeout_s is not None:
        tool = dataclasses.replace(tool, timeout_s=timeout_s)
    return ToolCall(
        tenant_id=tenant or uuid.UUID(int=1),
        tenant_slug=tenant_slug,
        envelope_id=uuid.uuid4(),
        tool=tool,
        arguments=arguments,
        account_id=account,
        key=key,
        attempt=1,
    )
