"""Searching what happened: rows of the log as the worker comes to them, what tools answered, what was proposed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from stead import audit, knowledge
from stead.assembly.database import DatabaseAccess
from stead.db.context import in_transaction
from stead.evidence import history
from stead.evidence.history import Found
from stead.identity import Tenant
from stead.memory import forgetting
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.audit.conftest import Log, open_log
from tests.support.people import make_person, service

EMBEDDER = build_embedder("static", EmbedderConfig())


@pytest_asyncio.fixture
async def log(fresh: DatabaseAccess) -> AsyncIterator[Log]:
    """A log of this test's own."""
    async with open_log(fresh) as opened:
        yield opened


async def record(
    log: Log, category: str, action: str, tenant: Tenant | None = None, **more: object
) -> None:
    principal = service(tenant or log.tenant)
    async with log.db.transaction(principal) as tx:
        await audit.record(tx, principal, category=category, action=action, **more)  # pyright: ignore[reportArgumentType]


async def catch_up(log: Log, *, keep: int = 1000) -> None:
    """What the worker's chores do."""
    await log.seal()
    while await audit.index(log.db, batch=7, keep=keep):
        pass
    while await knowledge.embed_backlog(log.db, EMBEDDER):
        pass


async def evidence(log: Log, source_type: str, content: str, tenant: Tenant | None = None) -> UUID:
    principal = service(tenant or log.tenant)
    async with log.db.transaction(principal) as tx:
        return await tx.value(
            "insert into public.evidence_embeddings (source_type, content) values ($1, $2) returning id",
            source_type,
            content,
        )


async def found(log: Log, question: str, tenant: Tenant | None = None, **how: object) -> list[Found]:
    principal = service(tenant or log.tenant)
    return await history.search(log.db, principal, question, embedder=EMBEDDER, **how)  # pyright: ignore[reportArgumentType]


async def documents(log: Log) -> list[tuple[UUID, int]]:
    """Rows that can be searched for; and that the index of the search has the same ones."""
    rows = await log.admin.fetch("select id, tenant_id, audit_id from stead.audit_documents order by 3")
    indexed = await log.admin.fetch(
        "select owner_id from stead.search_docs where kind = 'audit' order by owner_id"
    )
    assert sorted(row["id"] for row in rows) == [row["owner_id"] for row in indexed]
    return [(row["tenant_id"], row["audit_id"]) for row in rows]


async def test_words_and_meaning_find_rows_and_evidence(log: Log) -> None:
    await record(log, "governance", "refused", subject_type="refund", payload={"amount": 900})
    await record(log, "memory", "forget", subject_type="profile")
    await record(log, "jobs", "cancelled", subject_type="article")
    output = await evidence(
        log, "tool_output", "The card was charged twice, the customer wants money back."
    )
    await evidence(log, "proposal", "Send the newsletter on Tuesday morning.")
    await catch_up(log)

    first, *_ = await found(log, "refused refund")
    assert (first.kind, first.title) == ("audit", "governance.refused of refund")
    assert first.details["payload"] == {"amount": 900}
    assert first.lexical is not None
    assert first.dense is not None
    # No word in common: by meaning.
    (best, *_) = await found(log, "a double payment to give back", kinds=["tool_output", "proposal"])
    assert (best.kind, best.id) == ("tool_output", str(output))
    assert {each.kind for each in await found(log, "newsletter refund money")} == {
        "audit",
        "tool_output",
        "proposal",
    }
    assert {each.kind for each in await found(log, "newsletter", kinds=["audit"])} <= {"audit"}
    assert len(await found(log, "newsletter refund money", limit=1)) == 1


async def test_a_tenant_finds_its_own(log: Log) -> None:
    await record(log, "governance", "refused", log.other, subject_type="refund")
    await evidence(log, "tool_output", "refund refused", log.other)
    await catch_up(log)
    assert await found(log, "refund refused") == []
    assert len(await found(log, "refund refused", log.other)) == 2


async def test_people_search_nothing(log: Log) -> None:
    ann = await make_person(log.db, log.tenant)
    await record(log, "governance", "refused", subject_type="refund", subject_profile_id=ann.id)
    await evidence(log, "tool_output", "refund refused")
    await catch_up(log)
    found_by_ann = await history.search(
        log.db, ann.principal.served(), "refund refused", embedder=EMBEDDER
    )
    assert found_by_ann == []


async def test_what_is_not_sealed_waits(log: Log) -> None:
    await log.write(3)
    assert await audit.index(log.db) == 0
    await log.seal()
    assert await audit.index(log.db, batch=2) == 2
    assert await audit.index(log.db, batch=2) == 1
    assert await audit.index(log.db, batch=2) == 0
    assert [n for _, n in await documents(log)] == [1, 2, 3]


async def test_rows_that_commit_late_are_searched_too(log: Log) -> None:
    principal = service(log.tenant)
    async with log.db.transaction(principal) as late:
        await audit.record(late, principal, category="late", action="commit")
        await asyncio.create_task(_write_and_seal(log))
    await catch_up(log)
    assert [n for _, n in await documents(log)] == [1, 2, 3, 4]


async def _write_and_seal(log: Log) -> None:
    in_transaction.set(False)
    await log.write(3)
    await audit.seal(log.db)
    await audit.index(log.db)


async def test_only_the_newest_are_kept(log: Log) -> None:
    await log.write(5)
    await log.write(4, log.other)
    await catch_up(log, keep=6)
    assert len(await documents(log)) == 9
    await log.write(3)  # 10 to 12
    await catch_up(log, keep=6)
    mine = [n for tenant, n in await documents(log) if tenant == log.tenant.id]
    assert mine == [3, 4, 5, 10, 11, 12]
    # More at once than are kept: the others are passed over.
    await log.write(40)
    await catch_up(log, keep=6)
    mine = [n for tenant, n in await documents(log) if tenant == log.tenant.id]
    assert mine == [47, 48, 49, 50, 51, 52]
    counted = await log.admin.fetchval(
        "select documents from stead.audit_indexing where tenant_id = $1", log.tenant.id
    )
    assert counted == 6
    assert [n for tenant, n in await documents(log) if tenant == log.other.id] == [6, 7, 8, 9]


async def test_a_row_that_somebody_deleted_stops_nothing(log: Log) -> None:
    await log.write(5)
    await log.seal()
    await log.admin.execute("delete from public.audit_log where id = 3")
    await catch_up(log)
    assert [n for _, n in await documents(log)] == [1, 2, 4, 5]


async def test_erased_texts_are_found_no_more(log: Log) -> None:
    ann = await make_person(log.db, log.tenant)
    await record(
        log,
        "approval",
        "rejected",
        subject_profile_id=ann.id,
        erasable={"reason": "the xylophone was never delivered"},
    )
    await catch_up(log)
    (row,) = await found(log, "xylophone", kinds=["audit"])
    assert row.content == "the xylophone was never delivered"
    await forgetting.forget_all(log.db, ann.principal, "profile", ann.id)
    await catch_up(log)
    assert all(each.lexical is None for each in await found(log, "xylophone", kinds=["audit"]))
    assert "xylophone" not in await log.pg_dump()
    (row, *_) = await found(log, "approval rejected", kinds=["audit"])
    assert (row.title, row.content) == ("approval.rejected", None)
    await documents(log)


async def test_two_indexers_index_once(log: Log) -> None:
    await log.write(30)
    await log.seal()
    for _ in range(10):
        await asyncio.gather(*(audit.index(log.db, batch=5) for _ in range(4)))
    assert [n for _, n in await documents(log)] == list(range(1, 31))


async def test_documents_are_read_by_the_service_of_their_tenant(log: Log) -> None:
    ann = await make_person(log.db, log.tenant)
    await log.write(1)
    await catch_up(log)
    ids = [row["id"] for row in await log.admin.fetch("select id from stead.audit_documents")]
    for principal, seen in (
        (service(log.tenant), 1),
        (ann.principal.served(), 0),
        (service(log.other), 0),
    ):
        async with log.db.transaction(principal, read_only=True) as tx:
            assert len(await audit.of_documents(tx, service(log.tenant), ids)) == seen
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with log.db.transaction(ann.principal, read_only=True) as tx:
            await audit.of_documents(tx, service(log.tenant), ids)


@pytest.mark.parametrize("question", ["", "   ", "\U0001f3bb", "'; drop table x; --", "a" * 5000])
async def test_any_question_is_answered(log: Log, question: str) -> None:
    await log.write(2)
    await catch_up(log)
    assert isinstance(await found(log, question), list)
