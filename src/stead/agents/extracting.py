"""Reading a finished conversation with a model, for what the rules did not see. Never in the way of a reply.

A run that ends puts itself into a backlog, in its last transaction. Here: claim, read, ask the model outside of
any transaction, store what it found and complete the claim in one. A worker that dies, or a model that fails,
leaves the claim to run out; two workers never store the same twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from stead import memory, sessions
from stead.agents import queries
from stead.agents.loading import EngineLoader
from stead.core.errors import SteadError
from stead.db import NOBODY, Database, Row
from stead.identity import Principal, Tenant, tenant_service
from stead.memory import NewMemory, Recalled
from stead.memory.extraction import (
    Extraction,
    ExtractionTurn,
    KnownFact,
    extract,
)
from stead.providers.embedders import Embedder
from stead.sessions import Message
from stead.traces import Origin

_log = structlog.stdlib.get_logger(__name__)
#: How far back a model reads to understand what was said last.
_TURNS: Final = 8
_KNOWN: Final = 24
_TRIES: Final = 5
_LEASE_S: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """What a model is given, and where it comes from.

    Args:
        messages: The last ones, in order; only the last of the person is new.
        known: Facts that hold and may have to do with it.
    """

    run: Row
    principal: Principal
    messages: Sequence[Message]
    known: Sequence[Recalled]


async def extract_next(
    db: Database, engine: EngineLoader, embedder: Embedder, model: str, *, lease_s: float = _LEASE_S
) -> int:
    """Reads the conversation of one run that waits; returns 0 when none does.

    Args:
        db: The database.
        engine: Models.
        embedder: For what is found.
        model: Who reads.
        lease_s: Seconds for which nobody else takes the run; longer with each try.
    """
    async with db.transaction(NOBODY) as tx:
        claim = await queries.claim_extraction(tx, lease_s, _TRIES)
    if claim is None:
        return 0
    principal = tenant_service(Tenant(id=claim["tenant_id"], slug=claim["tenant_slug"]))
    conversation = await _read(db, principal, claim["run_id"], embedder)
    try:
        found = await _ask(engine, model, conversation)
    except SteadError as error:
        # It is due again after its lease.
        _log.warning(
            "extraction_failed", run_id=str(claim["run_id"]), attempt=claim["attempt"], code=error.code
        )
        return 1
    new = await memory.prepare(embedder, _memories(conversation, found))
    async with db.transaction(principal) as tx:
        if not await queries.finish_extraction(tx, claim["run_id"], claim["ticket"]):
            return 1
        if conversation is not None:
            run = conversation.run
            await memory.remember(
                tx,
                principal,
                session_id=run["session_id"],
                profile_id=run["profile_id"],
                memories=new,
                embedder=embedder,
                run_id=run["id"],
                agent_name=run["agent_name"],
                details={"extraction": _costs(found)},
            )
    return 1


async def _read(
    db: Database, principal: Principal, run_id: UUID, embedder: Embedder
) -> Conversation | None:
    async with db.transaction(principal, read_only=True) as tx:
        run = await queries.run_by_id(tx, principal.tenant.id, run_id)
        if run is None or run["session_id"] is None or run["user_message_id"] is None:
            return None
        messages = await sessions.messages.latest(tx, principal, run["session_id"], limit=64)
    at = next((n for n, m in enumerate(messages) if m.id == run["user_message_id"]), None)
    if at is None:
        return None
    # With the answer: "yes" means what it affirms, and the person's next words are read when they are new.
    window = messages[max(0, at + 2 - _TURNS) : at + 2]
    said = sessions.text_of(messages[at].parts)
    if not said.strip() or said.startswith("/tool "):
        return None
    vector: Sequence[float] | None = None
    try:
        async with asyncio.timeout(5.0):
            vector = (await embedder.embed([said]))[0]
    except (SteadError, TimeoutError):
        _log.warning("question_not_embedded", reason="extraction")
    async with db.transaction(principal) as tx:
        known = await memory.recall(
            tx,
            run["profile_id"] or run["session_id"],
            memory.Question(text=said, vector=vector),
            embedder=embedder,
            kinds=("fact",),
            limit=_KNOWN,
        )
    return Conversation(run=run, principal=principal, messages=window, known=known)


async def _ask(engine: EngineLoader, model: str, conversation: Conversation | None) -> Extraction:
    if conversation is None:
        return Extraction()
    turns = [
        ExtractionTurn(
            speaker="user" if message.role == "user" else "assistant",
            text=sessions.text_of(message.parts),
            said_at=message.created_at,
        )
        for message in conversation.messages
    ]
    known = [KnownFact(text=k.memory.content, topic=k.memory.topic) for k in conversation.known]
    run = conversation.run
    origin = Origin(
        tenant_id=conversation.principal.tenant.id,
        tenant=conversation.principal.tenant.slug,
        session_id=run["session_id"],
        profile_id=run["profile_id"],
    )
    return await extract(partial((await engine.get()).complete, model, origin=origin), turns, known)


def _memories(conversation: Conversation | None, found: Extraction) -> list[NewMemory]:
    if conversation is None:
        return []
    new: list[NewMemory] = []
    for fact in found.facts:
        sources = [conversation.messages[i] for i in fact.turn_indices]
        memory_ = NewMemory(
            content=fact.text,
            kind="fact",
            speaker="user",
            happened_at=sources[-1].created_at,
            importance=fact.importance,
            confidence=fact.confidence,
            topic=fact.topic,
            message_ids=tuple(message.id for message in sources),
            metadata={"category": fact.category, "extracted_by": found.model},
        )
        if fact.supersedes is not None:
            memory_ = replace(memory_, supersedes=conversation.known[fact.supersedes].memory.id)
        days = [day for day in (fact.event_from, fact.event_to) if day is not None]
        if days:
            memory_ = replace(
                memory_,
                event_from=datetime.combine(days[0], time.min, UTC),
                event_to=datetime.combine(days[-1], time.max, UTC),
            )
        new.append(memory_)
    return new


def _costs(found: Extraction) -> dict[str, object]:
    return {
        "model": found.model,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "cost_usd": found.cost_usd,
        "facts": len(found.facts),
        "dropped": dict(found.dropped),
    }
