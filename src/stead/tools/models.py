"""Tools as values: what the catalogue holds, what is called, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from stead.identity import Tenant

Risk = Literal["low", "medium", "high", "critical"]
RISKS: tuple[Risk, ...] = ("low", "medium", "high", "critical")
OutcomeKind = Literal["succeeded", "retryable", "permanent", "unknown"]
ToolStatus = Literal["active", "drifted", "removed"]
#: From the gravest.
Severity = Literal["breaking", "risky", "harmless"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSpec:
    """A tool of the catalogue.

    Args:
        slug: What agents and envelopes call it.
        version: Of the provider; ``1`` where there are none.
        provider: ``local``, ``http``, ``mcp`` or ``composio``.
        schema: JSON Schema (2020-12) of its arguments, an object.
        risk: Tier; hints of a provider can raise it, never lower what the tenant set.
        required_scopes: What the connected account must have been granted.
        idempotent: Whether the provider promises that two calls with one key have one effect: only then is a call
            whose outcome is unknown sent again.
        needs_account: Whether it acts through a connected account.
        amount_argument: Name of the argument that says what it spends; None: it spends nothing.
        timeout_s: How long a call may take.
        config: What the provider needs to call it (URL, server, upstream name); never a secret.
        toolkit: What the provider lists it with; empty where it has no such groups.
        digest: SHA-256 in hex over slug, version, provider, schema, risk, required scopes and config.
    """

    slug: str
    version: str
    provider: str
    display_name: str
    description: str
    schema: Mapping[str, Any]
    risk: Risk = "medium"
    required_scopes: tuple[str, ...] = ()
    idempotent: bool = False
    needs_account: bool = False
    amount_argument: str | None = None
    timeout_s: float = 30.0
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    toolkit: str = ""
    digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogEntry:
    """A tool as it stands in the catalogue.

    Args:
        status: ``drifted``: it changed under us, and is not used until somebody has looked; ``removed``: its
            provider, or the tenant, no longer has it.
        current: Whether the slug without a version means this one.
        shared: Whether it is registered in code, for every tenant.
    """

    spec: ToolSpec
    status: ToolStatus
    current: bool
    shared: bool
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One way in which a tool is no longer what it was.

    Args:
        kind: Stable, such as ``argument_removed``.
        severity: ``breaking``: calls that were right are wrong now; ``risky``: the tool may do more, or says
            something that it should not; ``harmless``: the rest.
        path: JSON pointer into the schema, or the name of the field.
        holds: Whether the tool is not to be used until somebody has looked.
    """

    kind: str
    severity: Severity
    path: str
    holds: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """A change of a tool as it was found, 001's ``catalog_audit``.

    Args:
        severity: The gravest of its changes.
        held: Whether the tool was taken out of use until it is acknowledged.
        snapshot: The tool as it was before.
    """

    id: UUID
    tool_slug: str
    version: str
    provider: str
    severity: Severity
    changes: list[dict[str, Any]]
    before_digest: str | None
    after_digest: str | None
    snapshot: dict[str, Any]
    held: bool
    created_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """One attempt to run a tool.

    Args:
        tenant_id: For whom.
        tenant_slug: The same, for people.
        envelope_id: The envelope that it carries out.
        tool: What is called.
        arguments: As they were approved.
        account_id: 001's ``connected_account_id``: the provider's id of the account, or None.
        key: The idempotency key: the same on every attempt of one envelope.
        attempt: From 1.
    """

    tenant_id: UUID
    tenant_slug: str
    envelope_id: UUID
    tool: ToolSpec
    arguments: Mapping[str, Any]
    account_id: str | None
    key: str
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolOutcome:
    """What a call came to.

    Args:
        kind: ``succeeded``; ``retryable``: it surely had no effect, and may be tried again; ``permanent``: it
            surely had none, and never will; ``unknown``: it may have had its effect.
        result: JSON; for ``succeeded``.
        error: For a person, without secrets; up to 2,000 characters.
        code: Stable, such as ``timeout``, ``rate_limited``, ``http_404``.
        retry_after_s: What the provider asked for.
        provider_id: The provider's own id of the call (a log id), where it gives one.
    """

    kind: OutcomeKind
    result: Any = None
    error: str | None = None
    code: str | None = None
    retry_after_s: float | None = None
    provider_id: str | None = None


class Provider(Protocol):
    """Whoever carries out calls of one kind of tool."""

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        ...

    async def execute(self, call: ToolCall) -> ToolOutcome:
        """Calls the tool once. Never retries by itself; raises only when cancelled.

        No transaction is open.
        """
        ...

    async def aclose(self) -> None:
        """Lets go of connections."""
        ...


class ToolSource(Protocol):
    """Whoever lists tools that somebody else defines."""

    def list_tools(self, tenant: Tenant, toolkit: str) -> AsyncIterator[ToolSpec]:
        """The tools that this tenant may use, of one toolkit or (empty) of all.

        No transaction is open. Raises what stops it: half a listing is none.
        """
        ...
