"""Which MCP servers there are, and what the operator says of their tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from stead.tools.models import Risk
from stead.tools.providers.errors import ToolProviderMisconfigured

#: The value of a secret by its name; None where there is none.
Secrets = Callable[[str], str | None]

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_SECRET: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, kw_only=True)
class ToolRule:
    """What the operator says of one tool.

    Args:
        risk: Its tier; None: that of its server. What the server hints may raise it further.
        idempotent: Whether it may be called again when nobody knows what became of a call. A server's own hint
            is not enough for that.
        timeout_s: How long a call may take; None: as long as its server says.
    """

    risk: Risk | None = None
    idempotent: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class McpServer:
    """A server: a program that is started, or a URL.

    Args:
        name: What its tools begin with: ``files`` has ``files.read``.
        command: What is started, for stdio.
        args: Its arguments.
        env: Its environment beside what every program needs. ``${NAME}`` stands for the secret of that name.
        cwd: Where it is started.
        url: Where it is, for streamable HTTP.
        headers: What it is sent. ``${NAME}`` stands for the secret of that name.
        risk: Tier of tools of which nothing else is said.
        tools: What is said of single tools, by their names.
        tenants: Slugs of the tenants that may use it; None: all.
        timeout_s: How long a call may take.
        tool_errors: What a tool's own error (``isError``) comes to. The protocol does not say whether such a tool
            had an effect. ``permanent``: it is taken at its word, and not called again; ``unknown``: a person
            looks at it.
    """

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str | None = None
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    risk: Risk = "medium"
    tools: Mapping[str, ToolRule] = field(default_factory=dict[str, ToolRule])
    tenants: frozenset[str] | None = None
    timeout_s: float = 30.0
    tool_errors: Literal["permanent", "unknown"] = "permanent"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ToolProviderMisconfigured(
                f"{self.name!r} is no name for an MCP server",
                hint="Small letters, digits, _ and -, up to 63.",
            )
        if (self.command is None) == (self.url is None):
            raise ToolProviderMisconfigured(
                f"MCP server {self.name}: give a command or a url, one of them"
            )
        if self.url is not None and not re.match(r"https?://[^\s@]+$", self.url):
            raise ToolProviderMisconfigured(
                f"MCP server {self.name}: its url is none of http or https without a user in it",
                hint="Secrets go into headers, by name.",
            )

    def serves(self, tenant_slug: str) -> bool:
        """Whether a tenant may use it."""
        return self.tenants is None or tenant_slug in self.tenants


def fill(values: Mapping[str, str], secrets: Secrets, server: str) -> tuple[dict[str, str], set[str]]:
    """Values with their secrets in place, and which secrets these are.

    Raises:
        ToolProviderMisconfigured: There is no secret of a name.
    """
    used: set[str] = set()

    def secret(found: re.Match[str]) -> str:
        value = secrets(found[1])
        if not value:
            raise ToolProviderMisconfigured(
                f"MCP server {server}: there is no secret named {found[1]}",
                hint="Set it in the environment of the worker.",
            )
        used.add(value)
        return value

    return {name: _SECRET.sub(secret, text) for name, text in values.items()}, used
