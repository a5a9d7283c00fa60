"""Secrets of tools: known by name, looked up when a call is made, told to the hosts that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class ToolSecret:
    """A secret and who may have it.

    Args:
        value: The secret itself.
        hosts: Where it may be sent: a tool that somebody points elsewhere does not take it there.
        tenants: Slugs of tenants whose tools may use it; None: all.
    """

    value: str = field(repr=False)
    hosts: frozenset[str]
    tenants: frozenset[str] | None = None


class SecretSource(Protocol):
    """Where secrets are."""

    async def secret(self, tenant: str, name: str, host: str) -> str | None:
        """A secret for a call.

        Args:
            tenant: Slug of the tenant whose tool asks.
            name: What the tool calls it.
            host: Whom it is to be sent to, in lower case.

        Returns:
            Its value; None: there is none, or not for this tenant or host. Which of these is not told.
        """
        ...


class ConfiguredSecrets:
    """Secrets out of the settings."""

    def __init__(self, secrets: Mapping[str, ToolSecret]) -> None:
        self._secrets = dict(secrets)

    async def secret(self, tenant: str, name: str, host: str) -> str | None:
        """A secret that is for this tenant and this host."""
        found = self._secrets.get(name)
        if found is None or host not in found.hosts:
            return None
        if found.tenants is not None and tenant not in found.tenants:
            return None
        return found.value
