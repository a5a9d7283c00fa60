"""Secrets of tools: known by name, looked up when a call is made, told to the hosts that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


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


class _Secret(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    # Shorter ones could not be told from other text in an answer.
    value: str = Field(min_length=8, max_length=4000, pattern=r"^[!-~]+(?: [!-~]+)*$")
    hosts: list[str] = Field(min_length=1)
    tenants: list[str] | None = None


def read_secrets(text: str) -> ConfiguredSecrets:
    """Secrets as a setting has them.

    Args:
        text: ``{"shop": {"value": "…", "hosts": ["api.example.com"], "tenants": ["acme"]}}``.

    Raises:
        ValueError: It cannot be read; says where, and nothing of any value.
    """
    try:
        found = TypeAdapter(dict[str, _Secret]).validate_json(text)
    except ValidationError as error:
        places = ", ".join(
            ".".join(str(step) for step in each["loc"]) or "it" for each in error.errors()[:5]
        )
        raise ValueError(f"does not fit at {places}") from None
    return ConfiguredSecrets(
        {
            name: ToolSecret(
                value=each.value,
                hosts=frozenset(host.lower() for host in each.hosts),
                tenants=None if each.tenants is None else frozenset(each.tenants),
            )
            for name, each in found.items()
        }
    )
