"""Comparing agents for somebody: what is known of them, who comes into question, how well each fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from stead import memory, sessions
from stead.apps.marketplace import catalogue, queries
from stead.apps.marketplace.errors import CandidatesUnknown
from stead.apps.marketplace.models import Ranked, Wish
from stead.apps.marketplace.scoring import Asked, Factor, Facts, score
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory import Recalled
from stead.providers.embedders import Embedder
from stead.sessions import Contact, Session, SessionEnded

#: Who is scored: the nearest to the goal. Beyond them nobody would come among the first.
_POOL: Final = 100
_MEMORIES: Final = 8
_MAX_MEMORY_CHARS: Final = 400


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of whoever compares.

    Args:
        session: The session that goes on; None: a new one is made.
        profile_id: The person, if somebody is known.
        industries: Where they are at home.
        memories: What is remembered of them and bears on the goal.
    """

    session: Session | None
    profile_id: UUID | None
    industries: Sequence[str] = ()
    memories: Sequence[Recalled] = ()

    @property
    def text(self) -> str:
        """What is remembered, as one question to the catalogue."""
        return "\n".join(found.memory.content[:_MAX_MEMORY_CHARS] for found in self.memories)


async def know(
    tx: Transaction,
    principal: Principal,
    wish: Wish,
    *,
    session_id: UUID | None,
    embedder: Embedder,
    vector: Sequence[float] | None,
) -> Known:
    """Reads what is known of the caller, or of the person or session that the caller acts for.

    Args:
        tx: A transaction as the server.
        principal: Who compares.
        wish: What they look for.
        session_id: The session that is to go on; the holder of one goes on with that.
        embedder: The model whose vectors are searched.
        vector: The goal's embedding.

    Raises:
        SessionUnknown: The session is not the caller's.
        SessionEnded: It has ended.
    """
    if session_id is None and principal.kind == "anonymous":
        session_id = principal.session_id
    session = None if session_id is None else await sessions.get(tx, principal, session_id)
    if session is not None:
        _check_open(session)
    profile_id = principal.profile_id if session is None else session.profile_id
    scope_id = profile_id or (session.id if session else None)
    if scope_id is None:
        return Known(session=None, profile_id=None)
    found = await memory.recall(
        tx,
        scope_id,
        memory.Question(text=wish.goal, vector=vector),
        embedder=embedder,
        kinds=["fact", "summary"],
        limit=_MEMORIES,
    )
    industries = await queries.focus_of(tx, principal.tenant.id, profile_id) if profile_id else []
    return Known(
        session=session,
        profile_id=profile_id,
        industries=industries,
        # That the same was looked for before says nothing more of the person.
        memories=[one for one in found if one.score > 0 and one.memory.content != _looked_for(wish)],
    )


async def rank(
    tx: Transaction,
    principal: Principal,
    wish: Wish,
    known: Known,
    *,
    embedder: Embedder,
    vector: Sequence[float] | None,
    known_vector: Sequence[float] | None,
) -> list[Ranked]:
    """Candidates, the best first, each with the reasons for its score.

    Args:
        tx: A transaction as the server.
        principal: Who compares.
        wish: What they look for.
        known: What is known of them.
        embedder: The model whose vectors are searched.
        vector: The goal's embedding.
        known_vector: That of what is known.

    Raises:
        CandidatesUnknown: A named agent is not for hire, or no agent is of that description.
    """
    similar = await catalogue.search(tx, principal, wish.goal, embedder=embedder, vector=vector)
    liked: dict[UUID, float] | None = None
    if known.memories:
        near = await catalogue.search(tx, principal, known.text, embedder=embedder, vector=known_vector)
        liked = near.by_id
    named = list(dict.fromkeys(wish.agents))
    rows = await queries.candidates(
        tx,
        principal.tenant.id,
        wish.filters,
        named,
        known.profile_id,
        known.session.id if known.session else None,
        similar.ids,
        similar.scores,
        _POOL,
    )
    if missing := sorted(set(named) - {row["slug"] for row in rows}):
        raise CandidatesUnknown(
            f"not for hire here: {', '.join(missing)[:300]}", hint="GET /api/agents lists who is."
        )
    if not rows:
        raise CandidatesUnknown("no agent is of that description", hint="Ask with fewer filters.")
    asked = Asked(
        max_price=wish.max_price,
        pricing_model=wish.pricing_model,
        industries=known.industries,
        known=bool(known.memories) or any(row["runs"] or row["ups"] or row["downs"] for row in rows),
        memory_ids=tuple(one.memory.id for one in known.memories),
    )
    ranked = [_ranked(row, asked, wish, liked) for row in rows]
    ranked.sort(key=lambda one: (-one.fit_score, -(one.agent.rating or 0), one.agent.slug))
    return [replace(one, rank=n) for n, one in enumerate(ranked[: max(wish.limit, len(named))], 1)]


def _ranked(row: Row, asked: Asked, wish: Wish, liked: dict[UUID, float] | None) -> Ranked:
    agent = catalogue.as_listing(row)
    scored = score(
        Facts(
            similarity=row["score"],
            pricing_model=agent.pricing_model,
            base_rate=agent.base_rate,
            rating=agent.rating,
            experience_years=agent.experience_years,
            success_rate=agent.success_rate,
            industries=agent.industries,
            affinity=None if liked is None else liked.get(agent.id, 0.0),
            runs=row["runs"],
            ups=row["ups"],
            downs=row["downs"],
        ),
        asked,
        wish.weights,
    )
    return Ranked(
        agent=replace(agent, score=None),
        fit_score=scored.fit_score,
        rank=1,
        rationale=scored.rationale,
        factors=scored.factors,
    )


async def keep(
    tx: Transaction,
    principal: Principal,
    wish: Wish,
    known: Known,
    ranked: Sequence[Ranked],
    *,
    embedder: Embedder,
) -> Session:
    """Stores a comparison: its session, the candidates in the place of earlier ones, and that it was looked for.

    Args:
        tx: A transaction as the server.
        principal: Who compares.
        wish: What they look for.
        known: What was known of them.
        ranked: Who came out of it.
        embedder: Of memories.

    Raises:
        SessionUnknown, SessionEnded: The session is gone meanwhile.
        ContextTooLarge: The metadata is too large.
    """
    context: dict[str, Any] = {**wish.metadata, "goal": wish.goal, "filters": _filters(wish)}
    if known.session is None:
        session, _ = await sessions.open_session(tx, principal, context=context)
    else:
        _check_open(await sessions.lock(tx, principal, known.session.id))
        session = await sessions.update(
            tx, principal, known.session.id, contact=Contact(), context=context
        )
        await queries.delete_candidates(tx, principal.tenant.id, session.id)
    await queries.insert_candidates(
        tx,
        principal.tenant.id,
        session.id,
        [
            {
                "agent_id": str(one.agent.id),
                "fit_score": one.fit_score,
                "rank": one.rank,
                "rationale": one.rationale,
                "factors": [_plain(factor) for factor in one.factors],
            }
            for one in ranked
        ],
    )
    await memory.remember(
        tx,
        principal,
        session_id=session.id,
        profile_id=session.profile_id,
        memories=[
            memory.NewMemory(
                content=_looked_for(wish),
                source="comparison",
                speaker="user",
                happened_at=session.updated_at,
                metadata={"category": "comparison"},
            )
        ],
        embedder=embedder,
    )
    return session


async def kept(tx: Transaction, principal: Principal, session_id: UUID) -> list[Ranked]:
    """The candidates of a session, the best first.

    Raises:
        SessionUnknown: It is not the caller's.
    """
    await sessions.get(tx, principal, session_id)
    rows = await queries.candidates_of(tx, principal.tenant.id, session_id)
    return [
        Ranked(
            agent=catalogue.as_listing(row),
            fit_score=row["fit_score"],
            rank=row["rank"] or n,
            rationale=row["rationale"],
            factors=[_factor(factor) for factor in row["factors"]],
        )
        for n, row in enumerate(rows, 1)
    ]


def _looked_for(wish: Wish) -> str:
    # As an answer is remembered: forgotten, it goes out of the context too.
    return memory.context_statements({"goal": wish.goal})[0]


def _check_open(session: Session) -> None:
    if session.status != "in_progress":
        raise SessionEnded(f"the session is {session.status}", hint="Leave the session out.")


def _filters(wish: Wish) -> dict[str, Any]:
    filters = wish.filters
    said: dict[str, Any] = {
        "tags": list(filters.tags),
        "industries": list(filters.industries),
        "min_rating": filters.min_rating,
        "agents": list(wish.agents),
        "max_price": wish.max_price,
        "pricing_model": wish.pricing_model,
    }
    return {name: value for name, value in said.items() if value}


def _plain(factor: Factor) -> dict[str, Any]:
    return {**asdict(factor), "memory_ids": [str(memory_id) for memory_id in factor.memory_ids]}


def _factor(stored: dict[str, Any]) -> Factor:
    return Factor(
        name=str(stored.get("name", "")),
        weight=float(stored.get("weight", 0)),
        value=float(stored.get("value", 0)),
        points=float(stored.get("points", 0)),
        reason=str(stored.get("reason", "")),
        memory_ids=[UUID(text) for text in stored.get("memory_ids", [])],
    )
