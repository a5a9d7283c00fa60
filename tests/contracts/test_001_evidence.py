"""Document 001: evidence_embeddings, its bucket, and the jobs that recur."""

from __future__ import annotations

import asyncpg

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.assembly.standing import standing_schedules
from stead.evidence.store import BUCKET
from tests.contracts import columns
from tests.support.servers import running_server

EVIDENCE = {
    "id": "uuid",
    "tenant_id": "uuid",
    "source_type": "text",
    "source_id": "uuid",
    "content": "text",
    "metadata": "jsonb",
    "created_at": "timestamp with time zone",
}


async def test_evidence_embeddings(catalogue: asyncpg.Connection) -> None:
    assert EVIDENCE.items() <= (await columns.types(catalogue, "public.evidence_embeddings")).items()
    assert (await columns.defaults(catalogue, "public.evidence_embeddings"))["created_at"] == "now()"
    # `embedding` is a column that PostgREST computes.
    assert await catalogue.fetchval(
        "select to_regprocedure('public.embedding(public.evidence_embeddings)')"
    )
    index = await catalogue.fetchval(
        "select pg_get_indexdef('public.evidence_embeddings_tenant_idx'::regclass)"
    )
    assert index.endswith("(tenant_id)")


def test_the_bucket() -> None:
    assert BUCKET == "evidence-artifacts"


async def test_recurring_jobs(access: DatabaseAccess) -> None:
    """Trickle refresh (every 30 to 60 minutes), drift monitor (nightly or hourly), embedding re-indexer."""
    async with running_server(access, Stead()) as server:
        standing = {each.name: each.cron for each in standing_schedules(server.parts)}
    assert standing.keys() == {
        "catalog-drift", "catalog-refresh", "embedding-reindex", "memory-curation", "session-reaping",
    }  # fmt: skip
    # Looked at every minute: each toolkit is asked half an hour to an hour after it was asked last.
    assert (standing["catalog-refresh"], standing["catalog-drift"]) == ("* * * * *", "40 3 * * *")
