"""The setting that names MCP servers, in the shape that other programs have for theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from stead.core.risks import Risk

if TYPE_CHECKING:
    from stead.tools.providers.mcp import McpServer


class ToolSetting(BaseModel):
    """What the operator says of one tool."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    risk: Risk | None = None
    idempotent: bool = False
    timeout_s: float | None = Field(None, gt=0, le=3600)


class McpServerSetting(BaseModel):
    """One server: a command, or a URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str | None = Field(None, min_length=1)
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    cwd: str | None = None
    url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    risk: Risk = "medium"
    tools: dict[str, ToolSetting] = Field(default_factory=dict[str, ToolSetting])
    tenants: frozenset[str] | None = None
    timeout_s: float = Field(30.0, gt=0, le=3600)
    tool_errors: Literal["permanent", "unknown"] = "permanent"


def servers_of(settings: Mapping[str, McpServerSetting]) -> list[McpServer]:
    """The servers that a setting names.

    Raises:
        ToolProviderMisconfigured: One of them cannot be.
    """
    if not settings:
        return []
    from stead.tools.providers.mcp import McpServer, ToolRule  # noqa: PLC0415 - as in settings

    return [
        McpServer(
            name=name,
            **each.model_dump(exclude={"tools"}),
            tools={tool: ToolRule(**rule.model_dump()) for tool, rule in each.tools.items()},
        )
        for name, each in settings.items()
    ]
