"""Tools as HTTP carries them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from stead.tools import CatalogEntry, Risk, Severity, ToolSpec, ToolStatus
from stead.tools.templates import Method

SLUG = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$"
Slug = Annotated[str, Path(pattern=SLUG)]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$", examples=["1"])]
ProviderName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["composio"])]
_SCHEMA_EXAMPLE = {"type": "object", "properties": {"order_id": {"type": "string"}}}


class HttpCall(BaseModel):
    """How an http tool is called."""

    model_config = ConfigDict(extra="forbid")

    method: Method = "POST"
    url: str = Field(
        min_length=8, max_length=2000, examples=["https://api.example.com/orders/{order_id}"]
    )
    headers: dict[str, str] = Field(
        default_factory=dict, max_length=30, examples=[{"authorization": "Bearer {secret:shop}"}]
    )


class SaveTool(BaseModel):
    """An http tool as it is to be."""

    model_config = ConfigDict(extra="forbid")

    display_name: str = Field(min_length=1, max_length=200, examples=["Refund an order"])
    description: str = Field("", max_length=20_000, examples=["Refunds an order, whole or in part."])
    version: Version = "1"
    arguments_schema: dict[str, Any] = Field(alias="schema", examples=[_SCHEMA_EXAMPLE])
    risk: Risk = "medium"
    required_scopes: list[str] = Field(default_factory=list, max_length=100)
    idempotent: bool = False
    needs_account: bool = False
    amount_argument: str | None = Field(None, min_length=1, max_length=100, examples=[None])
    timeout_s: float = Field(30.0, gt=0, le=300)
    http: HttpCall

    def spec(self, slug: str) -> ToolSpec:
        """The tool of that name."""
        return ToolSpec(
            slug=slug,
            version=self.version,
            provider="http",
            display_name=self.display_name,
            description=self.description,
            schema=self.arguments_schema,
            risk=self.risk,
            required_scopes=tuple(self.required_scopes),
            idempotent=self.idempotent,
            needs_account=self.needs_account,
            amount_argument=self.amount_argument,
            timeout_s=self.timeout_s,
            config=self.http.model_dump(),
        )


class ToolOut(BaseModel):
    """A tool as it stands."""

    slug: str
    version: str
    provider: str
    toolkit: str
    display_name: str
    description: str
    arguments_schema: dict[str, Any] = Field(alias="schema")
    risk: Risk
    required_scopes: list[str]
    idempotent: bool
    needs_account: bool
    amount_argument: str | None
    timeout_s: float
    config: dict[str, Any]
    digest: str
    status: ToolStatus
    current: bool
    source: Literal["code", "tenant"]
    updated_at: datetime

    @classmethod
    def of(cls, entry: CatalogEntry) -> ToolOut:
        """A tool of the catalogue."""
        spec = entry.spec
        return cls(
            slug=spec.slug,
            version=spec.version,
            provider=spec.provider,
            toolkit=spec.toolkit,
            display_name=spec.display_name,
            description=spec.description,
            schema=dict(spec.schema),
            risk=spec.risk,
            required_scopes=list(spec.required_scopes),
            idempotent=spec.idempotent,
            needs_account=spec.needs_account,
            amount_argument=spec.amount_argument,
            timeout_s=spec.timeout_s,
            config=dict(spec.config),
            digest=spec.digest,
            status=entry.status,
            current=entry.current,
            source="code" if entry.shared else "tenant",
            updated_at=entry.updated_at,
        )


class ToolPage(BaseModel):
    """Some tools, by slug."""

    items: list[ToolOut]
    next: str | None


class DriftOut(BaseModel):
    """A change of a tool."""

    model_config = ConfigDict(from_attributes=True)

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


class DriftPageOut(BaseModel):
    """Some changes, the latest first."""

    items: list[DriftOut]
    next: str | None


class RefreshCatalog(BaseModel):
    """Whom to ask for its tools."""

    model_config = ConfigDict(extra="forbid")

    provider: ProviderName
    toolkit: str = Field("", max_length=100, pattern=r"^[A-Za-z0-9_.-]*$", examples=[""])


class RefreshOut(BaseModel):
    """The job that asks.

    Args:
        new: False where one is under way already: it is that one.
    """

    job_id: UUID
    new: bool
