"""Memory as the tools of a run ask it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from stead import knowledge, memory
from stead.agents.opening import Begun
from stead.db import Database
from stead.memory import Recalled
from stead.memory.recall import MAX_QUESTION_CHARS
from stead.providers.embedders import Embedder

_MOST: Final = 8


class MemorySearch:
    """Recall for one run, as whoever the run is for.

    Args:
        db: The database.
        embedder: For questions.
        begun: The run; what is found is noted in it.
    """

    def __init__(self, db: Database, embedder: Embedder, begun: Begun) -> None:
        self._db = db
        self._embedder = embedder
        self._begun = begun

    async def __call__(self, question: str) -> Sequence[Recalled]:
        """What is remembered for a question, best first."""
        begun, began = self._begun, time.monotonic()
        question = question[:MAX_QUESTION_CHARS]
        session, principal = begun.session, begun.principal
        scope_id = session.profile_id or session.id
        vector = await knowledge.embed_question(self._embedder, question)
        async with self._db.transaction(principal.served()) as tx:
            asked = await memory.read_question(tx, scope_id, question, vector=vector)
            found = await memory.recall(
                tx, scope_id, asked, embedder=self._embedder, agent_id=begun.agent.id, limit=_MOST
            )
            await memory.note(
                tx,
                principal,
                session_id=session.id,
                profile_id=session.profile_id,
                run_id=begun.run_id,
                agent_name=begun.agent.slug,
                found=found,
                injected=found,
                embedder=self._embedder,
                started_at=began,
            )
        begun.looked_up.extend(found)
        return found
