"""Evidence: of one tenant, found by words and meaning, written under the scopes that its kind needs."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from stead import knowledge
from stead.db import Database
from stead.evidence import EvidencePersonUnknown, EvidenceUnknown, NewEvidence, queries, records, scopes
from stead.evidence.scopes import NeededScope
from stead.identity import Principal, Tenant
from stead.identity.errors import ScopeMissing
from stead.providers.embedders import Embedder
from tests.support.people import Person, service

PAID = NewEvidence(source_type="tool_output", content="Invoice 4711 was paid twice.", metadata={"n": 2})


def keyed(tenant: Tenant, *granted: str) -> Principal:
    """A key with scopes."""
    return replace(service(tenant), scopes=frozenset(granted))


async def test_evidence_is_recorded_listed_found_and_deleted(
    db: Database, tenant: Tenant, other_tenant: Tenant, embedder: Embedder
) -> None:
    ours, theirs = service(tenant), service(other_tenant)
    async with db.transaction(ours) as tx:
        paid = await records.add(tx, ours, PAID)
        dog = await records.add(
            tx,
            ours,
            NewEvidence(source_type="proposal", content="A puppy bit the postman.", source_id=uuid4()),
        )
    async with db.transaction(theirs) as tx:
        await records.add(tx, theirs, PAID)
    while await knowledge.embed_backlog(db, embedder):
        pass
    (vector,) = await embedder.embed(["the young dog attacked somebody"])
    async with db.transaction(ours) as tx:
        assert await records.get(tx, ours, paid.id) == paid
        assert paid.metadata == {"n": 2}
        assert await records.listing(tx, ours) == [dog, paid]
        assert await records.listing(tx, ours, before=dog.id) == [paid]
        assert await records.listing(tx, ours, source_id=dog.source_id) == [dog]
        by_word = await records.search(tx, ours, "4711", embedder=embedder, vector=None)
        assert [hit.evidence for hit in by_word] == [paid]
        by_meaning = await records.search(
            tx, ours, "the young dog attacked somebody", embedder=embedder, vector=vector
        )
        assert by_meaning[0].evidence == dog
        assert by_meaning[0].dense is not None
        narrowed = await records.search(
            tx, ours, "dog", embedder=embedder, vector=vector, source_type="tool_output"
        )
        assert [hit.evidence for hit in narrowed] == [paid]
        await records.delete(tx, ours, paid.id)
        assert await records.search(tx, ours, "4711", embedder=embedder, vector=None) == []
        for evidence_id in (paid.id, uuid4()):
            with pytest.raises(EvidenceUnknown):
                await records.delete(tx, ours, evidence_id)
    async with db.transaction(theirs) as tx:
        with pytest.raises(EvidenceUnknown):
            await records.get(tx, theirs, dog.id)


async def test_on_behalf_of_somebody_elsewhere_nothing_is_recorded(
    db: Database, tenant: Tenant, stranger: Person
) -> None:
    with pytest.raises(EvidencePersonUnknown):
        async with db.transaction(service(tenant)) as tx:
            await records.add(tx, service(tenant), replace(PAID, profile_id=stranger.id))


async def test_people_reach_no_evidence(db: Database, tenant: Tenant, person: Person) -> None:
    async with db.transaction(service(tenant)) as tx:
        made = await records.add(tx, service(tenant), replace(PAID, profile_id=person.id))
    served = person.principal.served()
    async with db.transaction(served) as tx:
        assert await records.listing(tx, served) == []
        assert await queries.delete(tx, tenant.id, made.id) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(served) as tx:
            await records.add(tx, served, PAID)


@pytest.mark.parametrize("kind", ["tool_output", "*"])
async def test_a_scope_that_is_needed_is_needed_by_code_and_by_sql(
    db: Database, tenant: Tenant, other_tenant: Tenant, kind: str
) -> None:
    """001: require finance:write before inserts of finance tenants."""
    ours = service(tenant)
    without, with_it = keyed(tenant, "evidence"), keyed(tenant, "evidence", "finance:write")
    async with db.transaction(without) as tx:
        made = await records.add(tx, without, PAID)
    async with db.transaction(ours) as tx:
        await scopes.require(tx, ours, NeededScope(source_type=kind, scope="finance:write"))
    with pytest.raises(ScopeMissing):
        async with db.transaction(without) as tx:
            await records.add(tx, without, PAID)
    with pytest.raises(ScopeMissing):
        async with db.transaction(without) as tx:
            await records.delete(tx, without, made.id)
    # Whoever writes past this code meets the policies.
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with db.transaction(without) as tx:
            await tx.execute(
                "insert into public.evidence_embeddings (source_type, content) values ('tool_output', 'x')"
            )
    async with db.transaction(without) as tx:
        assert await tx.execute("update public.evidence_embeddings set content = 'y'") == 0
        assert await tx.execute("delete from public.evidence_embeddings") == 0
        assert len(await records.listing(tx, without)) == 1
    for allowed in (with_it, keyed(tenant, "*"), ours):
        async with db.transaction(allowed) as tx:
            extra = await records.add(tx, allowed, PAID)
            assert (
                await tx.execute(
                    "update public.evidence_embeddings set content = 'y' where id = $1", extra.id
                )
                == 1
            )
            await records.delete(tx, allowed, extra.id)
    # Other tenants have rules of their own.
    elsewhere = keyed(other_tenant, "evidence")
    async with db.transaction(elsewhere) as tx:
        await records.add(tx, elsewhere, PAID)
        assert await scopes.listing(tx, elsewhere) == []


async def test_a_kind_that_needs_a_scope_is_not_reached_by_renaming(
    db: Database, tenant: Tenant
) -> None:
    ours, without = service(tenant), keyed(tenant, "evidence")
    async with db.transaction(ours) as tx:
        await scopes.require(tx, ours, NeededScope(source_type="invoice", scope="finance:write"))
        await records.add(tx, ours, PAID)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with db.transaction(without) as tx:
            await tx.execute("update public.evidence_embeddings set source_type = 'invoice'")


async def test_who_lacks_a_scope_cannot_take_the_rule_away(db: Database, tenant: Tenant) -> None:
    ours, without = service(tenant), keyed(tenant, "evidence", "evidence:write")
    rule = NeededScope(source_type="*", scope="finance:write")
    async with db.transaction(ours) as tx:
        await scopes.require(tx, ours, rule)
    for change in (
        lambda tx: scopes.release(tx, without, "*"),
        lambda tx: scopes.require(tx, without, replace(rule, scope="evidence:write")),
    ):
        with pytest.raises(ScopeMissing):
            async with db.transaction(without) as tx:
                await change(tx)
    async with db.transaction(without) as tx:
        assert await queries.drop_scope(tx, tenant.id, "*") == 0
        assert await tx.execute("update public.evidence_scopes set scope = 'evidence:write'") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with db.transaction(without) as tx:
            await queries.put_scope(tx, tenant.id, "proposal", "evidence:write")
    admin = keyed(tenant, "evidence:admin")
    async with db.transaction(admin) as tx:
        assert await scopes.listing(tx, admin) == [rule]
        await scopes.release(tx, admin, "*")
        await scopes.release(tx, admin, "*")
        assert await scopes.listing(tx, admin) == []
    async with db.transaction(ours) as tx:
        rows = await tx.rows(
            "select details from public.audit_logs where tenant_id = $1 and action like '%_scope'",
            tenant.id,
        )
    assert len(rows) == 2


@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_whole_tables_are_written_within_the_tenant(
    db: Database, tenant: Tenant, other_tenant: Tenant, verb: str
) -> None:
    """A statement without a condition needs to see no row: here the policies of its verb stand alone."""
    ours, theirs = service(tenant), service(other_tenant)
    for each in (ours, theirs):
        async with db.transaction(each) as tx:
            await records.add(tx, each, PAID)
            await scopes.require(tx, each, NeededScope(source_type="x", scope="finance:write"))
    async with db.transaction(ours) as tx:
        if verb == "update":
            assert await tx.execute("update public.evidence_embeddings set content = 'y'") == 1
            assert await tx.execute("update public.evidence_scopes set scope = 'y'") == 1
        else:
            assert await tx.execute("delete from public.evidence_embeddings") == 1
            assert await tx.execute("delete from public.evidence_scopes") == 1
    async with db.transaction(theirs) as tx:
        (kept,) = await records.listing(tx, theirs)
        assert kept.content == PAID.content
        assert [rule.scope for rule in await scopes.listing(tx, theirs)] == ["finance:write"]
