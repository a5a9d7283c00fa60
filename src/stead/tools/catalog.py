"""The catalogue: what a slug means for a tenant, and the tools that a tenant defines itself."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from stead import audit
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.tools import queries
from stead.tools.checking import check_spec
from stead.tools.digests import with_digest
from stead.tools.errors import ToolDrifted, ToolInCode, ToolUnknown
from stead.tools.models import CatalogEntry, ToolSpec, ToolStatus


async def look_up(
    tx: Transaction, principal: Principal, slug: str, version: str | None = None
) -> CatalogEntry | None:
    """A tool as it stands, also one that is not to be used.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: In whose tenant.
        slug: What it is called.
        version: Which one; None: the current one.
    """
    row = await queries.by_slug(tx, principal.tenant.id, slug, version)
    return None if row is None else entry_of(row)


async def find(tx: Transaction, principal: Principal, slug: str, version: str | None = None) -> ToolSpec:
    """A tool that may be used.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: In whose tenant.
        slug: What it is called.
        version: Which one; None: the current one.

    Raises:
        ToolUnknown: There is none; says which are called alike.
        ToolDrifted: It changed, and nobody has looked at it yet.
    """
    entry = await look_up(tx, principal, slug, version)
    if entry is None or entry.status == "removed":
        raise await _unknown(tx, principal, slug, version)
    if entry.status == "drifted":
        raise ToolDrifted(
            f"the tool {slug!r} changed, and is not used until somebody has looked",
            hint="GET /v1/catalog/audit shows the change; acknowledging it lets the tool be used again.",
        )
    return entry.spec


async def find_many(tx: Transaction, principal: Principal, slugs: Sequence[str]) -> list[ToolSpec]:
    """Those of these tools that may be used, in their current versions; the others are left out.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: In whose tenant.
        slugs: What they are called.
    """
    rows = await queries.by_slugs(tx, principal.tenant.id, slugs)
    return [entry.spec for entry in map(entry_of, rows) if entry.status == "active"]


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    provider: str | None = None,
    after: str = "",
    limit: int = 100,
) -> list[CatalogEntry]:
    """The tools of a tenant and those of code, by slug, in their current versions.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: In whose tenant.
        provider: Only those of this provider.
        after: Only slugs that come after this one.
        limit: How many.
    """
    rows = await queries.listing(tx, principal.tenant.id, provider, after, limit)
    return [entry_of(row) for row in rows]


async def put(tx: Transaction, principal: Principal, spec: ToolSpec) -> CatalogEntry:
    """Makes or changes one of the tenant's own tools; its version becomes the current one.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        spec: The tool as it is to be; its digest is computed here.

    Raises:
        ToolInvalid, ToolSchemaInvalid: It cannot be called.
        ToolInCode: The slug is that of a tool in code, or of a provider that lists its tools.
    """
    check_spec(spec)
    wanted = with_digest(spec)
    if await queries.is_shared(tx, spec.slug):
        raise ToolInCode(f"{spec.slug!r} is a tool in code", hint="Give this one another name.")
    await queries.lock_catalogue(tx, principal.tenant.id)
    before = await queries.lock_slugs(tx, principal.tenant.id, [spec.slug])
    others = {row["provider"] for row in before} - {spec.provider}
    if others:
        raise ToolInCode(
            f"{spec.slug!r} is a tool of {', '.join(sorted(others))}", hint="Give this one another name."
        )
    for row in before:
        entry = entry_of(row)
        if (entry.spec, entry.status, entry.current) == (wanted, "active", True):
            return entry
    await store(tx, principal, wanted)
    if wanted.digest not in {row["digest"] for row in before if row["status"] == "active"}:
        await audit.record(
            tx,
            principal,
            category="tools",
            action="put",
            subject_type="tool",
            subject_id=spec.slug,
            payload={"version": spec.version, "provider": spec.provider, "digest": wanted.digest},
        )
    row = await queries.by_slug(tx, principal.tenant.id, spec.slug, spec.version)
    assert row is not None  # noqa: S101 - it was just stored
    return entry_of(row)


async def retire(tx: Transaction, principal: Principal, slug: str) -> None:
    """Takes one of the tenant's tools out of use, in all its versions.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        slug: What it is called.

    Raises:
        ToolUnknown: The tenant has none of that name.
        ToolInCode: It is defined in code.
    """
    versions = await queries.retire(tx, principal.tenant.id, slug)
    if not versions:
        if await queries.is_shared(tx, slug):
            raise ToolInCode(f"{slug!r} is a tool in code", hint="Remove it there.")
        raise await _unknown(tx, principal, slug, None)
    await audit.record(
        tx,
        principal,
        category="tools",
        action="retire",
        subject_type="tool",
        subject_id=slug,
        payload={"versions": len(versions)},
    )


async def store(
    tx: Transaction,
    principal: Principal,
    spec: ToolSpec,
    *,
    status: ToolStatus = "active",
    current: bool = True,
) -> None:
    """Writes a tool of the tenant as it is; for what has checked it."""
    if current:
        await queries.step_down(tx, principal.tenant.id, spec.slug, spec.version)
    await queries.save(
        tx,
        principal.tenant.id,
        spec.slug,
        spec.version,
        spec.provider,
        spec.display_name,
        spec.description,
        dict(spec.schema),
        spec.risk,
        spec.required_scopes,
        spec.idempotent,
        spec.needs_account,
        spec.amount_argument,
        spec.timeout_s,
        dict(spec.config),
        spec.toolkit,
        spec.digest,
        status,
        current,
    )


def entry_of(row: Row) -> CatalogEntry:
    """A row of the catalogue."""
    fields = dict(row)
    about = {name: fields.pop(name) for name in ("status", "current", "shared", "updated_at")}
    fields["required_scopes"] = tuple(fields["required_scopes"])
    return CatalogEntry(spec=ToolSpec(**fields), **about)


def plain(spec: ToolSpec) -> dict[str, Any]:
    """A tool as JSON has it."""
    return asdict(replace(spec, schema=dict(spec.schema), config=dict(spec.config))) | {
        "required_scopes": list(spec.required_scopes)
    }


def alike(slug: str, known: Sequence[str]) -> list[str]:
    """Names that somebody may have meant."""
    last = {name.rpartition(".")[2].lower(): name for name in known}
    near = difflib.get_close_matches(slug, known, n=5, cutoff=0.6)
    near += [last[name] for name in difflib.get_close_matches(slug.lower(), last, n=3, cutoff=0.6)]
    return list(dict.fromkeys(near))[:5]


async def _unknown(tx: Transaction, principal: Principal, slug: str, version: str | None) -> ToolUnknown:
    near = alike(slug[:128], await queries.slugs(tx, principal.tenant.id))
    which = "" if version is None else f", version {version[:64]!r}"
    return ToolUnknown(
        f"there is no tool {slug[:128]!r}{which}",
        hint=f"There is {', '.join(near)}." if near else "GET /v1/tools lists them.",
    )
