"""`MemorySpace`: the memory of one person, or of one session, as an object."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stead import memory
from stead.adapters.embedding import embed_question, embed_texts
from stead.adapters.people import find_tenant, person
from stead.core.clock import system_clock
from stead.db import Database, PoolConfig
from stead.identity import Principal
from stead.memory import Memory, MemoryKind, NewMemory, Question, Recalled, Remembered, records
from stead.memory.contents import check_content, check_metadata
from stead.memory.records import MemoryPage
from stead.memory.scopes import resolve
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder


class MemorySpace:
    """The memory of one person, or of a session while nobody is known.

    Each method is a transaction of its own (where several things have to commit together, use `stead.memory`), and
    embeds outside it. It holds nothing: make as many as you like, in as many processes as you like.

    Args:
        db: The database.
        principal: The person; the holder of a session; or a service, together with a session.
        embedder: The model of the vectors.
        session_id: The session that the memories come from.
    """

    def __init__(
        self,
        db: Database,
        principal: Principal,
        embedder: Embedder,
        *,
        session_id: UUID | None = None,
    ) -> None:
        self._db = db
        self._principal = principal.served()
        self._embedder = embedder
        self._session_id = session_id

    @property
    def principal(self) -> Principal:
        """Whose memory it is, as transactions know them."""
        return self._principal

    async def remember(
        self,
        *contents: str | NewMemory,
        metadata: dict[str, Any] | None = None,
        details: dict[str, Any] | None = None,
    ) -> Remembered:
        """Stores memories: all of them, or none.

        Args:
            contents: Texts, which are stored as facts said now, or memories.
            metadata: For the texts.
            details: Added to the log row. Never a text.

        Returns:
            What was new, what was known already, and what no longer holds.

        Raises:
            MemoryInvalid: One of them is empty or too long.
            MemoryOwnerUnknown: The person or session is gone, or not the caller's.
        """
        check_metadata(metadata or {})
        for n, content in enumerate(contents):
            check_content(content if isinstance(content, str) else content.content, f"contents[{n}]")
        said_at = system_clock.now()
        new = [
            c
            if isinstance(c, NewMemory)
            else NewMemory(content=c, happened_at=said_at, source="api", metadata=metadata or {})
            for c in contents
        ]
        missing = [m.content for m in new if m.vector is None]
        vectors = iter(await embed_texts(self._embedder, missing))
        new = [replace(m, vector=next(vectors)) if m.vector is None else m for m in new]
        async with self._db.transaction(self._principal) as tx:
            scope = await resolve(tx, self._principal, session_id=self._session_id)
            return await memory.remember(
                tx,
                self._principal,
                session_id=scope.session_id,
                profile_id=scope.profile_id,
                memories=new,
                embedder=self._embedder,
                details=details,
            )

    async def recall(
        self,
        question: str,
        *,
        limit: int = 12,
        kinds: Sequence[MemoryKind] | None = None,
        max_tokens: int | None = None,
        asked_at: datetime | None = None,
        as_of: datetime | None = None,
    ) -> builtins.list[Recalled]:
        """Memories for a question, best first; the latest fill up the list with a score of 0.

        Args:
            question: In words.
            limit: How many at most.
            kinds: Only these.
            max_tokens: Only as many of the best as fit.
            asked_at: The moment to which "yesterday" refers; None: now.
            as_of: Only what held at that moment.

        Raises:
            MemoryOwnerUnknown: The person or session is gone, or not the caller's.
        """
        vector = await embed_question(self._embedder, question)
        async with self._db.transaction(self._principal) as tx:
            scope = await resolve(tx, self._principal, session_id=self._session_id)
            return await memory.recall(
                tx,
                scope.id,
                Question(text=question, vector=vector, asked_at=asked_at, as_of=as_of),
                embedder=self._embedder,
                kinds=kinds,
                limit=limit,
                max_tokens=max_tokens,
            )

    async def get(self, memory_id: UUID) -> Memory:
        """One memory, whether it still holds or not.

        Raises:
            MemoryUnknown: There is none of this id here.
        """
        async with self._db.transaction(self._principal, read_only=True) as tx:
            return await records.get(tx, self._principal, memory_id)

    async def list(
        self,
        *,
        kinds: Sequence[MemoryKind] | None = None,
        include_superseded: bool = False,
        include_archived: bool = False,
        before: tuple[datetime, UUID] | None = None,
        limit: int = 50,
    ) -> MemoryPage:
        """Memories, newest first.

        Args:
            kinds: Only these.
            include_superseded: Also what holds no more.
            include_archived: Also what is searched no more.
            before: ``next_before`` of the page before.
            limit: How many at most.
        """
        async with self._db.transaction(self._principal, read_only=True) as tx:
            scope = await resolve(tx, self._principal, session_id=self._session_id)
            return await records.listing(
                tx,
                self._principal,
                scope_id=scope.id,
                kinds=kinds,
                include_superseded=include_superseded,
                include_archived=include_archived,
                before=before,
                limit=limit,
            )

    async def update(
        self,
        memory_id: UUID,
        *,
        content: str | None = None,
        metadata: dict[str, Any] | None = None,
        importance: float | None = None,
    ) -> Memory:
        """Corrects a memory. Another content makes a new one, which takes the place of the old; nothing is
        overwritten.

        Returns:
            The memory that holds now.

        Raises:
            MemoryUnknown: There is none of this id here.
            MemorySuperseded: It holds no more.
            MemoryInvalid: The content cannot be stored, or it is a turn, which is kept as it was said.
        """
        vector = (await embed_texts(self._embedder, [content]))[0] if content else None
        async with self._db.transaction(self._principal) as tx:
            return await records.update(
                tx,
                self._principal,
                memory_id,
                content=content,
                metadata=metadata,
                importance=importance,
                embedder=self._embedder,
                vector=vector,
            )

    async def delete(self, memory_id: UUID) -> int:
        """Deletes a memory with its older versions; returns how many rows are gone. Nothing of their text is left.

        Raises:
            MemoryUnknown: There is none of this id here.
        """
        async with self._db.transaction(self._principal) as tx:
            return await records.delete(tx, self._principal, memory_id)

    async def history(self, memory_id: UUID) -> builtins.list[Memory]:
        """All versions of a memory, oldest first.

        Raises:
            MemoryUnknown: There is none of this id here.
        """
        async with self._db.transaction(self._principal, read_only=True) as tx:
            return await records.history(tx, self._principal, memory_id)


@asynccontextmanager
async def open_space(
    database_url: str,
    *,
    tenant: str,
    profile: str,
    embedder: Embedder | str = "static",
    session_id: UUID | None = None,
) -> AsyncGenerator[MemorySpace]:
    """The memory of one person, over connections of its own, while the block runs.

    Args:
        database_url: The server's login (``stead_api``).
        tenant: Slug.
        profile: An email address, a profile's id, or the subject at an identity provider. Made at first sight.
        embedder: An embedder, or the name of one that needs no key.
        session_id: The session that the memories come from.

    Raises:
        DatabaseUnavailable: The database does not answer.
        TenantUnknown: There is no such tenant.
        EmbedderUnknown, EmbedderNotConfigured: The embedder cannot be had.
    """
    async with opened(database_url, embedder) as (db, model):
        owner = await person(db, await find_tenant(db, tenant), profile)
        yield MemorySpace(db, owner, model, session_id=session_id)


@asynccontextmanager
async def opened(
    database_url: str, embedder: Embedder | str
) -> AsyncGenerator[tuple[Database, Embedder]]:
    """A few connections and an embedder; what was made here is closed at the end."""
    model = build_embedder(embedder, EmbedderConfig()) if isinstance(embedder, str) else embedder
    try:
        db = await Database.open(PoolConfig(url=database_url, min_size=1, max_size=5))
        try:
            yield db, model
        finally:
            await db.close()
    finally:
        if isinstance(embedder, str):
            await model.aclose()
