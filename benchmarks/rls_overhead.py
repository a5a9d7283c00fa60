"""What row-level security costs a read: ``python -m benchmarks.rls_overhead``.

Each statement is the one that the product sends: it is taken from the product's own query functions. It runs
as the role that the product runs it as, and as a role that may do the same but bypasses row-level security.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg

from benchmarks import report
from benchmarks.cluster import as_admin, cluster, settle
from benchmarks.rls_data import DAY, HEAVY, fill
from stead.agents import queries as runs
from stead.assembly.database import DatabaseAccess
from stead.db import Transaction
from stead.db.pool import prepare_connection
from stead.db.transaction import begin_message
from stead.identity import Principal, Tenant
from stead.identity import queries as identity
from stead.memory import queries as memories
from stead.memory.recall import DEFAULT_WEIGHTS, WHOLE_BELOW
from stead.providers.embedders import EmbedderConfig, build_embedder
from stead.sessions import queries as sessions

Connection: TypeAlias = Any  # asyncpg.Connection is generic in its stubs only
BYPASS: Final = "bench_bypass"
COPIES: Final = "bench_unheld"
_CALLED: Final = re.compile(r"\bstead\.(\w+)")
_NUMBERS: Final = itertools.count()
_WARM_UP: Final = 12
_PER_TRANSACTION: Final = 20
_QUESTION: Final = "When did we talk about the budget for the new studio?"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose rows are read."""

    tenant_id: UUID
    profile_id: UUID
    session_id: UUID

    def principal(self, role: str) -> Principal:
        """As the product knows them."""
        person = Principal(
            kind="user",
            tenant=Tenant(id=self.tenant_id, slug="bench"),
            role="authenticated",
            profile_id=self.profile_id,
        )
        return person if role == "authenticated" else person.served()


class Recorder:
    """Stands in for a transaction and keeps the statement that it is given."""

    def __init__(self) -> None:
        self.sql = ""
        self.arguments: tuple[object, ...] = ()

    async def rows(self, sql: str, *arguments: object) -> list[Any]:
        """Keeps it."""
        self.sql, self.arguments = sql, arguments
        return []

    async def row(self, sql: str, *arguments: object) -> None:
        """Keeps it."""
        await self.rows(sql, *arguments)

    value = row


Ask: TypeAlias = Callable[[Any, Person], Awaitable[Any]]


def reads(vector: Sequence[float], model: str) -> dict[str, tuple[str, Ask]]:
    """Name to role and statement. What a client reads by itself runs as ``authenticated``."""

    async def own_profile(tx: Transaction, who: Person) -> Any:
        return await tx.row(
            "select id, username, full_name, avatar_url, role, company from public.profiles where id = $1",
            who.profile_id,
        )

    async def memories_of_scope(tx: Transaction, who: Person) -> Any:
        return await tx.rows(
            """
            select id, kind, speaker, content, metadata, importance, happened_at, created_at
            from public.agent_memories where tenant_id = $1 and scope_id = $2
            order by created_at desc limit 50
            """,
            who.tenant_id,
            who.profile_id,
        )

    served = {
        "profile by subject": lambda tx, who: identity.profile_by_subject(
            tx, who.tenant_id, who.profile_id, None
        ),
        "session by id": lambda tx, who: sessions.session_by_id(tx, who.tenant_id, who.session_id),
        "sessions, a page of 20": lambda tx, who: sessions.sessions_before(
            tx, who.tenant_id, "person", who.profile_id, None, None, None, 21
        ),
        "messages, the latest 40": lambda tx, who: sessions.latest_messages(
            tx, who.tenant_id, who.session_id, 1 << 20, 40
        ),
        "runs, the latest 20": lambda tx, who: runs.list_runs(tx, who.tenant_id, who.session_id, 20),
        "memories of a scope, 50": memories_of_scope,
        "recall": lambda tx, who: memories.recall(
            tx,
            who.profile_id,
            None,
            _QUESTION,
            vector,
            model,
            len(vector),
            astuple(DEFAULT_WEIGHTS),
            24,
            None,
            None,
            None,
            None,
            datetime.now(UTC),
            WHOLE_BELOW,
        ),
    }
    direct = {
        "own profile": own_profile,
        "session by id": served["session by id"],
        "sessions, a page of 20": served["sessions, a page of 20"],
        "messages, a page of 100": lambda tx, who: sessions.messages_after(
            tx, who.tenant_id, who.session_id, 0, 100
        ),
        "runs, the latest 20": served["runs, the latest 20"],
        "memories of a scope, 50": memories_of_scope,
    }
    return {f"{name} (stead_service)": ("stead_service", ask) for name, ask in served.items()} | {
        f"{name} (authenticated)": ("authenticated", ask) for name, ask in direct.items()
    }


class Side:
    """One connection that runs the statements as one kind of role, and times them."""

    def __init__(self, connection: Connection, *, bypass: bool) -> None:
        self._connection = connection
        self._bypass = bypass
        self.server_ms: list[float] = []
        self.round_trip_ms: list[float] = []

    @asynccontextmanager
    async def as_person(self, who: Person, role: str) -> Any:
        """A transaction that begins as the product's do."""
        await self._connection.execute(begin_message(who.principal(role), read_only=False))
        if self._bypass:
            await self._connection.execute(f"set local role {BYPASS}")
        yield
        await self._connection.execute("rollback")

    async def once(self, sql: str, arguments: Sequence[object]) -> None:
        """Times the statement from here, as a prepared statement."""
        began = time.perf_counter()
        await self._connection.fetch(self._own(sql), *arguments)
        self.round_trip_ms.append((time.perf_counter() - began) * 1000)

    async def explained(self, name: str, arguments: Sequence[object]) -> None:
        """Lets the server time it: planning where it plans, execution, and writing the rows as text."""
        literals = ", ".join(_literal(value) for value in arguments)
        [row] = await self._connection.fetch(
            f"explain (analyze, timing off, serialize text, format json) execute {name} ({literals})"
        )
        plan = row[0][0] if isinstance(row[0], list) else row[0]
        total = plan["Planning Time"] + plan["Execution Time"]
        self.server_ms.append(total + plan.get("Serialization", {}).get("Time", 0.0))

    async def prepare(self, name: str, sql: str) -> None:
        """By name, for `explained`."""
        await self._connection.execute(f"prepare {name} as {self._own(sql)}")

    def _own(self, sql: str) -> str:
        if not self._bypass:
            return sql
        # Recall is a function with its owner's rights: this side gets a copy whose owner is not held.
        return sql.replace("stead.recall_memories", f"{COPIES}.recall_memories")


async def grant_bypass(access: DatabaseAccess) -> None:
    """A role with the rights of both runtime roles and without row-level security."""
    async with as_admin(access) as admin:
        await admin.execute(
            f"create role {BYPASS} bypassrls inherit; grant stead_service, authenticated to {BYPASS}"
        )
        await copy_unheld(admin, "recall_memories")
        await admin.execute(f"grant usage on schema {COPIES} to {BYPASS}")


async def copy_unheld(admin: Connection, name: str) -> None:
    """A function of schema ``stead`` and those that it calls with their owner's rights, under the same names in
    a schema where their owner is the superuser, whom no policy holds."""
    known = await admin.fetch(
        """
        select p.proname, pg_get_functiondef(p.oid) as definition from pg_proc p
        where p.pronamespace = 'stead'::regnamespace and p.prokind = 'f' and p.prosecdef
        """
    )
    definitions = {row["proname"]: row["definition"] for row in known}
    wanted, chosen = [name], list[str]()
    while wanted:
        one = wanted.pop()
        if one in definitions and one not in chosen:
            chosen.append(one)
            wanted += _CALLED.findall(definitions[one])
    copied = re.compile(rf"\bstead\.({'|'.join(chosen)})\b")
    # The names of their arguments stand in their bodies as `name.argument`: a name has to stay as it is.
    await admin.execute(f"create schema {COPIES}; set check_function_bodies = off")
    for one in chosen:
        await admin.execute(copied.sub(rf"{COPIES}.\1", definitions[one]))
    await admin.execute("reset check_function_bodies")


async def compare(
    held: Connection, free: Connection, people: Sequence[Person], role: str, ask: Ask, runs_each: int
) -> dict[str, float]:
    """Both sides in turns, the same people in the same order."""
    sides = Side(held, bypass=False), Side(free, bypass=True)
    recorder = Recorder()
    await ask(recorder, people[0])
    name = f"read_{next(_NUMBERS)}"
    for side in sides:
        await side.prepare(name, recorder.sql)
    done = -_WARM_UP
    while done < runs_each:
        for side in sides if done % (2 * _PER_TRANSACTION) else reversed(sides):
            who = people[done % len(people)]
            await ask(recorder, who)
            async with side.as_person(who, role):
                for _ in range(_PER_TRANSACTION if done >= 0 else _WARM_UP):
                    await side.explained(name, recorder.arguments)
                    await side.once(recorder.sql, recorder.arguments)
            if done < 0:
                side.server_ms.clear()
                side.round_trip_ms.clear()
        done += _PER_TRANSACTION if done >= 0 else _WARM_UP
    (held_ms, free_ms) = (statistics.median(side.server_ms) for side in sides)
    (held_trip, free_trip) = (statistics.median(side.round_trip_ms) for side in sides)
    return {
        "with_ms": round(held_ms, 4),
        "without_ms": round(free_ms, 4),
        "ratio": round(held_ms / free_ms, 3),
        "round_trip_with_ms": round(held_trip, 4),
        "round_trip_without_ms": round(free_trip, 4),
        "round_trip_ratio": round(held_trip / free_trip, 3),
    }


def _literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case int() | float():
            return str(value)
        case list() | tuple():
            return "'{" + ",".join(map(str, value)) + "}'"
        case _:
            text = str(value).replace("'", "''")
            return f"'{text}'"


async def measure(access: DatabaseAccess, given: Any) -> None:
    """Fills, compares each read, prints."""
    about = report.machine()
    embedder = build_embedder("static", EmbedderConfig())
    vector = (await embedder.embed([_QUESTION]))[0]
    counts = await fill(access, embedder, given.tenants, given.people, given.messages, given.memories)
    await grant_bypass(access)
    if given.apply:
        async with as_admin(access) as admin:
            await admin.execute(given.apply.read_text(encoding="utf-8"))
    postgres = await settle(access)
    people = await choose_people(access)
    assert access.admin_url is not None
    held = await asyncpg.connect(access.runtime_url)
    free = await asyncpg.connect(access.admin_url)
    figures: dict[str, Any] = {}
    try:
        for connection in (held, free):
            await prepare_connection(connection)
        for name, (role, ask) in reads(vector, embedder.model_id).items():
            slow = name.startswith("recall")
            figures[name] = await compare(
                held, free, people, role, ask, given.runs // (10 if slow else 1)
            )
            report.progress(f"{name}: {figures[name]}")
    finally:
        await held.close()
        await free.close()
    report.finish(
        "rls_overhead",
        postgres,
        {
            "median_ratio": round(statistics.median(f["ratio"] for f in figures.values()), 3),
            "median_round_trip_ratio": round(
                statistics.median(f["round_trip_ratio"] for f in figures.values()), 3
            ),
            "added_us_median": round(
                statistics.median(f["with_ms"] - f["without_ms"] for f in figures.values()) * 1000, 1
            ),
            "reads": figures,
            "rows": counts,
            "runs": given.runs,
        },
        about=about,
    )


async def choose_people(access: DatabaseAccess) -> list[Person]:
    """Those with long histories, from different tenants, in random order."""
    async with as_admin(access) as admin:
        rows = await admin.fetch(
            """
            select distinct on (s.tenant_id) s.tenant_id, s.profile_id, s.id as session_id
            from public.sessions s join public.profiles p on p.id = s.profile_id
            where p.username like $1
              and exists (select from public.agent_memories m where m.scope_id = p.id)
            order by s.tenant_id, s.number
            """,
            f"{HEAVY}%",
        )
    people = [Person(**dict(row)) for row in rows]
    random.Random(7).shuffle(people)
    return people


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Each hot read with forced row-level security against the same read without.",
        "python -m benchmarks.rls_overhead --tenants 200 --runs 400",
    )
    parser.add_argument("--tenants", type=int, default=200, help="tenants")
    parser.add_argument("--people", type=int, default=50, help="people in each tenant")
    parser.add_argument("--messages", type=int, default=100_000, help="messages in all")
    parser.add_argument(
        "--memories",
        type=int,
        default=300,
        help=f"memories of the first person of each of {DAY} tenants",
    )
    parser.add_argument(
        "--apply", type=Path, help="SQL to apply first: to see what a change would bring"
    )
    parser.add_argument("--runs", type=int, default=400, help="runs of each read on each side")
    given = parser.parse_args()
    async with cluster() as access:
        await measure(access, given)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
