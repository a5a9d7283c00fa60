"""Comparing new facts with those that are known: the same again, a contradiction, or something new.

Deterministic: words decide, vectors only bring what is worth comparing. "I live in Porto" and "I live in Lisbon"
have nearly the same vector and are no duplicates; "I like tea" and "I don't like tea" are none either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from stead.memory.facts.echoes import is_echo
from stead.memory.facts.topics import contradicts, topic_of
from stead.memory.facts.words import content_words

#: A correction that names no topic takes back the most similar fact, if it is as similar as this.
_CORRECTED: Final = 0.6
#: Below this, a statement is too uncertain to end another ("maybe I'll move to Porto").
_CERTAIN: Final = 0.6


class _New(Protocol):
    @property
    def content(self) -> str: ...
    @property
    def topic(self) -> str | None: ...
    @property
    def correction(self) -> bool: ...
    @property
    def supersedes(self) -> UUID | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def message_ids(self) -> Sequence[UUID]: ...


N = TypeVar("N", bound=_New)


@dataclass(frozen=True, kw_only=True)
class Known:
    """A live fact that may have to do with the new one at position ``n`` (from 0)."""

    n: int
    id: UUID
    content: str
    topic: str | None
    happened_at: datetime
    similarity: float | None


@dataclass(frozen=True, kw_only=True)
class Reinforcement:
    """A fact that was said again."""

    id: UUID
    confidence: float
    message_ids: Sequence[UUID]


@dataclass(frozen=True, kw_only=True)
class Settled(Generic[N]):
    """What is to be done with new facts.

    Args:
        new: To be stored, with their ids.
        reinforced: What was known already.
        superseded: What ends, what takes its place, and when. Also among the new ones: of two values in one
            message the later holds.
    """

    new: list[tuple[UUID, N]]
    reinforced: list[Reinforcement]
    superseded: list[tuple[UUID, UUID, datetime]]


def settle(facts: Sequence[tuple[UUID, N]], known: Sequence[Known]) -> Settled[N]:
    """Decides for each new fact, in their order.

    A fact of an earlier time than the one that holds (an import) is stored as what held before it.

    Args:
        facts: New ones with their ids.
        known: Live ones of the same scope, by topic, by likeness or by name.
    """
    new: list[tuple[UUID, N]] = []
    reinforced: list[Reinforcement] = []
    ended: dict[UUID, tuple[UUID, datetime]] = {}
    for n, (fact_id, fact) in enumerate(facts):
        old = [k for k in known if k.n == n and k.id not in ended]
        old += [
            Known(
                n=n, id=i, content=f.content, topic=f.topic, happened_at=f.happened_at, similarity=None
            )
            for i, f in new
            if i not in ended
        ]
        same = next((k for k in old if same_statement(fact.content, k.content)), None)
        if same is not None:
            if any(same.id == k.id for k in known):
                reinforced.append(
                    Reinforcement(id=same.id, confidence=fact.confidence, message_ids=fact.message_ids)
                )
            continue
        new.append((fact_id, fact))
        for contradicted in _contradicted(fact, old):
            if contradicted.happened_at <= fact.happened_at:
                ended[contradicted.id] = (fact_id, fact.happened_at)
            elif fact_id not in ended:
                ended[fact_id] = (contradicted.id, contradicted.happened_at)
    return Settled(
        new=new, reinforced=reinforced, superseded=[(k, by, at) for k, (by, at) in ended.items()]
    )


def _excludes(later: str, earlier: str) -> bool:
    """Whether two statements on one topic cannot both hold. "I no longer live in Porto" does not end "I live in
    Lisbon"; where the rules do not know a value, two statements are two values."""
    one, other = topic_of(later), topic_of(earlier)
    if one is None or other is None or one.key != other.key:
        return True
    return contradicts(one, other)


def same_statement(one: str, known: str) -> bool:
    """Whether ``one`` says nothing beyond ``known``: its words, in their order. "Ann owes Bo 10" is not "Bo owes
    Ann 10"."""
    if not is_echo(one, [known]):
        return False
    said, there = content_words(one), content_words(known)
    common = set(said) & set(there)
    return [w for w in said if w in common] == [w for w in there if w in common]


def _contradicted(fact: _New, old: Sequence[Known]) -> list[Known]:
    """What can hold no longer once this does."""
    named = [k for k in old if k.id == fact.supersedes]
    if named or fact.confidence < _CERTAIN:
        return named
    if fact.topic is not None:
        same_topic = [k for k in old if k.topic == fact.topic]
        if same_topic:
            return [k for k in same_topic if _excludes(fact.content, k.content)]
    if fact.correction:
        near = [k for k in old if k.similarity is not None and k.similarity >= _CORRECTED]
        return sorted(near, key=lambda k: k.similarity or 0, reverse=True)[:1]
    return []
