"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_TOOL: Final = """
  c.tool_slug as slug, c.version, c.provider, c.display_name, c.description, c.schema, c.risk, c.required_scopes,
  c.idempotent, c.needs_account, c.amount_argument, c.timeout_s, c.config, c.toolkit, c.digest, c.status, c.current,
  c.tenant_id is null as shared, c.updated_at
"""
_DRIFT: Final = """
  a.id, a.tool_slug, a.version, a.provider, a.severity, a.changes, a.before_digest, a.after_digest, a.snapshot, a.held,
  a.created_at, a.acknowledged_at, a.acknowledged_by
"""


async def register(tx: Transaction, tool: Any) -> None:
    await tx.execute("select stead.register_tool($1)", tool)


async def by_slug(tx: Transaction, tenant_id: UUID, slug: str, version: str | None) -> Row | None:
    # What is defined in code cannot be hidden by a tenant's own of the same slug.
    return await tx.row(
        f"""
        select {_TOOL} from public.tool_catalog c
        where (c.tenant_id is null or c.tenant_id = $1) and c.tool_slug = $2
          and case when $3::text is null then c.current else c.version = $3 end
        order by c.tenant_id nulls first
        limit 1
        """,
        tenant_id,
        slug,
        version,
    )


async def by_slugs(tx: Transaction, tenant_id: UUID, slugs: Sequence[str]) -> list[Row]:
    return await tx.rows(
        f"""
        select distinct on (c.tool_slug) {_TOOL} from public.tool_catalog c
        where (c.tenant_id is null or c.tenant_id = $1) and c.tool_slug = any($2::text[]) and c.current
        order by c.tool_slug, c.tenant_id nulls first
        """,
        tenant_id,
        list(slugs),
    )


async def listing(
    tx: Transaction, tenant_id: UUID, provider: str | None, after: str, limit: int
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_TOOL} from public.tool_catalog c
        where (c.tenant_id is null or c.tenant_id = $1) and c.current and c.tool_slug > $3
          and ($2::text is null or c.provider = $2) and c.status <> 'removed'
          and (c.tenant_id is null or not exists (
            select from public.tool_catalog s
            where s.tenant_id is null and s.tool_slug = c.tool_slug and s.current and s.status <> 'removed'))
        order by c.tool_slug
        limit $4
        """,
        tenant_id,
        provider,
        after,
        limit,
    )


async def slugs(tx: Transaction, tenant_id: UUID) -> list[str]:
    rows = await tx.rows(
        """
        select distinct c.tool_slug as slug from public.tool_catalog c
        where (c.tenant_id is null or c.tenant_id = $1) and c.current and c.status = 'active'
        limit 5000
        """,
        tenant_id,
    )
    return [row["slug"] for row in rows]


async def is_shared(tx: Transaction, slug: str) -> bool:
    return await tx.value(
        """
        select exists (select from public.tool_catalog c
          where c.tenant_id is null and c.tool_slug = $1 and c.status <> 'removed')
        """,
        slug,
    )


async def lock_catalogue(tx: Transaction, tenant_id: UUID) -> None:
    # One writer at a time of a tenant's tools: of two versions of one slug, one is the current one.
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended('stead.tools/' || $1::text, 0))", str(tenant_id)
    )


async def lock_slugs(tx: Transaction, tenant_id: UUID, slugs: Sequence[str]) -> list[Row]:
    # In one order for everybody, so that two that write the same tools do not block each other.
    return await tx.rows(
        f"""
        select {_TOOL} from public.tool_catalog c
        where c.tenant_id = $1 and c.tool_slug = any($2::text[])
        order by c.tool_slug, c.version
        for no key update
        """,
        tenant_id,
        slugs,
    )


async def step_down(tx: Transaction, tenant_id: UUID, slug: str, version: str) -> None:
    await tx.execute(
        """
        update public.tool_catalog c set current = false
        where c.tenant_id = $1 and c.tool_slug = $2 and c.version <> $3 and c.current
        """,
        tenant_id,
        slug,
        version,
    )


async def save(
    tx: Transaction,
    tenant_id: UUID,
    slug: str,
    version: str,
    provider: str,
    display_name: str,
    description: str,
    schema: Any,
    risk: str,
    required_scopes: Sequence[str],
    idempotent: bool,  # noqa: FBT001
    needs_account: bool,  # noqa: FBT001
    amount_argument: str | None,
    timeout_s: float,
    config: Any,
    toolkit: str,
    digest: str,
    status: str,
    current: bool,  # noqa: FBT001
) -> None:
    await tx.execute(
        """
        insert into public.tool_catalog as c (tenant_id, tool_slug, version, provider, display_name, description, schema,
          risk, required_scopes, idempotent, needs_account, amount_argument, timeout_s, config, toolkit, digest, status,
          current)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        on conflict (tenant_id, tool_slug, version) do update
        set provider = excluded.provider, display_name = excluded.display_name, description = excluded.description,
          schema = excluded.schema, risk = excluded.risk, required_scopes = excluded.required_scopes,
          idempotent = excluded.idempotent, needs_account = excluded.needs_account,
          amount_argument = excluded.amount_argument, timeout_s = excluded.timeout_s, config = excluded.config,
          toolkit = excluded.toolkit, digest = excluded.digest, status = excluded.status, current = excluded.current
        """,
        tenant_id,
        slug,
        version,
        provider,
        display_name,
        description,
        schema,
        risk,
        list(required_scopes),
        idempotent,
        needs_account,
        amount_argument,
        timeout_s,
        config,
        toolkit,
        digest,
        status,
        current,
    )


async def set_status(tx: Transaction, tenant_id: UUID, slug: str, version: str, status: str) -> None:
    await tx.execute(
        """
        update public.tool_catalog c set status = $4
        where c.tenant_id = $1 and c.tool_slug = $2 and c.version = $3
        """,
        tenant_id,
        slug,
        version,
        status,
    )


async def retire(tx: Transaction, tenant_id: UUID, slug: str) -> list[str]:
    rows = await tx.rows(
        """
        update public.tool_catalog c set status = 'removed'
        where c.tenant_id = $1 and c.tool_slug = $2 and c.status <> 'removed'
        returning c.version
        """,
        tenant_id,
        slug,
    )
    return sorted(row["version"] for row in rows)


async def unlisted(
    tx: Transaction, tenant_id: UUID, provider: str, toolkit: str, listed: Sequence[str]
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_TOOL} from public.tool_catalog c
        where c.tenant_id = $1 and c.provider = $2 and ($3 = '' or c.toolkit = $3) and c.current
          and c.status <> 'removed' and c.tool_slug <> all($4::text[])
        order by c.tool_slug
        for no key update
        """,
        tenant_id,
        provider,
        toolkit,
        listed,
    )


async def insert_drift(
    tx: Transaction,
    tenant_id: UUID,
    drift_id: UUID,
    slug: str,
    version: str,
    provider: str,
    severity: str,
    changes: Any,
    before: str | None,
    after: str | None,
    snapshot: Any,
    held: bool,  # noqa: FBT001
) -> None:
    await tx.execute(
        """
        insert into public.catalog_audit (id, tenant_id, tool_slug, version, provider, severity, changes, before_digest,
          after_digest, snapshot, held)
        values ($2, $1, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        tenant_id,
        drift_id,
        slug,
        version,
        provider,
        severity,
        changes,
        before,
        after,
        snapshot,
        held,
    )


async def drifts(
    tx: Transaction,
    tenant_id: UUID,
    severities: Sequence[str] | None,
    slug: str | None,
    acknowledged: bool | None,  # noqa: FBT001
    before_at: datetime | None,
    before_id: UUID | None,
    limit: int,
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_DRIFT} from public.catalog_audit a
        where a.tenant_id = $1 and ($2::text[] is null or a.severity = any($2))
          and ($3::text is null or a.tool_slug = $3)
          and ($4::boolean is null or (a.acknowledged_at is not null) = $4)
          and ($5::timestamptz is null or (a.created_at, a.id) < ($5, $6))
        order by a.created_at desc, a.id desc
        limit $7
        """,
        tenant_id,
        severities,
        slug,
        acknowledged,
        before_at,
        before_id,
        limit,
    )


async def lock_drift(tx: Transaction, tenant_id: UUID, drift_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_DRIFT} from public.catalog_audit a where a.tenant_id = $1 and a.id = $2 for no key update
        """,
        tenant_id,
        drift_id,
    )


async def acknowledge(tx: Transaction, tenant_id: UUID, drift_id: UUID, by: str) -> Row | None:
    return await tx.row(
        f"""
        update public.catalog_audit a set acknowledged_at = now(), acknowledged_by = $3
        where a.tenant_id = $1 and a.id = $2 and a.acknowledged_at is null
        returning {_DRIFT}
        """,
        tenant_id,
        drift_id,
        by,
    )


async def is_held(tx: Transaction, tenant_id: UUID, slug: str, version: str) -> bool:
    return await tx.value(
        """
        select exists (select from public.catalog_audit a
          where a.tenant_id = $1 and a.tool_slug = $2 and a.version = $3 and a.held and a.acknowledged_at is null)
        """,
        tenant_id,
        slug,
        version,
    )


async def release(tx: Transaction, tenant_id: UUID, slug: str, version: str) -> None:
    await tx.execute(
        """
        update public.tool_catalog c set status = 'active', current = true
        where c.tenant_id = $1 and c.tool_slug = $2 and c.version = $3
        """,
        tenant_id,
        slug,
        version,
    )


async def note_refresh(
    tx: Transaction,
    tenant_id: UUID,
    provider: str,
    toolkit: str,
    done: bool,  # noqa: FBT001
) -> None:
    # The first one makes it be done again, from half an hour to an hour later.
    await tx.execute(
        """
        insert into stead.catalog_refreshes as r (tenant_id, provider, toolkit, next_at, last_at)
        values ($1, $2, $3, now() + interval '30 minutes' + random() * interval '30 minutes',
          case when $4 then now() end)
        on conflict (tenant_id, provider, toolkit) do update set last_at = coalesce(excluded.last_at, r.last_at)
        """,
        tenant_id,
        provider,
        toolkit,
        done,
    )


async def enqueue_refreshes(tx: Transaction, batch: int, dispatch: str) -> int:
    return await tx.value("select stead.enqueue_refreshes($1, $2)", batch, dispatch)


async def refresh_at_once(tx: Transaction, provider: str, toolkit: str, dispatch: str) -> None:
    await tx.execute("select stead.refresh_at_once($1, $2, $3)", provider, toolkit, dispatch)


async def hasten_refreshes(tx: Transaction) -> None:
    await tx.execute("select stead.hasten_refreshes()")


async def take_token(tx: Transaction, bucket: str, capacity: float, per_s: float) -> float:
    return await tx.value("select stead.take_token($1, $2, $3)", bucket, capacity, per_s)


async def clock(tx: Transaction) -> datetime:
    return await tx.value("select now()")
