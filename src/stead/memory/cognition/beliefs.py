"""Beliefs: statements whose confidence follows from the evidence for and against them.

The rule is Bayes' in odds form: the odds of a statement after some evidence are the odds before it times the
likelihood ratio of each piece. Its logarithm, the weight of evidence (I. J. Good, *Probability and the Weighing
of Evidence*, 1950), adds up::

    weight of one piece = ± weight · ln(reliability / (1 - reliability))       reliability 0.5 to 0.95
    confidence          = logistic(ln(prior / (1 - prior)) + sum of weights)   kept within 0.01 and 0.99

So a sum, not a last value, is what a belief is made of: the order in which evidence comes in makes no difference,
no single piece counts for more than a ratio of 19, and what is taken back leaves nothing behind. The pieces are
taken to be independent; evidence that repeats other evidence is to be given less weight.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from stead import knowledge
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal
from stead.memory.cognition.errors import BeliefInvalid, BeliefUnknown, EvidenceInvalid
from stead.memory.cognition.models import Belief, BeliefUpdate, Evidence, Holder
from stead.memory.cognition.queries import beliefs as queries
from stead.providers.embedders import Embedder

MAX_STATEMENT_CHARS: Final = 4000
MIN_CONFIDENCE: Final = 0.01
MAX_CONFIDENCE: Final = 0.99
#: Of a single source; its likelihood ratio is at most 19.
MAX_RELIABILITY: Final = 0.95
_KIND: Final = re.compile(r"[a-z_]{1,40}")


def _belief(row: Row | None) -> Belief:
    if row is None:
        raise BeliefUnknown("no belief with this id is yours")
    return Belief(**dict(row))


async def add(
    tx: Transaction,
    principal: Principal,
    statement: str,
    *,
    holder: Holder,
    prior: float = 0.5,
    metadata: dict[str, Any] | None = None,
) -> tuple[Belief, bool]:
    """A new belief, or the one that its holder has in these words (but for case and spaces).

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        statement: What is believed or doubted; at most 4,000 characters.
        holder: Whose it is.
        prior: Confidence before any evidence, 0.01 to 0.99; of a belief that is there it stays as it is.
        metadata: Anything else.

    Returns:
        The belief, and whether it is new.

    Raises:
        BeliefInvalid: The statement is empty or too long, or the prior out of bounds.
    """
    if not 1 <= len(statement.strip()) <= len(statement) <= MAX_STATEMENT_CHARS:
        raise BeliefInvalid(
            f"the statement has {len(statement)} characters",
            hint=f"1 to {MAX_STATEMENT_CHARS}, not all spaces.",
        )
    if not MIN_CONFIDENCE <= prior <= MAX_CONFIDENCE:
        raise BeliefInvalid(f"prior is {prior}", hint=f"{MIN_CONFIDENCE} to {MAX_CONFIDENCE}.")
    row = await queries.insert_belief(
        tx,
        new_id(),
        principal.tenant.id,
        holder.profile_id,
        holder.session_id,
        holder.agent_name,
        statement,
        prior,
        metadata or {},
    )
    if row is not None:
        return _belief(row), True
    scope_id = holder.profile_id or holder.session_id or principal.tenant.id
    found = await queries.belief_by_words(
        tx, principal.tenant.id, scope_id, holder.agent_name, statement
    )
    return _belief(found), False


async def get(tx: Transaction, principal: Principal, belief_id: UUID) -> Belief:
    """One belief.

    Raises:
        BeliefUnknown: There is none of this id, or it is somebody else's.
    """
    return _belief(await queries.belief_by_id(tx, principal.tenant.id, belief_id))


async def listing(
    tx: Transaction, principal: Principal, *, holder: Holder, at_least: float = 0.0, limit: int = 100
) -> list[Belief]:
    """The beliefs of a holder with some confidence, the surest first; of one agent where it names one."""
    scope_id = holder.profile_id or holder.session_id or principal.tenant.id
    rows = await queries.beliefs_of(
        tx, principal.tenant.id, scope_id, holder.agent_name, at_least, limit
    )
    return [_belief(row) for row in rows]


async def find(
    tx: Transaction,
    principal: Principal,
    question: str,
    *,
    holder: Holder,
    embedder: Embedder,
    vector: Sequence[float] | None,
    limit: int = 10,
) -> list[Belief]:
    """The beliefs of a holder that a question is about, best first.

    Args:
        vector: The question's embedding, made before the transaction; None searches by words only.
    """
    hits = await knowledge.search(
        tx,
        "belief",
        holder.profile_id or holder.session_id or principal.tenant.id,
        question,
        embedder=embedder,
        vector=vector,
        limit=limit,
        facet=holder.agent_name,
    )
    rows = await queries.beliefs_by_id(tx, principal.tenant.id, [hit.owner_id for hit in hits])
    found = {row["id"]: _belief(row) for row in rows}
    return [found[hit.owner_id] for hit in hits if hit.owner_id in found]


async def weigh(
    tx: Transaction, principal: Principal, belief_id: UUID, evidence: Evidence
) -> tuple[Belief, bool]:
    """Lets a piece of evidence count for or against a belief.

    The belief is locked until the transaction ends: whoever weighs evidence for several takes them in the order
    of their ids.

    Args:
        tx: A transaction as the server.
        principal: Whose tenant it is.
        belief_id: The belief.
        evidence: What speaks for or against it.

    Returns:
        The belief afterwards, and whether the evidence is new to it. Evidence that counts already (by kind and
        id) changes nothing: to weigh it otherwise, retract it first.

    Raises:
        BeliefUnknown: There is none of this id, or it is somebody else's.
        EvidenceInvalid: A value is out of bounds.
    """
    _check(evidence)
    row = await queries.weigh_evidence(
        tx,
        principal.tenant.id,
        belief_id,
        new_id(),
        evidence.kind,
        evidence.id,
        evidence.direction,
        evidence.weight,
        evidence.reliability,
    )
    if row is not None:
        return _belief(row), True
    return await get(tx, principal, belief_id), False


async def retract(
    tx: Transaction, principal: Principal, belief_id: UUID, kind: str, evidence_id: UUID
) -> tuple[Belief, bool]:
    """Takes a piece of evidence back: the belief is as if it had never been, and its history says both.

    Returns:
        The belief afterwards, and whether the evidence counted until now.

    Raises:
        BeliefUnknown: There is none of this id, or it is somebody else's.
    """
    row = await queries.retract_evidence(tx, principal.tenant.id, belief_id, kind, evidence_id)
    if row is not None:
        return _belief(row), True
    return await get(tx, principal, belief_id), False


async def recompute(tx: Transaction, principal: Principal, belief_id: UUID) -> Belief:
    """Sums a belief up anew from its history, which it agrees with unless somebody wrote past `weigh`.

    Raises:
        BeliefUnknown: There is none of this id, or it is somebody else's.
    """
    await queries.lock_beliefs(tx, principal.tenant.id, [belief_id])
    rows = await queries.recompute_beliefs(tx, principal.tenant.id, [belief_id])
    return _belief(rows[0] if rows else None)


async def history(
    tx: Transaction, principal: Principal, belief_id: UUID, *, limit: int = 100
) -> list[BeliefUpdate]:
    """The evidence that was weighed, latest first, with what was taken back."""
    rows = await queries.updates_of(tx, principal.tenant.id, belief_id, limit)
    return [BeliefUpdate(**dict(row)) for row in rows]


def _check(evidence: Evidence) -> None:
    if not _KIND.fullmatch(evidence.kind):
        raise EvidenceInvalid(
            f"{evidence.kind!r} is no kind of evidence",
            hint="1 to 40 lower-case letters and underscores.",
        )
    if evidence.direction not in {"supports", "contradicts"}:
        raise EvidenceInvalid(
            f"evidence that {evidence.direction!r} is none", hint="supports or contradicts"
        )
    if not (math.isfinite(evidence.weight) and 0 <= evidence.weight <= 1):
        raise EvidenceInvalid(f"weight is {evidence.weight}", hint="0 to 1.")
    if not (math.isfinite(evidence.reliability) and 0.5 <= evidence.reliability <= MAX_RELIABILITY):
        raise EvidenceInvalid(
            f"reliability is {evidence.reliability}",
            hint=f"0.5 to {MAX_RELIABILITY}; a source worse than a coin is one for the opposite.",
        )
