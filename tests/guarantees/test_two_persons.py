"""Nobody approves what they proposed: not themselves, nor through others, nor as a service, nor by SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import asyncpg
import pytest

from stead import outbox
from stead.actions import (
    ApprovalForbidden,
    ApprovalUnknown,
    Proposed,
    VotedAlready,
    approvers,
    approving,
)
from stead.db import NOBODY, Role
from stead.identity import Principal, tenant_service
from tests.guarantees.acts import Works

REFUSED = (ApprovalForbidden, ApprovalUnknown, VotedAlready)
ROLES: list[Role] = ["authenticated", "stead_service"]


async def waiting(works: Works, who: Principal) -> Proposed:
    """Something of theirs that waits for another person."""
    proposed = await works.propose("transfer", by=who, order="o1")
    assert proposed.envelope.status == "awaiting_approval"
    return proposed


async def delegate(works: Works, who: Principal, to: Principal) -> None:
    """Lets another person vote in one's place."""
    assert to.profile_id is not None
    async with works.db.transaction(who) as tx:
        ends_at = datetime.now(UTC) + timedelta(days=1)
        await approvers.delegate(tx, who, to.profile_id, ends_at=ends_at)


async def nothing_was_done(works: Works, proposed: Proposed) -> None:
    """It still waits, whoever works."""
    worker = await works.worker().start()
    try:
        low = await works.propose("send", order="low")
        await works.until(
            "select status = 'succeeded' from public.outbox where id = $1", low.envelope.id
        )
    finally:
        assert await worker.stop() == 0
    envelope = await works.get(proposed.envelope.id)
    assert (envelope.status, works.done(envelope.id)) == ("awaiting_approval", 0)
    assert await works.admin.fetchval(
        "select status = 'pending' and approvals = 0 from public.approvals where id = $1",
        proposed.approval_id,
    )
    await works.check_audit()


async def test_one_person_is_one_whatever_they_show(acting: Works) -> None:
    author = await acting.person(approves="critical")
    helper = await acting.person()
    other = await acting.person(approves="high")
    proposed = await waiting(acting, author)
    await delegate(acting, author, helper)
    tries: list[tuple[Principal, UUID | None]] = [
        (author, None),
        # Another token of the same person, another sign-in, and a key of theirs.
        (replace(author, credential="another-token"), None),
        (replace(author, credential="session:2"), None),
        (replace(author, credential="key:abc"), None),
        (replace(author, role="authenticated"), None),
        # Whoever they delegated to: in their name, and in their own.
        (helper, author.profile_id),
        (helper, None),
        # In the name of somebody who delegated nothing.
        (helper, other.profile_id),
        (author, other.profile_id),
        # No person.
        (acting.service, None),
        (acting.service, other.profile_id),
        (tenant_service(acting.tenant, credential="key:other"), None),
        # Somebody of another tenant.
        (replace(other, tenant=await acting.add_tenant()), None),
    ]
    for who, counts_for in tries:
        assert proposed.approval_id is not None
        with pytest.raises(REFUSED):
            async with acting.db.transaction(who) as tx:
                await approving.vote(tx, who, proposed.approval_id, "approve", counts_for=counts_for)
    await nothing_was_done(acting, proposed)
    # Not so: one who may.
    await acting.vote(proposed.approval_id, other)
    assert (await acting.get(proposed.envelope.id)).status == "pending"


async def test_two_are_two(acting: Works) -> None:
    """Where it takes two: one and their own delegate, or one for two others, are one."""
    await acting.policy(tiers={"high": {"verdict": "approval", "quorum": 2}})
    author = await acting.person()
    first, second = await acting.person(approves="high"), await acting.person(approves="high")
    helper = await acting.person()
    for delegates in (first, second):
        await delegate(acting, delegates, helper)
    proposed = await waiting(acting, author)
    assert proposed.approval_id is not None
    await acting.vote(proposed.approval_id, first)
    for who, counts_for in ((helper, first.profile_id), (first, None), (first, second.profile_id)):
        with pytest.raises(REFUSED):
            async with acting.db.transaction(who) as tx:
                await approving.vote(tx, who, proposed.approval_id, "approve", counts_for=counts_for)
    assert (await acting.get(proposed.envelope.id)).status == "awaiting_approval"
    async with acting.db.transaction(helper) as tx:
        await approving.vote(tx, helper, proposed.approval_id, "approve", counts_for=second.profile_id)
    assert (await acting.get(proposed.envelope.id)).status == "pending"


Sql = tuple[LiteralString, Callable[[dict[str, Any]], list[Any]]]
#: What somebody writes who has a connection and these claims: nothing of it lets the action run.
DIRECT: dict[str, list[Sql]] = {
    "a vote": [
        (
            (
                "insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, digest) "
                "values ($1, $2, $3, $3, 'approve', $4)"
            ),
            lambda k: [k["tenant"], k["approval"], k["author"], k["digest"]],
        )
    ],
    "a vote in the name of another": [
        (
            (
                "insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, digest) "
                "values ($1, $2, $3, $3, 'approve', $4)"
            ),
            lambda k: [k["tenant"], k["approval"], k["other"], k["digest"]],
        )
    ],
    "a vote that counts for another": [
        (
            (
                "insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, digest) "
                "values ($1, $2, $3, $4, 'approve', $5)"
            ),
            lambda k: [k["tenant"], k["approval"], k["other"], k["author"], k["digest"]],
        )
    ],
    "the approval": [
        ("update public.approvals set status = 'approved' where id = $1", lambda k: [k["approval"]])
    ],
    "the count and the quorum": [
        (
            "update public.approvals set approvals = 9, quorum = 0, status = 'approved' where id = $1",
            lambda k: [k["approval"]],
        )
    ],
    "the proposer of the approval": [
        (
            "update public.approvals set proposer_id = null, by_agent = true where id = $1",
            lambda k: [k["approval"]],
        )
    ],
    "the envelope": [
        ("update public.outbox set status = 'pending' where id = $1", lambda k: [k["envelope"]])
    ],
    "the envelope, executing": [
        (
            "update public.outbox set status = 'executing', worker_id = gen_random_uuid() where id = $1",
            lambda k: [k["envelope"]],
        )
    ],
    "its risk": [("update public.outbox set risk = 'low' where id = $1", lambda k: [k["envelope"]])],
    "its proposer": [
        (
            "update public.outbox set proposer_id = $2 where id = $1",
            lambda k: [k["envelope"], k["other"]],
        )
    ],
    "nobody its proposer": [
        ("update public.outbox set proposer_id = null where id = $1", lambda k: [k["envelope"]])
    ],
    "its arguments": [
        (
            """update public.outbox set arguments = '{"order": "forged"}' where id = $1""",
            lambda k: [k["envelope"]],
        )
    ],
    # An action of one's agent may be confirmed by oneself: so this one is to be an agent's, under a new approval.
    "an agent's, asked for anew and confirmed": [
        (
            "update public.outbox set by_agent = true, version = version + 1 where id = $1",
            lambda k: [k["envelope"]],
        ),
        (
            (
                "insert into public.approvals (tenant_id, envelope_id, envelope_version, digest, risk, quorum, "
                "policy_version, proposer_id, by_agent, expires_at) select o.tenant_id, o.id, o.version, "
                "o.digest, o.risk, "
                "1, 1, o.proposer_id, o.by_agent, now() + interval '1 hour' from public.outbox o where o.id = $1"
            ),
            lambda k: [k["envelope"]],
        ),
        (
            (
                "insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, digest) "
                "select a.tenant_id, a.id, $2, $2, 'approve', a.digest from public.approvals a "
                "where a.envelope_id = $1 "
                "order by a.envelope_version desc limit 1"
            ),
            lambda k: [k["envelope"], k["author"]],
        ),
    ],
    "an approval that is one already": [
        (
            (
                "insert into public.approvals (tenant_id, envelope_id, envelope_version, digest, status, risk, "
                "approvals, "
                "policy_version, proposer_id, by_agent, expires_at, decided_at) select o.tenant_id, o.id, "
                "o.version + 1, "
                "o.digest, 'approved', o.risk, 1, 1, o.proposer_id, o.by_agent, now() + interval '1 hour', now() "
                "from public.outbox o where o.id = $1"
            ),
            lambda k: [k["envelope"]],
        )
    ],
    "an approver": [
        (
            "insert into stead.approvers (tenant_id, profile_id) values ($1, $2)",
            lambda k: [k["tenant"], k["author"]],
        ),
        (
            (
                "insert into public.approval_votes (tenant_id, approval_id, counts_for, profile_id, vote, digest) "
                "values ($1, $2, $3, $3, 'approve', $4)"
            ),
            lambda k: [k["tenant"], k["approval"], k["author"], k["digest"]],
        ),
    ],
}


async def _write(works: Works, who: Principal, statements: list[Sql], known: dict[str, Any]) -> bool:
    """Whether the last of them changed anything."""
    changed = 0
    try:
        async with works.db.transaction(who) as tx:
            for sql, arguments in statements:
                changed = await tx.execute(sql, *arguments(known))
    except (
        asyncpg.CheckViolationError,
        asyncpg.InsufficientPrivilegeError,
        asyncpg.ObjectNotInPrerequisiteStateError,
        asyncpg.UniqueViolationError,
    ):
        return False
    return changed > 0


@pytest.mark.parametrize("role", ROLES)
async def test_not_by_sql_either(acting: Works, role: Role) -> None:
    author = await acting.person(approves="critical")
    other = await acting.person(approves="critical")
    proposed = await waiting(acting, author)
    known = {
        "tenant": acting.tenant.id,
        "approval": proposed.approval_id,
        "envelope": proposed.envelope.id,
        "digest": proposed.envelope.digest,
        "author": author.profile_id,
        "other": other.profile_id,
    }
    for name, statements in DIRECT.items():
        for who in (replace(author, role=role), replace(acting.service, role=role)):
            wrote = await _write(acting, who, statements, known)
            assert not wrote, f"{who.kind} as {role} wrote {name}"
            for_whom = await acting.admin.fetchrow(
                "select status, proposer_id, by_agent, risk, version, digest from public.outbox where id = $1",
                proposed.envelope.id,
            )
            assert for_whom is not None
            assert tuple(for_whom) == (
                "awaiting_approval",
                author.profile_id,
                False,
                "high",
                1,
                proposed.envelope.digest,
            ), name
    await nothing_was_done(acting, proposed)


async def test_a_version_that_nobody_approved_does_not_run(acting: Works) -> None:
    """An edit makes it pending without a vote only where the policy would: the judgement at claim asks again."""
    author = await acting.person()
    proposed = await waiting(acting, author)
    async with acting.db.transaction(acting.service) as tx:
        await tx.execute(
            "update public.outbox set status = 'pending', version = version + 1, risk = 'low', "
            """arguments = '{"order": "forged"}' where id = $1""",
            proposed.envelope.id,
        )
    worker = await acting.worker().start()
    try:
        await acting.until(
            "select status = 'awaiting_approval' from public.outbox where id = $1", proposed.envelope.id
        )
    finally:
        assert await worker.stop() == 0
    assert acting.lines() == {}
    async with acting.db.transaction(NOBODY) as tx:
        assert (await outbox.upkeep.depths(tx))[acting.tenant.slug, "awaiting_approval"] == 1
