"""Message, run, memories and the end of the stream commit together, and no provider waits inside."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, TypeAlias

import asyncpg
import pytest

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig, assert_no_transaction
from tests.agents.vendors import messages_of, run_of, stored_text, vendor_of
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, Request, ToolCall
from tests.servers.wire import Connection
from tests.support.people import Person, make_person, make_tenant, open_session
from tests.support.servers import frames_of, running_server, say, text_of

Admin: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

#: Where each of the four is written, and which of its rows the last transaction writes.
LAST_WRITES = {
    "public.messages": "new.role = 'assistant'",
    "public.agent_runs": "new.status = 'completed'",
    "public.agent_memories": "true",
    "stead.stream_chunks": "new.frames::text like '%\"finish\"%'",
}


async def _fail_at(admin: Admin, table: str, condition: str, person: Person) -> None:
    name = f"fail_{uuid.uuid4().hex}"
    await admin.execute(
        f"create function {name}() returns trigger language plpgsql as $$ begin "
        f"if new.tenant_id = '{person.tenant.id}' and {condition} then raise 'it fails here'; end if; "
        "return new; end $$"
    )
    await admin.execute(
        f"create trigger a_{name} before insert or update on {table} "
        f"for each row execute function {name}()"
    )


async def _mend(admin: Admin) -> None:
    names = await admin.fetch("select proname from pg_proc where proname like 'fail\\_%'")
    for row in names:
        await admin.execute(f"drop function {row['proname']} cascade")


async def test_all_or_nothing(fresh: DatabaseAccess) -> None:
    """Whichever of the four cannot be written, the other three are not there either."""
    admin = await asyncpg.connect(str(fresh.admin_url))
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=2))
    people = {table: await make_person(db, await make_tenant(fresh)) for table in LAST_WRITES}
    for table, person in people.items():
        await _fail_at(admin, table, LAST_WRITES[table], person)
    async with vendor_of("responses", fresh) as vendor:
        vendor.models.default = Reply(text=["I will ", "remember."])
        client, one_by_one = vendor.running.client, asyncio.Lock()

        async def check(table: str) -> None:
            person = people[table]
            session = await open_session(client, person)
            frames = await say(client, person.headers, session, "My name is Ann and I like ferns.")
            # The client is told, in a stream that is whole.
            assert frames[-1]["type"] == "error", table
            assert "run_interrupted" in frames[-1]["errorText"]
            assert "finish" not in [frame["type"] for frame in frames]
            run_id = uuid.UUID(frames[0]["messageMetadata"]["runId"])
            async with one_by_one:
                await _nothing_of_it_is_there(admin, person, run_id)
            assert (await run_of(vendor.running, person, frames))["status"] != "completed"

        try:
            await asyncio.gather(*(check(table) for table in LAST_WRITES))
        finally:
            await _mend(admin)
        await asyncio.gather(*(_goes_on(vendor.running, person) for person in people.values()))
    await db.close()
    await admin.close()


async def _nothing_of_it_is_there(admin: Admin, person: Person, run_id: uuid.UUID) -> None:
    assert (
        await admin.fetchval(
            "select count(*) from public.agent_memories where tenant_id = $1", person.tenant.id
        )
        == 0
    )
    stored = await admin.fetch(
        "select metadata from public.messages where tenant_id = $1 and role = 'assistant'",
        person.tenant.id,
    )
    # What was written of the stream may have been kept as the remains of a failed run; never as an answer.
    assert {json.loads(row["metadata"])["status"] for row in stored} <= {"failed"}
    chunks = await admin.fetch("select frames from stead.stream_chunks where run_id = $1", run_id)
    kinds = [frame["type"] for row in chunks for frame in json.loads(row["frames"])]
    assert "finish" not in kinds


async def _goes_on(running: Any, person: Person) -> None:
    """Once the database is well again the run gets its end, and the session the next message."""
    (session,) = [
        item["id"]
        for item in (await running.client.get("/api/sessions", headers=person.headers)).json()["items"]
    ]
    async with running.client.stream(
        "GET", f"/api/chat/{session}/stream", headers=person.headers
    ) as answer:
        if answer.status_code == 200:
            assert (await frames_of(answer))[-1]["type"] == "error"
    (run,) = (await running.client.get(f"/api/session/{session}/runs", headers=person.headers)).json()
    assert (run["status"], run["error"]["code"]) == ("failed", "run_interrupted")
    frames = await say(running.client, person.headers, session, "My name is Ann.")
    assert frames[-1]["type"] == "finish"
    said = [stored_text(m) for m in await messages_of(running, person, session)]
    assert said[-2:] == ["My name is Ann.", "I will remember."]
    assert said.count("I will remember.") <= 2


async def test_all_four_are_there(db: Database, access: DatabaseAccess, person: Person) -> None:
    async with vendor_of("responses", access) as vendor:
        vendor.script(Reply(text=["Hello Ann."]))
        session = await open_session(vendor.running.client, person)
        frames = await say(vendor.running.client, person.headers, session, "My name is Ann.")
        run_id = uuid.UUID(frames[0]["messageMetadata"]["runId"])
        admin = await asyncpg.connect(str(access.admin_url))
        row = await admin.fetchrow(
            """
            select r.xmin::text as run, m.xmin::text as message, r.status, (
              select array_agg(distinct a.xmin::text) from public.agent_memories a
              where a.tenant_id = r.tenant_id
            ) as memories, (
              select c.xmin::text from stead.stream_chunks c where c.run_id = r.id order by c.seq desc limit 1
            ) as ending
            from public.agent_runs r join public.messages m on m.id = r.message_id where r.id = $1
            """,
            run_id,
        )
        await admin.close()
    assert row is not None
    assert row["status"] == "completed"
    # One transaction wrote them all.
    assert row["memories"] == [row["run"]]
    assert row["message"] == row["ending"] == row["run"]


class Watching(OpenAIServer):
    """A vendor that looks at the database while it is being waited for."""

    def __init__(self, admin: Admin, **options: Any) -> None:
        super().__init__(**options)
        self.admin = admin
        self.looked: list[str] = []
        self._turn = asyncio.Lock()

    async def answer(
        self, request: Request, reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        async with self._turn:
            waiting = set(await self._open())
            # The server writes frames and heartbeats meanwhile; those transactions come and go. One that
            # is open because of this call would stay open until it is answered.
            async with asyncio.timeout(5):
                while waiting:
                    await asyncio.sleep(0.01)
                    waiting &= set(await self._open())
            self.looked.append(request.path)
        await super().answer(request, reply, out, headers)

    async def _open(self) -> list[Any]:
        rows = await self.admin.fetch(
            "select pid, xact_start from pg_stat_activity where usename = 'stead_api' "
            "and datname = current_database() and state like 'idle in transaction%'"
        )
        return [tuple(row) for row in rows]


async def test_no_provider_is_called_with_a_transaction_open(
    access: DatabaseAccess, person: Person
) -> None:
    """Neither the model, nor the embedder, nor a tool."""
    called: list[int] = []

    def double(n: int) -> int:
        """Doubles a number."""
        assert_no_transaction("a tool")
        called.append(n)
        return 2 * n

    app = Stead()
    app.registry.add_agent("calculator", "You calculate.", tools=[double])
    admin = await asyncpg.connect(str(access.admin_url))
    async with (
        Watching(admin) as models,
        running_server(
            access,
            app,
            model="openai/gpt-4.1-mini",
            embedder="openai/text-embedding-3-small@256",
            openai_api_key="key",
            openai_base_url=models.base_url,
            openai_api="responses",
        ) as running,
    ):
        models.script(
            Reply(tool_calls=[ToolCall(name="double", arguments={"n": 21})]), Reply(text=["42"])
        )
        session = await open_session(running.client, person)
        frames = await say(
            running.client, person.headers, session, "I like 21. Twice?", agentId="calculator"
        )
        assert text_of(frames) == "42"
        assert (await run_of(running, person, frames))["status"] == "completed"
    await admin.close()
    assert called == [21]
    assert models.looked.count("/v1/responses") == 2
    assert models.looked.count("/v1/embeddings") >= 1


async def test_the_watcher_would_see_one(access: DatabaseAccess, db: Database, person: Person) -> None:
    """The look at the database finds a transaction that is held open while the vendor is waited for."""
    admin = await asyncpg.connect(str(access.admin_url))
    models = Watching(admin)
    async with db.transaction(person.principal.served()) as tx:
        await tx.value("select 1")
        assert await models._open()
        with pytest.raises(RuntimeError):
            assert_no_transaction("a model")
    await admin.close()
