"""A data set stored with one embedder, and the questions put to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias
from uuid import UUID

from stead import memory, sessions
from stead.agents.evaluating.dataset import Query, Scope, Turn
from stead.agents.evaluating.figures import Asked
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal, Tenant, profiles, tenant_service
from stead.memory import NewMemory, RecallWeights
from stead.providers.embedders import Embedder

#: Told what is done, how much of it and of how much.
Progress: TypeAlias = Callable[[str, int, int], None]
#: Where nobody receives mail.
_DOMAIN: Final = "eval.invalid"


def no_progress(what: str, done: int, of: int) -> None:
    """Nobody looks."""
    del what, done, of


class Trial:
    """Conversations remembered by the product's own write path, and recalled by its own read path.

    Args:
        db: The database.
        embedder: What makes the vectors, of turns and of questions.
        tenant: Made for this, and deleted by whoever made it.
        depth: How many memories a question gets at most.
        progress: Told of each scope.
    """

    def __init__(
        self,
        db: Database,
        embedder: Embedder,
        tenant: Tenant,
        *,
        depth: int,
        progress: Progress = no_progress,
    ) -> None:
        self.recall_ms: list[float] = []
        self.whole_ms: list[float] = []
        self._db = db
        self._embedder = embedder
        self._tenant = tenant
        self._depth = depth
        self._progress = progress
        self._people: dict[str, UUID] = {}
        self._vectors: dict[str, Sequence[float]] = {}

    async def fill(self, scopes: Sequence[Scope]) -> float:
        """Makes a person of each scope and remembers every turn; returns the seconds it took."""
        began = time.monotonic()
        for number, scope in enumerate(scopes, 1):
            self._people[scope.name] = await self._store(scope)
            self._progress("storing", number, len(scopes))
        return time.monotonic() - began

    async def ask(
        self, scopes: Sequence[Scope], weights: RecallWeights, *, embed_anew: bool = False
    ) -> Asked:
        """Puts every question and returns the ids of the turns found, best first.

        Times go to ``recall_ms`` (the recall itself) and ``whole_ms`` (with the embedding of the question, unless
        it is known, and the transaction), in milliseconds.

        Args:
            scopes: Whose questions.
            weights: What each arm of the search counts for.
            embed_anew: Embeds each question, whether it was embedded before or not.
        """
        asked: Asked = []
        for number, scope in enumerate(scopes, 1):
            person = self._people[scope.name]
            for query in scope.queries:
                if embed_anew:
                    self._vectors.pop(query.text, None)
                asked.append((query, await self._ask(person, query, weights)))
            self._progress("asking", number, len(scopes))
        return asked

    def forget_times(self) -> None:
        """Begins to measure again."""
        self.recall_ms.clear()
        self.whole_ms.clear()

    def _principal(self, person: UUID) -> Principal:
        return Principal(
            kind="user",
            tenant=self._tenant,
            role="authenticated",
            profile_id=person,
            credential="evaluation",
        ).served()

    async def _ask(self, person: UUID, query: Query, weights: RecallWeights) -> Sequence[str]:
        began = time.perf_counter()
        vector = self._vectors.get(query.text)
        if vector is None:
            vector = (await self._embedder.embed([query.text]))[0]
            self._vectors[query.text] = vector
        async with self._db.transaction(self._principal(person)) as tx:
            opened = time.perf_counter()
            found = await memory.recall(
                tx,
                person,
                await memory.read_question(tx, person, query.text, vector=vector, asked_at=query.at),
                embedder=self._embedder,
                limit=self._depth,
                weights=weights,
            )
            self.recall_ms.append((time.perf_counter() - opened) * 1000)
        self.whole_ms.append((time.perf_counter() - began) * 1000)
        return [item.memory.metadata["message_id"] for item in found]

    async def _store(self, scope: Scope) -> UUID:
        async with self._db.transaction(tenant_service(self._tenant)) as tx:
            person = await profiles.ensure_by_email(tx, self._tenant, f"{new_id().hex}@{_DOMAIN}")
        by_session: dict[str, list[Turn]] = {}
        for turn in scope.turns:
            by_session.setdefault(turn.session, []).append(turn)
        for turns in by_session.values():
            await self._store_session(person, turns)
        return person

    async def _store_session(self, person: UUID, turns: Sequence[Turn]) -> None:
        principal = self._principal(person)
        async with self._db.transaction(principal) as tx:
            session, _ = await sessions.open_session(tx, principal)
        new = [
            NewMemory(
                content=turn.text,
                kind="turn",
                source="import",
                speaker=turn.speaker,
                happened_at=turn.at,
                place=sessions.place_of(session.number, seq),
                metadata={"message_id": turn.id},
            )
            for seq, turn in enumerate(turns, 1)
            if turn.text.strip()
        ]
        if not new:
            return
        # Here, and not by the backlog: a worker that runs beside would take another embedder.
        vectors = await self._embedder.embed([item.content for item in new])
        async with self._db.transaction(principal) as tx:
            await memory.remember(
                tx,
                principal,
                session_id=session.id,
                profile_id=person,
                memories=[replace(m, vector=v) for m, v in zip(new, vectors, strict=True)],
                embedder=self._embedder,
            )
