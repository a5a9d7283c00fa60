"""Whether what is recalled helps: what was found and given, what answers used of it, and what people thought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from stead.db import Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.errors import EvaluationInvalid

Bucket = Literal["day", "week", "total"]

MAX_ROWS: Final = 10_000
_BUCKETS: Final = get_args(Bucket)


@dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """The answers of one agent with one embedder, by the time of their recall.

    Args:
        bucket: Where the day or the week (from Monday) begins, in UTC; of a total, where it was asked from.
        embedder: None where it was not noted.
        recalls: How many there were: one a run.
        found: Memories of one recall, on average; ``injected``: those of them that were given to the model.
        context_tokens: What those took, on average; estimated.
        judged: Runs that were given something and completed, so that its use could be looked at.
        hit_rate: Of all memories that those were given, the share that the answer used (see `usage`); None: none
            was judged.
        used_share: The share of those runs that used anything.
        up: Answers rated up, whenever that was; ``down``: likewise.
        recall_p50_ms: Median time of a recall; ``recall_p95_ms``: what one in twenty took longer than.
    """

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


async def report(
    tx: Transaction,
    principal: Principal,
    *,
    since: datetime,
    until: datetime | None = None,
    bucket: Bucket = "day",
    agent: str | None = None,
    limit: int = 1000,
) -> list[EvaluationRow]:
    """Recalls by time, agent and embedder, the latest first: for a service its tenant's, for a person their own.

    Args:
        tx: A transaction.
        principal: Whose tenant it is.
        since: Recalls from then on.
        until: Recalls before; None: now.
        bucket: ``day``, ``week`` or ``total``.
        agent: Only of this one, by its name in the log, which is its slug.
        limit: How many rows at most.

    Raises:
        EvaluationInvalid: There is no such bucket, or the time ends before it begins.
    """
    if bucket not in _BUCKETS:
        raise EvaluationInvalid(f"{bucket!r} is no bucket", hint=", ".join(_BUCKETS))
    end = until or datetime.now(UTC)
    if until is not None and until <= since:
        raise EvaluationInvalid(
            "until: is not later than since", hint="Let it be later, or leave it out."
        )
    rows = await queries.evaluate(
        tx, principal.tenant.id, since, end, bucket, agent, min(limit, MAX_ROWS)
    )
    return [EvaluationRow(**dict(row)) for row in rows]
