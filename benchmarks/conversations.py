"""Conversations with questions (JSONL, see docs/reference/benchmarks.md), and how they become memories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from uuid import UUID

from stead import memory, sessions
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal, Tenant, queries, tenant_service
from stead.providers.embedders import Embedder


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    id: str
    session: str
    at: datetime
    speaker: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question, and the ids of the messages that answer it."""

    text: str
    at: datetime | None
    evidence: frozenset[str]
    category: str


@dataclass(kw_only=True)
class Scope:
    """One person's conversations, and what is asked about them."""

    name: str
    messages: list[Message] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)


def load(path: Path) -> list[Scope]:
    """Reads a data set; unknown fields are ignored."""
    scopes: dict[str, Scope] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        row = json.loads(line)
        scope = scopes.setdefault(row["scope"], Scope(name=row["scope"]))
        if row["type"] == "message":
            scope.messages.append(
                Message(
                    id=row["id"],
                    session=row["session"],
                    at=datetime.fromisoformat(row["at"]),
                    speaker=row["speaker"],
                    text=row["text"],
                )
            )
        elif row["evidence"]:
            scope.queries.append(
                Query(
                    text=row["text"],
                    at=datetime.fromisoformat(row["at"]) if row.get("at") else None,
                    evidence=frozenset(row["evidence"]),
                    category=str(row["category"]),
                )
            )
    return list(scopes.values())


async def store(db: Database, embedder: Embedder, tenant: Tenant, scope: Scope) -> UUID:
    """Makes a person of a scope and remembers every turn, session by session; returns the person."""
    profile_id = new_id()
    async with db.transaction(tenant_service(tenant)) as tx:
        await queries.insert_profile(tx, tenant.id, profile_id, scope.name, None)
    principal = Principal(
        kind="user", tenant=tenant, role="authenticated", profile_id=profile_id, credential="benchmark"
    ).served()
    for _, group in groupby(scope.messages, key=lambda message: message.session):
        await _store_session(db, embedder, principal, profile_id, list(group))
    return profile_id


async def _store_session(
    db: Database,
    embedder: Embedder,
    principal: Principal,
    profile_id: UUID,
    messages: Sequence[Message],
) -> None:
    async with db.transaction(principal) as tx:
        session, _ = await sessions.open_session(tx, principal)
    prepared = await memory.prepare(
        embedder,
        [
            memory.NewMemory(
                content=message.text,
                kind="turn",
                source="import",
                speaker=message.speaker,
                happened_at=message.at,
                place=sessions.place_of(session.number, seq),
                metadata={"message_id": message.id},
            )
            for seq, message in enumerate(messages, 1)
            if message.text.strip()
        ],
    )
    async with db.transaction(principal) as tx:
        await memory.remember(
            tx,
            principal,
            session_id=session.id,
            profile_id=profile_id,
            memories=prepared,
            embedder=embedder,
        )
