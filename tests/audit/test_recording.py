"""What is written, who may read it, and that nobody may change it."""

from __future__ import annotations

import uuid

import asyncpg
import pytest
import structlog

from stead import audit
from stead.audit import AuditEntry
from stead.audit.errors import AuditPayloadInvalid
from stead.db import StaticActor
from stead.db.transaction import begin_message
from stead.identity import anonymous
from tests.audit.conftest import Log
from tests.support.people import Person, make_person, service

DENIED = asyncpg.InsufficientPrivilegeError


async def test_a_row_says_who_did_what_to_what(log: Log, ann: Person) -> None:
    memory = uuid.uuid4()
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        async with log.db.transaction(ann.principal.served()) as tx:
            await audit.record(
                tx, ann.principal, category="memory", action="forget", subject_type="memory",
                subject_id=memory, subject_profile_id=ann.id, payload={"memories": 3, "ids": [memory]},
            )  # fmt: skip
    row = await log.admin.fetchrow("select * from public.audit_log")
    assert row is not None
    assert row["tenant_id"] == log.tenant.id
    assert (row["actor_type"], row["actor_id"]) == ("user", str(ann.id))
    assert (row["category"], row["action"]) == ("memory", "forget")
    assert (row["subject_type"], row["subject_id"]) == ("memory", str(memory))
    assert row["subject_profile_id"] == ann.id
    assert row["request_id"] == "r-1"
    assert row["payload"] == f'{{"ids": ["{memory}"], "memories": 3}}'


async def test_an_anonymous_session_and_a_service_are_actors_too(log: Log) -> None:
    session = uuid.uuid4()
    for principal in (anonymous(log.tenant, session), service(log.tenant)):
        async with log.db.transaction(principal.served()) as tx:
            await audit.record(tx, principal, category="c", action="a")
    rows = await log.admin.fetch("select actor_type, actor_id from public.audit_log order by id")
    assert [tuple(row) for row in rows] == [("anonymous", str(session)), ("service", "stead")]


async def test_a_row_commits_with_its_transaction_or_not_at_all(log: Log) -> None:
    principal = service(log.tenant)

    async def give_up() -> None:
        async with log.db.transaction(principal) as tx:
            await audit.record(tx, principal, category="c", action="a")
            raise LookupError

    with pytest.raises(LookupError):
        await give_up()
    assert await log.ids() == []


async def test_many_rows_are_one_statement(log: Log, ann: Person) -> None:
    principal = service(log.tenant)
    entries = [
        AuditEntry(category="c", action="a", subject_id=str(n), payload={"n": n}) for n in range(500)
    ]
    async with log.db.transaction(principal) as tx:
        await audit.record_many(tx, principal, [])
        await audit.record_many(
            tx, principal, [*entries, AuditEntry(category="c", action="b", subject_profile_id=ann.id)]
        )
    rows = await log.admin.fetch("select subject_id, payload, xid from public.audit_log order by id")
    assert [row["subject_id"] for row in rows] == [*map(str, range(500)), None]
    assert rows[7]["payload"] == '{"n": 7}'
    assert len({row["xid"] for row in rows}) == 1


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "Ann lives in Lisbon"},
        {"text": "two\nlines"},
        {"text": "a\u00a0b"},
        {"text": "a\x00b"},
        {"text": "half \ud800"},
        {"email": "ann@example.com"},
        {"text": "x" * 201},
        {"Ann lives here": 1},
        {"": 1},
        {1: 1},
        {"a": {"b": ["ann@example.com"]}},
        {"a": {"b": {"c": {"d": {"e": 1}}}}},
        {"n": float("nan")},
        {"n": float("inf")},
        {"bytes": b"x"},
        {"a": {1, 2}},
        {"ids": [str(uuid.uuid4())] * 500},
    ],
)
async def test_a_payload_holds_no_text_of_anybody(log: Log, payload: dict[str, object]) -> None:
    principal = service(log.tenant)
    secrets = ("Lisbon", "ann@example.com", "lives")
    async with log.db.transaction(principal) as tx:
        with pytest.raises(AuditPayloadInvalid) as refused:
            await audit.record(tx, principal, category="c", action="a", payload=payload)
        entries = [AuditEntry(category="c", action="a", payload=each) for each in ({}, payload)]
        with pytest.raises(AuditPayloadInvalid):
            await audit.record_many(tx, principal, entries)
    assert not [secret for secret in secrets if secret in str(refused.value.detail + refused.value.hint)]
    assert await log.ids() == []


async def test_ids_counts_digests_and_codes_are_fine(log: Log) -> None:
    payload: dict[str, object] = {
        "id": uuid.uuid4(), "count": 10**15, "score": 0.25, "sha256": "ab" * 32, "done": True, "none": None,
        "tool": "stripe.refund/v2", "at": "2026-01-01T00:00:00Z", "model": "claude@20260101", "list": [1, [2]],
    }  # fmt: skip
    principal = service(log.tenant)
    async with log.db.transaction(principal) as tx:
        await audit.record(tx, principal, category="c", action="a", payload=payload)
    assert len(await log.ids()) == 1


async def test_a_row_is_of_the_transactions_tenant(log: Log) -> None:
    async with log.db.transaction(service(log.tenant)) as tx:
        with pytest.raises(DENIED):
            await audit.record(tx, service(log.other), category="c", action="a")


async def test_people_read_what_they_did_and_what_concerns_them(log: Log, ann: Person) -> None:
    bob = await make_person(log.db, log.tenant, "bob")
    tenant = service(log.tenant)
    async with log.db.transaction(ann.principal.served()) as tx:
        await audit.record(tx, ann.principal, category="c", action="by-ann")
        # Of what she may not read she may still cause a row.
        await audit.record(tx, tenant, category="c", action="by-nobody")
    async with log.db.transaction(tenant) as tx:
        await audit.record(tx, tenant, category="c", action="on-ann", subject_profile_id=ann.id)
        await audit.record(tx, tenant, category="c", action="on-bob", subject_profile_id=bob.id)
        seen = await tx.rows("select action from public.audit_log order by id")
    assert [row["action"] for row in seen] == ["by-ann", "by-nobody", "on-ann", "on-bob"]
    for principal, expected in (
        (ann.principal, ["by-ann", "on-ann"]),
        (ann.principal.served(), ["by-ann", "on-ann"]),
        (bob.principal, ["on-bob"]),
        (service(log.other), []),
    ):
        async with log.db.transaction(principal, read_only=True) as tx:
            seen = await tx.rows("select action from public.audit_log order by id")
            assert [row["action"] for row in seen] == expected
            assert len(await tx.rows("select * from public.audit_logs")) == len(expected)
    async with log.db.transaction(anonymous(log.tenant, uuid.uuid4())) as tx:
        with pytest.raises(DENIED):
            await tx.rows("select * from public.audit_log")


TABLES = ("public.audit_log", "stead.audit_entries", "stead.audit_seals", "stead.audit_signatures")
CHANGES = (
    "update {table} set tenant_id = tenant_id",
    "delete from {table}",
    "truncate {table}",
    "drop table {table}",
    "alter table {table} disable row level security",
    "alter table {table} disable trigger all",
    "create trigger t before insert on {table} for each row execute function update_updated_at_column()",
    "alter table {table} owner to current_user",
)
ROLES = ("anon", "authenticated", "stead_service", "service_role", "stead_definer", "stead_api")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ROLES)
async def test_nobody_but_the_owner_changes_what_was_written(log: Log, role: str, table: str) -> None:
    await log.write(3)
    await log.seal(log.key)
    for change in CHANGES:
        transaction = log.admin.transaction()
        await transaction.start()
        try:
            await log.admin.execute(f"set local role {role}")
            claims = f'{{"tenant_id": "{log.tenant.id}"}}'
            await log.admin.execute("select set_config('request.jwt.claims', $1, true)", claims)
            with pytest.raises(DENIED):
                await log.admin.execute(change.format(table=table))
        finally:
            await transaction.rollback()
    assert (await log.verify()).is_sound


@pytest.mark.parametrize("role", ["stead_service", "service_role"])
@pytest.mark.parametrize(
    ("column", "value"), [("id", "1"), ("created_at", "'2020-01-01'"), ("xid", "'3'::xid8")]
)
async def test_who_writes_chooses_neither_id_nor_time(
    log: Log, role: str, column: str, value: str
) -> None:
    connection = await asyncpg.connect(str(log.access.admin_url))
    try:
        await connection.execute("begin")
        await connection.execute(f"set local role {role}")
        await connection.execute(
            "select set_config('request.jwt.claims', $1, true)", f'{{"tenant_id": "{log.tenant.id}"}}'
        )
        with pytest.raises(DENIED):
            await connection.execute(
                f"insert into public.audit_log (tenant_id, actor_type, category, {column}) "
                f"overriding system value values ('{log.tenant.id}', 'service', 'c', {value})"
            )
    finally:
        await connection.close()


async def test_the_servers_login_cannot_write_seals(log: Log) -> None:
    """SQL of its own, with the claims of the tenant's service."""
    actor = StaticActor.of("stead_service", {"tenant_id": str(log.tenant.id)})
    connection = await asyncpg.connect(log.access.runtime_url)
    try:
        for table in TABLES[1:]:
            await connection.execute(begin_message(actor, read_only=False))
            with pytest.raises(DENIED):
                await connection.execute(f"insert into {table} (tenant_id) values ($1)", log.tenant.id)
            await connection.execute("rollback")
    finally:
        await connection.close()
