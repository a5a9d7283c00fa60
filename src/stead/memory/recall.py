"""Finding what matters now."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from uuid import UUID

from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.models import Memory, MemoryKind, Recalled, Scores
from stead.memory.time_expressions import find_period
from stead.providers.embedders import Embedder

MAX_QUESTION_CHARS: Final = 4000
#: In scopes of more memories candidates are picked first, and only they are scored.
WHOLE_BELOW: Final = 600
#: How many characters are taken for a token of a model. English has about four.
CHARS_PER_TOKEN: Final = 4


@dataclass(frozen=True, kw_only=True)
class RecallWeights:
    """What each arm counts for, after division by its best score, and how far each factor reaches. Measured in
    `benchmarks.memory_recall`. In the order of the SQL function.

    Args:
        dense: Likeness of a memory to the question.
        dense_near: The same of a turn together with its neighbours.
        lexical: Words of the memory.
        lexical_near: Words of a turn and the one before it.
        lexical_wide: Words of a turn and two on each side.
        length: How much more (as a share) a very long memory counts than an empty one.
        asking: How much less (as a share) one counts that mostly asks.
        speaker: How much more one counts whose speaker the question names.
        period: How much more one counts that tells of the time that the question names.
        recency: How much more one counts that was said just now; falls to a half in 70 days.
        importance: How much more one counts per point of importance above 0.5.
        uselessness: How much less one counts that is always given and never used.
    """

    dense: float = 1.0
    dense_near: float = 0.5
    lexical: float = 0.6
    lexical_near: float = 0.6
    lexical_wide: float = 0.5
    length: float = 1.2
    asking: float = 0.2
    speaker: float = 0.3
    period: float = 0.5
    recency: float = 0.05
    importance: float = 0.2
    uselessness: float = 0.3


DEFAULT_WEIGHTS: Final = RecallWeights()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What memories are wanted for.

    Args:
        text: In words; only the first 4,000 characters count.
        vector: Its embedding, made before the transaction; None leaves the dense arms out.
        asked_at: The moment to which "yesterday" refers; None: now.
        period_from: Memories that tell of this time count more, and those that held only then count at all.
        period_to: The end of that time, exclusive.
        as_of: Only what held at that moment.
    """

    text: str
    vector: Sequence[float] | None = None
    asked_at: datetime | None = None
    period_from: datetime | None = None
    period_to: datetime | None = None
    as_of: datetime | None = None


_MEETING: Final = re.compile(r"\b(?:met|meet|know|knew|talk|talked|spoke|chatted)\b", re.IGNORECASE)


async def read_question(
    tx: Transaction,
    scope_id: UUID,
    text: str,
    *,
    vector: Sequence[float] | None,
    asked_at: datetime | None = None,
    as_of: datetime | None = None,
    zone: tzinfo = UTC,
) -> Question:
    """A question with the time that its words name ("last May", "before we met", "yesterday").

    Args:
        tx: A transaction as the server.
        scope_id: Whose memories are asked: "since we met" counts from the first of them.
        text: The question.
        vector: Its embedding.
        asked_at: What the words are relative to; None: now.
        as_of: Only what held at that moment.
        zone: Where days begin and end.
    """
    asked_at = asked_at or datetime.now(UTC)
    first_met = (
        await queries.first_met(tx, scope_id) if _MEETING.search(text[:MAX_QUESTION_CHARS]) else None
    )
    period = find_period(text, asked_at, first_met=first_met, zone=zone)
    # What is "still" so is what a search finds anyway.
    named = period is not None and (period.kind == "said" or period.end is not None)
    return Question(
        text=text,
        vector=vector,
        asked_at=asked_at,
        as_of=as_of,
        period_from=period.start if named and period else None,
        period_to=period.end if named and period else None,
    )


def recalled(row: Row) -> Recalled:
    """A row of the recall statement."""
    fields = dict(row)
    scores = {name: fields.pop(name) for name in Scores.__dataclass_fields__ if name in fields}
    return Recalled(score=fields.pop("score"), memory=Memory(**fields), scores=Scores(**scores))


async def recall(
    tx: Transaction,
    scope_id: UUID,
    question: Question,
    *,
    embedder: Embedder,
    agent_id: UUID | None = None,
    kinds: Sequence[MemoryKind] | None = None,
    limit: int = 12,
    max_tokens: int | None = None,
    weights: RecallWeights = DEFAULT_WEIGHTS,
    whole_below: int = WHOLE_BELOW,
) -> list[Recalled]:
    """Memories of one scope for a question, best first, in one round trip.

    When fewer match than are wanted, the latest fill up the list with a score of 0.

    Args:
        tx: A transaction as the server.
        scope_id: The person, or the session of somebody not known.
        question: What they are wanted for.
        embedder: The model whose vectors are searched.
        agent_id: Leaves out what other agents keep to themselves.
        kinds: Only these.
        limit: How many at most.
        max_tokens: Only as many of the best as fit, at four characters a token.
        weights: What each arm counts for.
        whole_below: In scopes of more memories only candidates are scored.

    Raises:
        asyncpg.InsufficientPrivilegeError: The scope is not the caller's.
    """
    rows = await queries.recall(
        tx,
        scope_id,
        agent_id,
        question.text[:MAX_QUESTION_CHARS],
        question.vector,
        embedder.model_id,
        embedder.dimensions,
        astuple(weights),
        limit,
        kinds,
        question.period_from,
        question.period_to,
        question.as_of,
        question.asked_at or datetime.now(UTC),
        whole_below,
    )
    found = [recalled(row) for row in rows]
    return found if max_tokens is None else within(found, max_tokens)


def within(found: Sequence[Recalled], max_tokens: int) -> list[Recalled]:
    """The best that fit a budget together; one that is too long makes room for shorter ones after it."""
    left = max_tokens * CHARS_PER_TOKEN
    chosen: list[Recalled] = []
    for item in found:
        if len(item.memory.content) <= left:
            chosen.append(item)
            left -= len(item.memory.content)
    return chosen


async def note_use(
    tx: Transaction,
    principal: Principal,
    *,
    session_id: UUID,
    profile_id: UUID | None,
    run_id: UUID,
    agent_name: str,
    injected: Sequence[UUID],
    used: Sequence[UUID],
    embedder: Embedder,
) -> float | None:
    """Logs what an answer made of the memories that it was given, and counts their use.

    Returns:
        The share that was used; None when nothing was given.
    """
    if not injected:
        return None
    rate = len(used) / len(injected)
    await queries.insert_log(
        tx,
        principal.tenant.id,
        profile_id,
        session_id,
        run_id,
        agent_name,
        "read",
        None,
        {
            "embedder": embedder.model_id,
            "injected": [str(i) for i in injected],
            "used": [str(i) for i in used],
            "hit_rate": round(rate, 4),
        },
    )
    if used:
        await queries.note_use(tx, used)
    return rate


async def note(
    tx: Transaction,
    principal: Principal,
    *,
    session_id: UUID,
    profile_id: UUID | None,
    run_id: UUID,
    agent_name: str,
    found: Sequence[Recalled],
    injected: Sequence[Recalled],
    embedder: Embedder,
    started_at: float,
) -> None:
    """Logs a recall: what was found and what was given to the model, by id and score.

    Args:
        started_at: ``time.monotonic()`` before the recall.
    """
    await queries.insert_log(
        tx,
        principal.tenant.id,
        profile_id,
        session_id,
        run_id,
        agent_name,
        "recall",
        None,
        {
            "embedder": embedder.model_id,
            "latency_ms": round((time.monotonic() - started_at) * 1000, 2),
            "found": [{"id": str(r.memory.id), "score": round(r.score, 4)} for r in found],
            "injected": [str(r.memory.id) for r in injected],
            "context_tokens": sum(len(r.memory.content) for r in injected) // CHARS_PER_TOKEN,
        },
    )
    if injected:
        await queries.note_recall(tx, [r.memory.id for r in injected])
