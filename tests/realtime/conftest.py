"""What the tests of live updates share: listeners, and people whose sessions change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal
from stead.realtime import Feed, Hub, Wanted
from stead.realtime.models import Change, Subscription
from tests.support.people import Person

PATIENCE_S = 20


@dataclass
class Listener:
    """Keeps what it is told."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    losses: int = 0
    subscription: Subscription | None = None
    _told: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, change: Change) -> None:
        self.changes.append(json.loads(change.data))
        self.tokens.append(change.position.token)
        self._notify()

    def lost(self) -> None:
        self.losses += 1
        self._notify()

    def _notify(self) -> None:
        async def tell() -> None:
            async with self._told:
                self._told.notify_all()

        task = asyncio.create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, predicate: Callable[[Listener], bool]) -> None:
        """Waits for what it is told."""
        async with asyncio.timeout(PATIENCE_S), self._told:
            await self._told.wait_for(lambda: predicate(self))

    async def has(self, count: int) -> list[dict[str, Any]]:
        """The changes, once there are so many."""
        await self.until(lambda one: len(one.changes) >= count)
        return self.changes

    @property
    def seen(self) -> list[tuple[str, str]]:
        """Event and id of each."""
        return [(c["type"], (c.get("record") or c["old_record"])["id"]) for c in self.changes]


Listen = Callable[..., Awaitable[Listener]]


@asynccontextmanager
async def opened_feed(access: DatabaseAccess, db: Database) -> AsyncIterator[Feed]:
    """A reader of its own, as one more server would have it."""
    hub = Hub(access.listen_url)
    await hub.start()
    found = Feed(db, hub)
    found.start()
    try:
        yield found
    finally:
        await found.stop()
        await hub.stop()


@pytest_asyncio.fixture
async def feed(access: DatabaseAccess, db: Database) -> AsyncIterator[Feed]:
    async with opened_feed(access, db) as found:
        yield found


async def listening(
    feed: Feed, who: Person | Principal, table: str = "sessions", **wanted: Any
) -> Listener:
    """Somebody who listens, from now on."""
    listener = Listener()
    principal = who.principal if isinstance(who, Person) else who
    listener.subscription = await feed.subscribe(principal, Wanted(table=table, **wanted), listener)
    return listener


class Sessions:
    """Sessions as a server's transaction changes them."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def add(self, person: Person, name: str | None = None, **more: Any) -> str:
        session = new_id()
        await self.connection.execute(
            "insert into public.sessions (id, tenant_id, profile_id, name, context) values ($1, $2, $3, $4, $5)",
            session,
            person.tenant.id,
            person.id,
            name,
            json.dumps(more),
        )
        return str(session)

    async def rename(self, session: str, name: str | None) -> None:
        await self.connection.execute(
            "update public.sessions set name = $2 where id = $1", UUID(session), name
        )

    async def remove(self, *sessions: str) -> None:
        await self.connection.execute(
            "delete from public.sessions where id = any ($1)", [UUID(s) for s in sessions]
        )


@pytest_asyncio.fixture
async def sessions(access: DatabaseAccess) -> AsyncIterator[Sessions]:
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    yield Sessions(connection)
    await connection.close()
