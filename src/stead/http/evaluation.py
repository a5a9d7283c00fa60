"""Evaluation (000): what was recalled, what answers used of it, and what people thought of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from stead.http.dependencies import ServiceCaller, needs_scope, parts_of
from stead.http.memory_bodies import Moment, Slug
from stead.http.routing import JsonRoute
from stead.memory import evaluation
from stead.memory.evaluation import MAX_ROWS, Bucket

router = APIRouter(route_class=JsonRoute, tags=["memories"], dependencies=[needs_scope("memories")])

_SINCE: Final = timedelta(days=30)


class EvaluationRowOut(BaseModel):
    """The answers of one agent with one embedder, by the time of their recall."""

    model_config = ConfigDict(from_attributes=True)

    bucket: datetime
    agent_name: str | None
    embedder: str | None
    recalls: int
    found: float | None
    injected: float | None
    context_tokens: float | None
    judged: int
    hit_rate: float | None
    used_share: float | None
    up: int
    down: int
    recall_p50_ms: float | None
    recall_p95_ms: float | None


class EvaluationOut(BaseModel):
    """Rows, the latest first, and what they cover."""

    since: datetime
    until: datetime
    rows: list[EvaluationRowOut]


@router.get("/agents/memories/evaluation", response_model=EvaluationOut)
async def evaluate_memories(
    request: Request,
    caller: ServiceCaller,
    since: Annotated[Moment | None, Query(description="30 days ago without it.")] = None,
    until: Annotated[Moment | None, Query(description="Now without it.")] = None,
    bucket: Bucket = "day",
    agent: Annotated[Slug | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 1000,
) -> EvaluationOut:
    """000: how recall served answers over time, by agent and by embedder."""
    end = until or datetime.now(UTC)
    begin = since or end - _SINCE
    async with parts_of(request).db.transaction(caller.served(), read_only=True) as tx:
        rows = await evaluation.report(
            tx, caller, since=begin, until=end, bucket=bucket, agent=agent, limit=limit
        )
    return EvaluationOut(
        since=begin, until=end, rows=[EvaluationRowOut.model_validate(row) for row in rows]
    )
