"""`Mem0Memory`: mem0's asynchronous client on Stead's memory. mem0 itself is not needed.

What differs: a memory belongs to a person (``user_id``) or to a session of Stead's (``run_id``), and an agent or a
run alone has none; facts are found by rule in what a person says, and nothing else is; what contradicts takes the
place of what was known and does not overwrite it; what is deleted has no history any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any, Final
from uuid import UUID

from stead import sessions
from stead.adapters.errors import AdapterArgumentInvalid
from stead.adapters.mem0_filters import fits
from stead.adapters.mem0_shapes import (
    NAMES,
    Named,
    Said,
    Told,
    history_of,
    limit_in,
    messages_in,
    name_in,
    named,
    told,
    values_of,
)
from stead.adapters.people import of_profile
from stead.adapters.space import MemorySpace
from stead.core.clock import system_clock
from stead.core.ids import parse_id
from stead.db import Database
from stead.identity import Principal, profiles, tenant_service
from stead.memory import Memory, MemoryKind, NewMemory, Recalled, Remembered, find_facts
from stead.memory.contents import check_metadata
from stead.memory.errors import MemorySuperseded, MemoryUnknown
from stead.memory.recall import DEFAULT_WEIGHTS
from stead.providers.embedders import Embedder

_KINDS: Final[tuple[MemoryKind, ...]] = ("fact", "summary")
_PAGE: Final = 100
_MOST_CANDIDATES: Final = 3200
_UPDATE_TRIES: Final = 5
#: What a memory scores that is the best in every arm of the search.
_FULL_SCORE: Final = sum(astuple(DEFAULT_WEIGHTS)[:5])


class Mem0Memory:
    """Memories in mem0's words.

    Args:
        db: The database.
        principal: A service, which names people; or a person, who means themselves.
        embedder: The model of the vectors.
    """

    def __init__(self, db: Database, principal: Principal, embedder: Embedder) -> None:
        self._db = db
        self._principal = principal
        self._embedder = embedder

    async def add(
        self,
        messages: str | Mapping[str, Any] | list[Any],
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        infer: bool = True,
    ) -> Told:
        """Remembers what is in messages.

        Args:
            messages: A text, a message (``{"role", "content"}``) or several.
            user_id: The person; made at first sight.
            agent_id: Kept as metadata.
            run_id: A session of Stead's, or anything else: kept as metadata.
            metadata: Anything else.
            infer: True stores facts that a person states of themselves. False stores what people and assistants
                say, as it is. What systems and tools say is stored in neither case.

        Returns:
            ``{"results": […]}``: each memory with its event: ``ADD``, ``UPDATE`` (it took the place of
            ``previous_memory``) or ``NONE`` (it was known).

        Raises:
            AdapterArgumentInvalid: An argument does not fit.
            MemoryInvalid: Something is too long or too large.
        """
        said = messages_in(messages)
        whose = named(user_id, agent_id, run_id, None)
        check_metadata(metadata or {})
        kept = {k: v for k, v in (metadata or {}).items() if k not in NAMES}
        given = (whose.user_id, name_in("agent_id", agent_id), whose.run_id)
        kept |= {k: v for k, v in zip(NAMES, given, strict=True) if v is not None}
        new = list(_facts(said, kept) if infer else _as_said(said, kept))
        space = await self._space(whose, make=True)
        if space is None or not new:
            return {"results": []}
        return {"results": await self._events(space, await space.remember(*new), whose.user_id)}

    async def search(
        self,
        query: str,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        limit: int | None = None,
        top_k: int | None = None,
        filters: Mapping[str, Any] | None = None,
        threshold: float | None = None,
    ) -> Told:
        """Memories for a question, best first.

        Args:
            query: In words.
            user_id: The person; may stand in ``filters``, too.
            agent_id: Only what was added for this agent.
            run_id: Only what was added in this run.
            limit: How many at most; 20 when neither this nor ``top_k`` is given.
            top_k: The same.
            filters: What metadata have to be, with mem0's operators.
            threshold: Only what has at least this score, 0 to 1.

        Returns:
            ``{"results": […]}`` with ``score``.

        Raises:
            AdapterArgumentInvalid: An argument does not fit.
        """
        if not query.strip():
            raise AdapterArgumentInvalid("query: is empty")
        if threshold is not None and not 0 <= threshold <= 1:
            raise AdapterArgumentInvalid("threshold: is not between 0 and 1")
        wanted = limit_in(limit, top_k, 20)
        whose = named(user_id, agent_id, run_id, filters)
        space = await self._space(whose, make=False)
        if space is None or not wanted:
            return {"results": []}
        found = [
            told(item.memory, user_id=whose.user_id, score=_score(item))
            for item in await _recalled(space, query, whose, wanted)
        ]
        return {"results": [one for one in found if threshold is None or one["score"] >= threshold]}

    async def get(self, memory_id: str) -> Told | None:
        """One memory as it is now, also by the id of an earlier version; None where there is none."""
        asked = parse_id(memory_id)
        try:
            newest = None if asked is None else await self._newest(asked)
        except MemoryUnknown:
            return None
        return None if newest is None else told(newest, under=asked)

    async def get_all(
        self,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        limit: int | None = None,
        top_k: int | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> Told:
        """Memories that hold, newest first; arguments and result as of `search`, without a score. 100 of them
        when neither ``limit`` nor ``top_k`` is given.

        Raises:
            AdapterArgumentInvalid: An argument does not fit.
        """
        wanted = limit_in(limit, top_k, 100)
        whose = named(user_id, agent_id, run_id, filters)
        space = await self._space(whose, make=False)
        found: list[Told] = []
        before = None
        while space is not None and len(found) < wanted:
            page = await space.list(kinds=_KINDS, before=before, limit=_PAGE)
            found += [told(m, user_id=whose.user_id) for m in page.items if _meant(m, whose)]
            before = page.next_before
            if before is None:
                break
        return {"results": found[:wanted]}

    async def update(
        self,
        memory_id: str,
        data: str | None = None,
        *,
        text: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Told:
        """Corrects a memory. The old one stays as its history.

        Args:
            memory_id: The memory, or an earlier version of it.
            data: What it is to say.
            text: The same, as mem0 2 calls it.
            metadata: Members to set.

        Raises:
            AdapterArgumentInvalid: Nothing is to be changed.
            MemoryUnknown: There is no such memory.
            MemoryInvalid: The text cannot be stored.
        """
        content = text if text is not None else data
        if content is None and metadata is None:
            raise AdapterArgumentInvalid("text or metadata is missing")
        kept = {k: v for k, v in (metadata or {}).items() if k not in NAMES} or None
        asked = _id(memory_id)
        space = self._everything()
        for attempt in range(1, _UPDATE_TRIES + 1):
            newest = await self._newest(asked)
            try:
                await space.update(newest.id, content=content, metadata=kept)
                break
            except MemorySuperseded:
                # Somebody else was faster, just now: theirs is what is corrected.
                if attempt == _UPDATE_TRIES or newest.superseded_by is not None:
                    raise
        return {"message": "Memory updated successfully!"}

    async def delete(self, memory_id: str) -> Told:
        """Deletes a memory with all its versions.

        Raises:
            MemoryUnknown: There is no such memory.
        """
        await self._everything().delete((await self._newest(_id(memory_id))).id)
        return {"message": "Memory deleted successfully!"}

    async def delete_all(
        self, user_id: str | None = None, agent_id: str | None = None, run_id: str | None = None
    ) -> Told:
        """Deletes memories of a person or session, of every kind: also turns, and what holds no more.

        Broken off, it may be called again.

        Args:
            user_id: The person.
            agent_id: Only what was added for this agent.
            run_id: Only what was added in this run.

        Raises:
            AdapterArgumentInvalid: Neither a person nor a session is named.
        """
        whose = named(user_id, agent_id, run_id, None)
        space = await self._space(whose, make=False)
        before = None
        while space is not None:
            page = await space.list(
                include_superseded=True, include_archived=True, before=before, limit=_PAGE
            )
            for memory in page.items:
                if _meant(memory, whose):
                    await _delete(space, memory.id)
            before = page.next_before
            if before is None:
                break
        return {"message": "Memories deleted successfully!"}

    async def history(self, memory_id: str) -> list[Told]:
        """What a memory said over time, oldest first; empty where there is none."""
        asked = parse_id(memory_id)
        try:
            versions = [] if asked is None else await self._everything().history(asked)
        except MemoryUnknown:
            return []
        return history_of(versions, asked) if asked else []

    def _everything(self) -> MemorySpace:
        """Whatever the principal may see, by id."""
        return MemorySpace(self._db, self._principal, self._embedder)

    async def _newest(self, memory_id: UUID) -> Memory:
        space = self._everything()
        memory = await space.get(memory_id)
        if memory.superseded_by is None:
            return memory
        return (await space.history(memory_id))[-1]

    async def _space(self, whose: Named, *, make: bool) -> MemorySpace | None:
        """Whose memory is meant; None where there is nobody of that name yet."""
        person = await self._person(whose.user_id, make=make)
        if whose.user_id is not None and person is None:
            return None
        session_id = None if whose.run_id is None else parse_id(whose.run_id)
        principal = person or self._principal
        if session_id is not None and not await self._has_session(principal, session_id):
            session_id = None
        if principal.kind == "service" and session_id is None:
            raise AdapterArgumentInvalid(
                "user_id is missing",
                hint="A memory belongs to a person, or to a session of Stead's that run_id names.",
            )
        return MemorySpace(self._db, principal, self._embedder, session_id=session_id)

    async def _person(self, user_id: str | None, *, make: bool) -> Principal | None:
        mine = self._principal
        if mine.kind != "service":
            if user_id not in {None, str(mine.profile_id), mine.external_id}:
                raise AdapterArgumentInvalid("user_id: a person's memories are their own only")
            return mine
        if user_id is None:
            return None
        async with self._db.transaction(tenant_service(mine.tenant)) as tx:
            if make:
                profile = await profiles.ensure(tx, mine.tenant, user_id, None)
            else:
                profile = await profiles.find(tx, mine.tenant, user_id)
        return None if profile is None else of_profile(mine.tenant, profile.id)

    async def _has_session(self, principal: Principal, session_id: UUID) -> bool:
        async with self._db.transaction(principal.served(), read_only=True) as tx:
            try:
                session = await sessions.get(tx, principal, session_id)
            except sessions.SessionUnknown:
                return False
        return principal.profile_id in {None, session.profile_id}

    async def _events(self, space: MemorySpace, done: Remembered, user_id: str | None) -> list[Told]:
        before: dict[UUID, str] = {}
        for old_id in done.superseded:
            old = await space.get(old_id)
            if old.superseded_by is not None:
                before[old.superseded_by] = old.content
        results: list[Told] = []
        for memory_id in (*done.stored, *done.reinforced):
            one = told(await space.get(memory_id), user_id=user_id)
            if memory_id in before:
                one |= {"event": "UPDATE", "previous_memory": before[memory_id]}
            else:
                one["event"] = "ADD" if memory_id in done.stored else "NONE"
            results.append(one)
        return results


async def _recalled(space: MemorySpace, query: str, whose: Named, wanted: int) -> list[Recalled]:
    # Filters are looked at after the search: it is asked for more until enough of them fit.
    asked = max(_PAGE, 4 * wanted) if whose.filters else wanted
    while True:
        found = await space.recall(query, limit=asked, kinds=_KINDS)
        fitting = [item for item in found if _meant(item.memory, whose)]
        if len(fitting) >= wanted or len(found) < asked or asked >= _MOST_CANDIDATES:
            return fitting[:wanted]
        asked = min(4 * asked, _MOST_CANDIDATES)


async def _delete(space: MemorySpace, memory_id: UUID) -> None:
    try:
        await space.delete(memory_id)
    except MemoryUnknown:
        return  # it went with a later version of itself


def _meant(memory: Memory, whose: Named) -> bool:
    return fits(values_of(memory, whose.user_id), whose.filters)


def _score(item: Recalled) -> float:
    return round(min(item.score / _FULL_SCORE, 1.0), 4)


def _id(memory_id: str) -> UUID:
    found = parse_id(memory_id)
    if found is None:
        raise MemoryUnknown("no memory with this id is yours")
    return found


def _facts(said: Iterable[Said], metadata: Mapping[str, Any]) -> Iterable[NewMemory]:
    now = system_clock.now()
    for message in said:
        if message.role != "user":
            continue
        actor = {} if message.name is None else {"actor_id": message.name}
        for fact in find_facts(message.text, said_at=now):
            yield NewMemory(
                content=fact.text,
                happened_at=now,
                source="api",
                speaker="user",
                topic=fact.topic,
                correction=fact.correction,
                confidence=fact.confidence,
                importance=fact.importance,
                metadata={**metadata, **actor, "category": fact.category},
            )


def _as_said(said: Iterable[Said], metadata: Mapping[str, Any]) -> Iterable[NewMemory]:
    now = system_clock.now()
    for message in said:
        if message.role in {"user", "assistant"} and message.text.strip():
            actor = {} if message.name is None else {"actor_id": message.name}
            yield NewMemory(
                content=message.text,
                happened_at=now,
                source="api",
                speaker=message.role,
                metadata={**metadata, **actor, "role": message.role},
            )
