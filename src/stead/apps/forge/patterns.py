"""Patterns of applications that worked well before, for the prompts of the agents that design."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from stead import knowledge
from stead.apps.forge import queries
from stead.apps.forge.models import ForgeServices
from stead.core.errors import SteadError
from stead.jobs import JobContext

_log = structlog.stdlib.get_logger(__name__)
_EMBED_TIMEOUT_S: Final = 5.0
_MAX_METADATA_CHARS: Final = 4000


async def find_patterns(
    job: JobContext,
    services: ForgeServices,
    question: str,
    project_type: str | None,
    limit: int = 3,
) -> list[dict[str, Any]]:
    """Patterns of the tenant and the shared ones that fit an idea, best first, by words and by meaning.

    Args:
        job: In whose name is searched.
        services: The embedder.
        question: The idea.
        project_type: Only patterns of this kind; None: of any.
        limit: How many at most.
    """
    vector = None
    try:
        async with asyncio.timeout(_EMBED_TIMEOUT_S):
            vector = (await services.embedder.embed([question[:4000]]))[0]
    except (SteadError, TimeoutError):
        _log.warning("question_not_embedded", reason="patterns")
    # Not read-only: an embedder gets its number at its first search.
    async with job.transaction() as tx:
        hits = await knowledge.search(
            tx,
            "pattern",
            job.principal.tenant.id,
            question,
            embedder=services.embedder,
            vector=vector,
            limit=limit,
            facet=project_type,
            shared=True,
        )
        rows = {row["id"]: row for row in await queries.patterns(tx, [hit.owner_id for hit in hits])}
    found = [rows[hit.owner_id] for hit in hits if hit.owner_id in rows]
    return [
        {
            "project_type": row["project_type"],
            "pattern": str(row["metadata"] or {})[:_MAX_METADATA_CHARS],
            "success_score": row["success_score"],
        }
        for row in found
    ]
