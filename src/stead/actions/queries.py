"""Statements of actions: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from stead.db import Row, Transaction

_APPROVAL: Final = """
  a.id, a.tenant_id, a.envelope_id, a.envelope_version, a.digest, a.status, a.risk, a.quorum, a.approvals, a.reasons,
  a.policy_version, a.proposer_id, a.by_agent, a.edited_by, a.not_before, a.expires_at, a.escalate_at, a.escalated_at,
  a.decided_at, a.used_at, a.created_at, o.tool_slug, o.arguments, o.connected_account_id
"""


async def facts(tx: Transaction, envelopes: Sequence[UUID], known: Sequence[str]) -> list[Row]:
    return await tx.rows("select * from stead.envelope_facts($1, $2)", envelopes, known)


async def account(tx: Transaction, tenant_id: UUID, external_id: str) -> Row | None:
    return await tx.row(
        """
        select a.status, a.scopes, a.provider from public.connected_accounts a
        where a.tenant_id = $1 and a.external_id = $2
        """,
        tenant_id,
        external_id,
    )


async def count_evidence(tx: Transaction, ids: Sequence[UUID]) -> int:
    return cast("int", await tx.value("select stead.count_evidence($1)", ids))


async def ask(
    tx: Transaction,
    envelopes: Sequence[UUID],
    quorums: Sequence[int],
    reasons: Sequence[str],
    versions: Sequence[int],
    not_befores: Sequence[datetime | None],
    ttls: Sequence[float],
) -> list[Row]:
    return await tx.rows(
        "select * from stead.ask_approvals($1, $2, $3, $4, $5, $6)",
        envelopes,
        quorums,
        reasons,
        versions,
        not_befores,
        ttls,
    )


async def insert_approval(
    tx: Transaction,
    tenant_id: UUID,
    envelope_id: UUID,
    quorum: int,
    reasons: Any,
    policy_version: int,
    edited_by: UUID | None,
    not_before: datetime | None,
    ttl_s: float,
) -> UUID:
    return cast(
        "UUID",
        await tx.value(
            """
            insert into public.approvals (tenant_id, envelope_id, envelope_version, digest, risk, quorum, reasons,
              policy_version, proposer_id, by_agent, edited_by, not_before, expires_at, escalate_at)
            select o.tenant_id, o.id, o.version, o.digest, o.risk, $3, $4, $5, o.proposer_id, o.by_agent, $6, $7,
              now() + make_interval(secs => $8), now() + make_interval(secs => $8 / 2)
            from public.outbox o where o.tenant_id = $1 and o.id = $2
            returning id
            """,
            tenant_id,
            envelope_id,
            quorum,
            reasons,
            policy_version,
            edited_by,
            not_before,
            ttl_s,
        ),
    )


async def end_approval(tx: Transaction, tenant_id: UUID, envelope_id: UUID, status: str) -> None:
    await tx.execute(
        """
        update public.approvals a set status = $3
        where a.tenant_id = $1 and a.envelope_id = $2 and a.status = 'pending'
        """,
        tenant_id,
        envelope_id,
        status,
    )


async def approval(tx: Transaction, tenant_id: UUID, approval_id: UUID) -> Row | None:
    return await tx.row(
        f"""
        select {_APPROVAL} from public.approvals a
        join public.outbox o on o.tenant_id = a.tenant_id and o.id = a.envelope_id
        where a.tenant_id = $1 and a.id = $2
        """,
        tenant_id,
        approval_id,
    )


async def approvals(
    tx: Transaction,
    tenant_id: UUID,
    proposer_id: UUID | None,
    status: str | None,
    envelope_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Row]:
    # Each way to the rows has an index in their order.
    whose = (
        "a.envelope_id = $3"
        if envelope_id is not None
        else "a.proposer_id = $6"
        if proposer_id is not None
        else "a.status = 'pending'"
        if status == "pending"
        else "true"
    )
    return await tx.rows(
        f"""
        select {_APPROVAL} from public.approvals a
        join public.outbox o on o.tenant_id = a.tenant_id and o.id = a.envelope_id
        where a.tenant_id = $1 and {whose} and ($2::text is null or a.status = $2)
          and ($3::uuid is null or a.envelope_id = $3) and ($4::uuid is null or a.id < $4)
          and ($6::uuid is null or a.proposer_id = $6)
        order by a.id desc limit $5
        """,
        tenant_id,
        status,
        envelope_id,
        before,
        limit,
        proposer_id,
    )


async def to_decide(
    tx: Transaction, tenant_id: UUID, profile_id: UUID, before: UUID | None, limit: int
) -> list[Row]:
    # What the trigger `vote_counts` would let this person vote on.
    return await tx.rows(
        f"""
        select {_APPROVAL} from public.approvals a
        join public.outbox o on o.tenant_id = a.tenant_id and o.id = a.envelope_id
        where a.tenant_id = $1 and a.status = 'pending' and a.expires_at > now()
          and o.status = 'awaiting_approval' and ($3::uuid is null or a.id < $3)
          and (
            (a.by_agent and a.quorum = 1 and a.proposer_id = $2)
            or (
              a.proposer_id is distinct from $2 and not (a.quorum > 1 and a.edited_by is not distinct from $2)
              and not exists (
                select from public.approval_votes v
                where v.tenant_id = a.tenant_id and v.approval_id = a.id and $2 in (v.profile_id, v.counts_for))
              and not exists (
                select from stead.approver_delegations d
                where d.tenant_id = a.tenant_id and d.from_id = a.proposer_id and d.to_id = $2
                  and now() between d.begins_at and d.ends_at)
              and exists (
                select from stead.approvers p
                where p.tenant_id = a.tenant_id and stead.risk_rank(p.most_risk) >= stead.risk_rank(a.risk)
                  and (p.profile_id = $2 or (
                    p.profile_id is distinct from a.proposer_id
                    and not (a.quorum > 1 and a.edited_by is not distinct from p.profile_id)
                    and not exists (
                      select from public.approval_votes v
                      where v.tenant_id = a.tenant_id and v.approval_id = a.id
                        and p.profile_id in (v.profile_id, v.counts_for))
                    and exists (
                      select from stead.approver_delegations d
                      where d.tenant_id = a.tenant_id and d.from_id = p.profile_id and d.to_id = $2
                        and now() between d.begins_at and d.ends_at))))))
        order by a.id desc limit $4
        """,
        tenant_id,
        profile_id,
        before,
        limit,
    )


async def ballots(tx: Transaction, tenant_id: UUID, approval_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select v.counts_for, v.profile_id, v.vote, v.reason, v.created_at from public.approval_votes v
        where v.tenant_id = $1 and v.approval_id = $2 order by v.created_at
        """,
        tenant_id,
        approval_id,
    )


async def vote(
    tx: Transaction,
    tenant_id: UUID,
    approval_id: UUID,
    counts_for: UUID,
    profile_id: UUID,
    vote: str,
    reason: str | None,
    digest: bytes,
) -> None:
    await tx.execute(
        """
        insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, reason, digest)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        tenant_id,
        approval_id,
        counts_for,
        profile_id,
        vote,
        reason,
        digest,
    )


async def expire_approvals(tx: Transaction, batch: int) -> list[Row]:
    return await tx.rows("select * from stead.expire_approvals($1)", batch)


async def escalate_approvals(tx: Transaction, batch: int) -> list[Row]:
    return await tx.rows("select * from stead.escalate_approvals($1)", batch)


async def is_approver(tx: Transaction) -> bool:
    return cast("bool", await tx.value("select stead.is_approver()"))


async def approvers(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select a.profile_id, p.email, a.most_risk from stead.approvers a
        join public.profiles p on p.tenant_id = a.tenant_id and p.id = a.profile_id
        where a.tenant_id = $1 order by a.created_at, a.profile_id
        """,
        tenant_id,
    )


async def put_approver(tx: Transaction, tenant_id: UUID, profile_id: UUID, most_risk: str) -> None:
    await tx.execute(
        """
        insert into stead.approvers (tenant_id, profile_id, most_risk) values ($1, $2, $3)
        on conflict (tenant_id, profile_id) do update set most_risk = excluded.most_risk
        """,
        tenant_id,
        profile_id,
        most_risk,
    )


async def delete_approver(tx: Transaction, tenant_id: UUID, profile_id: UUID) -> bool:
    return (
        await tx.value(
            "delete from stead.approvers where tenant_id = $1 and profile_id = $2 returning true",
            tenant_id,
            profile_id,
        )
        is not None
    )


async def delegations(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select d.id, d.from_id, d.to_id, d.begins_at, d.ends_at from stead.approver_delegations d
        where d.tenant_id = $1 and d.ends_at > now() order by d.id
        """,
        tenant_id,
    )


async def insert_delegation(
    tx: Transaction,
    tenant_id: UUID,
    from_id: UUID,
    to_id: UUID,
    begins_at: datetime | None,
    ends_at: datetime,
) -> Row | None:
    return await tx.row(
        """
        insert into stead.approver_delegations (tenant_id, from_id, to_id, begins_at, ends_at)
        values ($1, $2, $3, coalesce($4, now()), $5)
        returning id, from_id, to_id, begins_at, ends_at
        """,
        tenant_id,
        from_id,
        to_id,
        begins_at,
        ends_at,
    )


async def delete_delegation(tx: Transaction, tenant_id: UUID, delegation_id: UUID) -> bool:
    return (
        await tx.value(
            "delete from stead.approver_delegations where tenant_id = $1 and id = $2 returning true",
            tenant_id,
            delegation_id,
        )
        is not None
    )


async def insert_link(
    tx: Transaction,
    tenant_id: UUID,
    link_id: UUID,
    approval_id: UUID,
    profile_id: UUID,
    digest: bytes,
    expires_at: datetime,
) -> None:
    await tx.execute(
        """
        insert into stead.approval_links (id, tenant_id, approval_id, profile_id, secret_digest, expires_at)
        values ($2, $1, $3, $4, $5, $6)
        """,
        tenant_id,
        link_id,
        approval_id,
        profile_id,
        digest,
        expires_at,
    )


async def find_link(tx: Transaction, link_id: UUID, digest: bytes) -> Row | None:
    return await tx.row("select * from stead.find_approval_link($1, $2)", link_id, digest)


async def use_link(tx: Transaction, link_id: UUID, digest: bytes) -> Row | None:
    return await tx.row("select * from stead.use_approval_link($1, $2)", link_id, digest)


async def use_approvals(tx: Transaction, envelopes: Sequence[UUID]) -> None:
    await tx.execute("select stead.use_approvals($1)", envelopes)


async def endpoints(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        """
        select w.id, w.url, w.events, w.paused, w.created_at from stead.webhook_endpoints w
        where w.tenant_id = $1 order by w.id
        """,
        tenant_id,
    )


async def insert_endpoint(
    tx: Transaction, tenant_id: UUID, url: str, events: Sequence[str]
) -> Row | None:
    return await tx.row(
        """
        insert into stead.webhook_endpoints (tenant_id, url, events) values ($1, $2, $3)
        returning id, url, events, paused, created_at, secret_no
        """,
        tenant_id,
        url,
        events,
    )


async def change_endpoint(
    tx: Transaction,
    tenant_id: UUID,
    endpoint_id: UUID,
    events: Sequence[str] | None,
    *,
    paused: bool | None,
    new_secret: bool,
) -> Row | None:
    return await tx.row(
        """
        update stead.webhook_endpoints w
        set events = coalesce($3, w.events), paused = coalesce($4, w.paused), secret_no = w.secret_no + $5
        where w.tenant_id = $1 and w.id = $2
        returning w.id, w.url, w.events, w.paused, w.created_at, w.secret_no
        """,
        tenant_id,
        endpoint_id,
        events,
        paused,
        int(new_secret),
    )


async def delete_endpoint(tx: Transaction, tenant_id: UUID, endpoint_id: UUID) -> bool:
    return (
        await tx.value(
            "delete from stead.webhook_endpoints where tenant_id = $1 and id = $2 returning true",
            tenant_id,
            endpoint_id,
        )
        is not None
    )


async def endpoint(tx: Transaction, tenant_id: UUID, endpoint_id: UUID) -> Row | None:
    return await tx.row("select * from stead.webhook_endpoint($1, $2)", tenant_id, endpoint_id)


async def index_outcomes(tx: Transaction, batch: int) -> int:
    return cast("int", await tx.value("select stead.index_outcomes($1)", batch))
