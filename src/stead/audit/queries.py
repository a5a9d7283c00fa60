"""The statements of this part: one a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from stead.db import Row, Transaction

_BATCH = 2000


async def insert_row(
    tx: Transaction,
    tenant_id: UUID,
    actor_type: str,
    actor_id: str,
    category: str,
    action: str,
    subject_type: str | None,
    subject_id: str | None,
    subject_profile_id: UUID | None,
    request_id: str | None,
    payload: dict[str, Any],
) -> None:
    # Nothing is returned: a person's server may write rows that this person may not read.
    await tx.execute(
        """
        insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id,
          subject_profile_id, request_id, payload)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        tenant_id,
        actor_type,
        actor_id,
        category,
        action,
        subject_type,
        subject_id,
        subject_profile_id,
        request_id,
        payload,
    )


async def insert_rows(
    tx: Transaction,
    tenant_id: UUID,
    actor_type: str,
    actor_id: str,
    request_id: str | None,
    categories: Sequence[str],
    actions: Sequence[str],
    subject_types: Sequence[str | None],
    subject_ids: Sequence[str | None],
    subject_profile_ids: Sequence[UUID | None],
    payloads: Sequence[dict[str, Any]],
) -> None:
    await tx.execute(
        """
        insert into public.audit_log (tenant_id, actor_type, actor_id, category, action, subject_type, subject_id,
          subject_profile_id, request_id, payload)
        select $1, $2, $3, u.category, u.action, u.subject_type, u.subject_id, u.subject_profile_id, $4, u.payload
        from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::jsonb[])
          as u (category, action, subject_type, subject_id, subject_profile_id, payload)
        """,
        tenant_id,
        actor_type,
        actor_id,
        request_id,
        categories,
        actions,
        subject_types,
        subject_ids,
        subject_profile_ids,
        payloads,
    )


async def seal(tx: Transaction, batch: int, *, signing: bool) -> list[Row]:
    return await tx.rows("select * from stead.seal_audit($1, $2)", batch, signing)


async def sign(
    tx: Transaction,
    tenants: Sequence[UUID],
    numbers: Sequence[int],
    public: bytes,
    signatures: Sequence[bytes],
) -> int:
    return cast(
        "int",
        await tx.value("select stead.sign_seals($1, $2, $3, $4)", tenants, numbers, public, signatures),
    )


async def horizon(tx: Transaction) -> int:
    return cast("int", await tx.value("select stead.audit_horizon()"))


async def audited_tenants(tx: Transaction) -> list[Row]:
    return await tx.rows("select id, tenant_slug from stead.audited_tenants() order by id")


async def last_seal(tx: Transaction, tenant_id: UUID) -> int:
    return cast(
        "int",
        await tx.value(
            "select coalesce(max(seal_no), 0) from stead.audit_seals where tenant_id = $1", tenant_id
        ),
    )


def seals(tx: Transaction, tenant_id: UUID, last: int) -> AsyncIterator[Row]:
    return tx.stream(
        """
        select s.tenant_id::text as tenant_id, s.seal_no, s.prev_digest, s.rows, s.root, s.complete_to,
          case when isfinite(s.sealed_at) then (extract(epoch from s.sealed_at) * 1000000)::bigint::text
            else s.sealed_at::text end as sealed_at_us,
          s.digest, s.form, g.key, g.signature
        from stead.audit_seals s left join stead.audit_signatures g using (tenant_id, seal_no)
        where s.tenant_id = $1 and s.seal_no <= $2
        order by s.seal_no
        """,
        tenant_id,
        last,
        batch=_BATCH,
    )


def sealed_rows(tx: Transaction, tenant_id: UUID, last: int) -> AsyncIterator[Row]:
    # Times are taken apart here and not by a function of Stead's: whoever could change rows could change that.
    # The digest of the texts is a column of a subquery: `->>` is not leakproof, and in the join itself it would keep
    # row security from using the key of the texts, which would then be gone through for each row.
    return tx.stream(
        """
        select x.*, t.salt, t.texts
        from (
          select e.seal_no, e.position, e.audit_id, e.digest,
            l.tenant_id::text as tenant_id, l.id::text as id, l.xid::text as xid, l.actor_type, l.actor_id,
            l.category, l.action, l.subject_type, l.subject_id, l.subject_profile_id::text as subject_profile_id,
            l.request_id, l.payload::text as payload,
            case when isfinite(l.created_at) then (extract(epoch from l.created_at) * 1000000)::bigint::text
              else l.created_at::text end as created_at_us,
            l.payload ->> 'erasable' as commitment
          from stead.audit_entries e left join public.audit_log l on l.tenant_id = e.tenant_id and l.id = e.audit_id
          where e.tenant_id = $1 and e.seal_no <= $2
          order by e.seal_no, e.position
        ) x
        left join lateral (
          select a.salt, a.texts from stead.audit_texts a where a.tenant_id = $1 and a.digest = x.commitment offset 0
        ) t on true
        order by x.seal_no, x.position
        """,
        tenant_id,
        last,
        batch=_BATCH,
    )


def row_ids(tx: Transaction, tenant_id: UUID) -> AsyncIterator[Row]:
    # All ids, and not just the unsealed ones: looking for the few among millions would be one long statement,
    # and run into the statement time-out.
    return tx.stream(
        """
        select l.id as audit_id,
          (select true from stead.audit_entries e where e.tenant_id = l.tenant_id and e.audit_id = l.id) is not null
            as sealed
        from public.audit_log l where l.tenant_id = $1
        """,
        tenant_id,
        batch=_BATCH,
    )


async def row(tx: Transaction, tenant_id: UUID, audit_id: int) -> Row | None:
    return await tx.row(
        """
        select l.tenant_id::text as tenant_id, l.id::text as id, l.xid::text as xid, l.actor_type, l.actor_id,
          l.category, l.action, l.subject_type, l.subject_id, l.subject_profile_id::text as subject_profile_id,
          l.request_id, l.payload::text as payload,
          case when isfinite(l.created_at) then (extract(epoch from l.created_at) * 1000000)::bigint::text
            else l.created_at::text end as created_at_us
        from public.audit_log l where l.tenant_id = $1 and l.id = $2
        """,
        tenant_id,
        audit_id,
    )


async def seal_of(tx: Transaction, tenant_id: UUID, audit_id: int) -> Row | None:
    return await tx.row(
        """
        select s.tenant_id::text as tenant_id, s.seal_no, s.prev_digest, s.rows, s.root, s.complete_to,
          case when isfinite(s.sealed_at) then (extract(epoch from s.sealed_at) * 1000000)::bigint::text
            else s.sealed_at::text end as sealed_at_us,
          s.digest, s.form, g.key, g.signature
        from stead.audit_entries e join stead.audit_seals s using (tenant_id, seal_no)
          left join stead.audit_signatures g using (tenant_id, seal_no)
        where e.tenant_id = $1 and e.audit_id = $2
        """,
        tenant_id,
        audit_id,
    )


async def entries(tx: Transaction, tenant_id: UUID, seal_no: int) -> list[Row]:
    return await tx.rows(
        """
        select e.audit_id, e.digest from stead.audit_entries e
        where e.tenant_id = $1 and e.seal_no = $2 order by e.position
        """,
        tenant_id,
        seal_no,
    )


async def heads(tx: Transaction) -> list[Row]:
    return await tx.rows("select tenant, slug, seal_no, digest from stead.audit_heads()")


async def insert_texts(
    tx: Transaction,
    tenant_id: UUID,
    digests: Sequence[str],
    salts: Sequence[bytes],
    texts: Sequence[str],
    profile_ids: Sequence[UUID | None],
    author_id: UUID | None,
    session_id: UUID | None,
) -> None:
    await tx.execute(
        """
        insert into stead.audit_texts (tenant_id, digest, salt, texts, profile_id, author_id, session_id)
        select $1, u.digest, u.salt, u.texts, u.profile_id, $6, $7
        from unnest($2::text[], $3::bytea[], $4::text[], $5::uuid[]) as u (digest, salt, texts, profile_id)
        """,
        tenant_id,
        digests,
        salts,
        texts,
        profile_ids,
        author_id,
        session_id,
    )


async def erase_texts(tx: Transaction, audit_ids: Sequence[int]) -> int:
    return cast("int", await tx.value("select stead.erase_audit_texts($1)", audit_ids))


async def index(tx: Transaction, batch: int, keep: int) -> int:
    return cast("int", await tx.value("select stead.index_audit($1, $2)", batch, keep))


async def note_policies(tx: Transaction) -> int:
    return cast("int", await tx.value("select stead.note_policies()"))


async def listing(
    tx: Transaction,
    tenant_id: UUID,
    *,
    category: str | None,
    action: str | None,
    actor_id: str | None,
    subject_type: str | None,
    subject_id: str | None,
    profile_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    before: tuple[datetime, int] | None,
    limit: int,
) -> list[Row]:
    # The order of the index (tenant, time): the newest that fit are read from its end. Texts as in `sealed_rows`.
    return await tx.rows(
        """
        select x.id, x.created_at, x.actor_type, x.actor_id, x.category, x.action, x.subject_type, x.subject_id,
          x.subject_profile_id, x.request_id, x.payload, t.texts
        from (
          select l.*, l.payload ->> 'erasable' as commitment
          from public.audit_log l
          where l.tenant_id = $1 and ($2::text is null or l.category = $2) and ($3::text is null or l.action = $3)
            and ($4::text is null or l.actor_id = $4) and ($5::text is null or l.subject_type = $5)
            and ($6::text is null or l.subject_id = $6) and ($7::uuid is null or l.subject_profile_id = $7)
            and ($8::timestamptz is null or l.created_at >= $8) and ($9::timestamptz is null or l.created_at < $9)
            and ($10::timestamptz is null or (l.created_at, l.id) < ($10, $11::bigint))
          order by l.created_at desc, l.id desc
          limit $12
        ) x
        left join lateral (
          select a.texts from stead.audit_texts a where a.tenant_id = $1 and a.digest = x.commitment offset 0
        ) t on true
        order by x.created_at desc, x.id desc
        """,
        tenant_id,
        category,
        action,
        actor_id,
        subject_type,
        subject_id,
        profile_id,
        since,
        until,
        before[0] if before else None,
        before[1] if before else None,
        limit,
    )


async def of_documents(tx: Transaction, tenant_id: UUID, document_ids: Sequence[UUID]) -> list[Row]:
    return await tx.rows(
        """
        select d.id as document_id, l.id, l.created_at, l.actor_type, l.actor_id, l.category, l.action,
          l.subject_type, l.subject_id, l.subject_profile_id, l.request_id, l.payload, t.texts
        from stead.audit_documents d join public.audit_log l on l.tenant_id = d.tenant_id and l.id = d.audit_id
        left join lateral (
          select a.texts from stead.audit_texts a where a.tenant_id = $1 and a.digest = d.digest offset 0
        ) t on true
        where d.tenant_id = $1 and d.id = any ($2)
        """,
        tenant_id,
        document_ids,
    )
