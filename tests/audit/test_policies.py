"""Changes of the database's own policies are recorded (001: category auth_policy), in the chain of no tenant."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from stead import audit, db
from stead.identity import Tenant
from tests.audit.conftest import Log

NOBODY = Tenant(id=UUID(int=0), slug=str(UUID(int=0)))


async def recorded(log: Log) -> list[tuple[str, str | None, str | None]]:
    rows = await log.admin.fetch(
        "select action, subject_type, subject_id from public.audit_log where category = 'auth_policy' order by id"
    )
    return [(row["action"], row["subject_type"], row["subject_id"]) for row in rows]


CHANGES = {
    "create policy open on public.sessions using (true)": ("created", "policy", "public.sessions.open"),
    "drop policy tenant_isolation on public.guardrails_of_test": (
        "dropped",
        "policy",
        "public.guardrails_of_test.tenant_isolation",
    ),
    "alter policy tenant_isolation on public.evidence_embeddings using (true)": (
        "changed",
        "policy",
        "public.evidence_embeddings.tenant_isolation",
    ),
    "alter policy tenant_isolation on public.evidence_embeddings to public": (
        "changed",
        "policy",
        "public.evidence_embeddings.tenant_isolation",
    ),
    "alter table public.sessions no force row level security": (
        "changed",
        "row_security",
        "public.sessions",
    ),
    "alter table stead.api_keys disable row level security": (
        "changed",
        "row_security",
        "stead.api_keys",
    ),
    "grant delete on public.audit_log to stead_service": ("changed", "grants", "public.audit_log"),
    "grant update (payload) on public.audit_log to stead_service": (
        "changed",
        "grants",
        "public.audit_log",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_policy_is_recorded_once(log: Log, change: str) -> None:
    await log.admin.execute(
        "create table public.guardrails_of_test (id int); "
        "create policy tenant_isolation on public.guardrails_of_test using (false)"
    )
    assert await audit.note_policies(log.db) > 100
    assert await recorded(log) == [("baseline", None, None)]
    assert await audit.note_policies(log.db) == 0
    await log.admin.execute(change)
    assert await audit.note_policies(log.db) == 1
    assert await audit.note_policies(log.db) == 0
    assert (await recorded(log))[1:] == [CHANGES[change]]
    payload = json.loads(
        await log.admin.fetchval("select payload from public.audit_log order by id desc limit 1")
    )
    wanted = {"created": {"after"}, "dropped": {"before"}, "changed": {"before", "after"}}
    assert payload.keys() == wanted[CHANGES[change][0]]


async def test_these_records_are_sealed_and_verified_like_others(log: Log) -> None:
    await audit.note_policies(log.db)
    await log.admin.execute("alter table public.sessions no force row level security")
    await audit.note_policies(log.db)
    await log.seal(log.key)
    report = await log.verify(NOBODY, keys=frozenset({log.key.public}))
    assert (report.is_sound, report.rows, report.signed) == (True, 2, 1)
    dump = (await log.pg_dump("--data-only")).splitlines(keepends=True)
    (offline,) = audit.verify_dump(dump, tenant=NOBODY.slug)
    assert (offline.is_sound, offline.head) == (True, report.head)
    await log.admin.execute("delete from public.audit_log where action = 'changed'")
    report = await log.verify(NOBODY)
    assert [fault.kind for fault in report.faults] == ["row_missing"]
    async with log.db.transaction(db.NOBODY, read_only=True) as tx:
        assert NOBODY.id in {tenant.id for tenant in await audit.audited_tenants(tx)}
