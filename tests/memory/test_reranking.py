"""What a search found, read once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from stead.core.ids import new_id
from stead.memory import Memory, Recalled, Scores, reranking

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)


class Shortest:
    """A reranker for which the shorter text answers better."""

    model_id = "test/shortest"

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:  # noqa: ARG002
        return [-float(len(text)) for text in texts]

    async def aclose(self) -> None:
        return


def found(*contents: str) -> list[Recalled]:
    return [
        Recalled(
            memory=Memory(
                id=new_id(), kind="fact", source="api", speaker=None, content=content, metadata={},
                importance=0.5, confidence=1, topic=None, message_ids=[], happened_at=AT, event_from=None,
                event_to=None, valid_from=AT, valid_to=None, superseded_by=None, recall_count=0,
                used_count=0, archived_at=None, profile_id=new_id(), session_id=None, agent_id=None,
                created_at=AT,
            ),
            score=1 - n / 10,
            scores=Scores(dense=0.5),
        )
        for n, content in enumerate(contents)
    ]  # fmt: skip


async def test_the_order_is_the_rerankers() -> None:
    ordered = await reranking.rerank(
        Shortest(), "?", found("Long words here.", "Short.", "Middling.", "Tiny."), limit=3
    )
    assert [r.memory.content for r in ordered] == ["Tiny.", "Short.", "Middling."]
    assert [r.scores.reranked for r in ordered] == [-5, -6, -9]
    assert all(r.scores.dense == 0.5 for r in ordered)


async def test_equals_keep_their_order() -> None:
    ordered = await reranking.rerank(Shortest(), "?", found("One.", "Two.", "Six."), limit=5)
    assert [r.memory.content for r in ordered] == ["One.", "Two.", "Six."]


@pytest.mark.parametrize(("wanted", "read"), [(1, 4), (12, 48), (20, 60), (60, 60), (100, 100)])
def test_there_is_something_to_choose_from(wanted: int, read: int) -> None:
    assert reranking.to_read(wanted) == read
