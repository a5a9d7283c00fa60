"""Relation by role by verb by claims, and proof that no policy could be missing unnoticed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.db.embedded import EmbeddedServer
from tests.isolation.catalogue import Policy, policies, relations
from tests.isolation.expectations import (
    ACCESS,
    CALLING_ROLES,
    LOGIN,
    OWNER,
    PLAIN_SERVICE,
    POWERFUL_ROLES,
    ROLES,
)
from tests.isolation.matrix import check
from tests.isolation.seeding import SEEDS, World, insert_statement, seed
from tests.support import cluster as clusters

#: Changes that let nobody do more: what these expressions check is not granted to be set.
WITHOUT_EFFECT = {
    "alter policy own_update on public.profiles with check (true)",
    # People may write columns only that no policy names.
    "alter policy tenant_isolation on public.sessions with check (true)",
    "alter policy tenant_isolation on public.connected_accounts with check (true)",
    # A trigger lets nobody vote but as themselves in their own tenant.
    "alter policy tenant_isolation on public.approval_votes with check (true)",
    # A trigger keeps tenant and proposer of an envelope.
    "alter policy tenant_update on public.outbox with check (true)",
}
#: A tenant has one row, so that inserting another is refused anyway: see test_injection.
TRIED_ELSEWHERE = {
    "alter policy tenant_isolation on public.memory_policies with check (true)",
    "alter policy tenant_isolation on public.guardrails with check (true)",
    # Statements of the matrix name a row, which they then have to see: whole tables are tried in tests/evidence.
    "alter policy tenant_update on public.evidence_embeddings using (true)",
    "alter policy tenant_delete on public.evidence_embeddings using (true)",
    "alter policy tenant_update on public.evidence_scopes using (true)",
    "alter policy tenant_delete on public.evidence_scopes using (true)",
}


@dataclass
class Seeded:
    """A database with two tenants in it, and a superuser's connection to it."""

    connection: asyncpg.Connection
    world: World


@pytest_asyncio.fixture(scope="module")
async def seeded(cluster: EmbeddedServer) -> AsyncIterator[Seeded]:
    async with clusters.copy_of_template(cluster) as access:
        connection = await asyncpg.connect(access.admin_url)
        yield Seeded(connection, await seed(connection))
        await connection.close()


async def test_every_relation_has_rows_of_both_tenants_and_an_expectation(seeded: Seeded) -> None:
    names = {relation.name for relation in await relations(seeded.connection)}

    assert names == set(SEEDS)
    assert names == set(ACCESS)
    for name in names:
        labels = set(seeded.world.labels[name].values())
        assert labels, f"no rows in {name}"
        tenants = {label.tenant for label in labels}
        assert tenants <= {None} or {"A", "B"} <= tenants, f"{name} has rows of {tenants} only"


async def test_the_rows_that_the_matrix_inserts_are_sound(seeded: Seeded) -> None:
    """So that a refusal can only be a grant's or a policy's."""
    connection = seeded.connection
    for name, how in SEEDS.items():
        if name == "public.agent_run_logs":
            continue
        for label in how.inserted:
            transaction = connection.transaction()
            await transaction.start()
            tenant = seeded.world.tenant(label)
            who = {} if tenant is None else {"tenant_id": tenant}
            if name == "public.approval_votes":
                who["sub"] = seeded.world.person(label)
            claims = json.dumps(who)
            await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
            await connection.execute(insert_statement(name, how.make(seeded.world, label)))
            await transaction.rollback()


@pytest.mark.parametrize("role", ROLES)
async def test_matrix(seeded: Seeded, role: str) -> None:
    differences = await check(seeded.connection, seeded.world, roles=[role])

    assert not differences, f"{len(differences)} differences:\n" + "\n".join(differences[:40])


def _seen_by(policy: Policy) -> list[str]:
    """The roles in which a change of that policy must show."""
    named = [role for role in CALLING_ROLES if role in policy.roles]
    named += [PLAIN_SERVICE] if "service_role" in policy.roles else []
    return named + [role for role in POWERFUL_ROLES if role in policy.roles and role != "service_role"]


async def _unnoticed(
    connection: asyncpg.Connection, world: World, relation: str, roles: list[str], *statements: str
) -> bool:
    point = connection.transaction()
    await point.start()
    try:
        for statement in statements:
            await connection.execute(statement)
        return not await check(connection, world, only=relation, roles=roles, first=True)
    finally:
        await point.rollback()


async def _changed(fresh: DatabaseAccess, *templates: str) -> list[str]:
    """The policies of which no change by these statements was noticed."""
    connection = await asyncpg.connect(fresh.admin_url)
    try:
        world = await seed(connection)
        survivors: list[str] = []
        for policy in await policies(connection):
            for template in templates:
                if "using (true)" in template and policy.visible in {None, "true"}:
                    continue
                if "check (true)" in template and policy.writable in {None, "true"}:
                    continue
                statement = template.format(name=policy.name, relation=policy.relation)
                if statement in WITHOUT_EFFECT | TRIED_ELSEWHERE:
                    continue
                if await _unnoticed(connection, world, policy.relation, _seen_by(policy), statement):
                    survivors.append(f"{statement} ({', '.join(policy.roles)})")
        return survivors
    finally:
        await connection.close()


async def test_dropping_any_policy_is_noticed(fresh: DatabaseAccess) -> None:
    assert await _changed(fresh, "drop policy {name} on {relation}") == []


async def test_opening_any_policy_is_noticed(fresh: DatabaseAccess) -> None:
    survivors = await _changed(
        fresh,
        "alter policy {name} on {relation} using (true)",
        "alter policy {name} on {relation} with check (true)",
    )

    assert survivors == []


async def test_switching_row_security_off_is_noticed(fresh: DatabaseAccess) -> None:
    connection = await asyncpg.connect(fresh.admin_url)
    try:
        world = await seed(connection)
        for relation in await relations(connection):
            if not relation.is_table:
                continue
            for switch, roles in (("disable", []), ("no force", [])):
                statement = f"alter table {relation.name} {switch} row level security"
                assert not await _unnoticed(connection, world, relation.name, roles, statement), (
                    statement
                )
    finally:
        await connection.close()


async def test_an_owner_would_see_rows_if_it_were_not_forced(fresh: DatabaseAccess) -> None:
    """What FORCE is for, shown by behaviour and not by the catalogue alone."""
    connection = await asyncpg.connect(fresh.admin_url)
    try:
        world = await seed(connection)
        await connection.execute("alter table public.messages no force row level security")
        found = await check(connection, world, only="public.messages", roles=[OWNER])
        assert any("select" in line and "the owner" in line for line in found), found
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("create table public.notes (id int)",), "public.notes: row-level security is not enabled"),
        (("create table stead.notes (tenant_id uuid)",), "stead.notes: tenant_id may be null"),
        (("create view public.notes as select 1 as id",), "public.notes: no seed"),
        (("grant select on public.agent_versions to authenticated",), "public.agent_versions: select"),
        (("grant delete on public.messages to authenticated",), "public.messages: delete"),
        (
            ("grant usage on schema public to stead_api", "grant select on public.agents to stead_api"),
            "public.agents: select",
        ),
        (("alter view public.agent_sessions set (security_invoker = false)",), "public.agent_sessions:"),
        (
            (
                (
                    "create policy more on public.messages for select to authenticated "
                    "using (tenant_id = (select stead.tenant_id()))"
                ),
            ),
            "public.messages: select",
        ),
    ],
)
async def test_what_somebody_adds_is_noticed(
    seeded: Seeded, statements: tuple[str, ...], said: str
) -> None:
    point = seeded.connection.transaction()
    await point.start()
    try:
        for statement in statements:
            await seeded.connection.execute(statement)
        roles = [*CALLING_ROLES, LOGIN]
        found = await check(
            seeded.connection, seeded.world, only=said.split(":", maxsplit=1)[0], roles=roles
        )
    finally:
        await point.rollback()

    assert any(line.startswith(said) for line in found), found[:5]
