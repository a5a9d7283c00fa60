"""Tenants, people, sessions, messages, runs and memories in number, as months of use leave them."""

from __future__ import annotations

from typing import Final

from benchmarks import report
from benchmarks.cluster import as_admin
from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity import Principal, Tenant
from stead.providers.embedders import Embedder

#: The name of those who come every day: one in each tenant.
HEAVY: Final = "daily"
#: In how many tenants the daily person has memories.
DAY: Final = 20

_FILL: Final = """
create temp table plan as
  select t.id as tenant_id, p as n, gen_random_uuid() as profile_id,
    -- A few write most: the daily person a fifth of the tenant's messages, the others what is left.
    case when p = 1 then $1::int / 5 else ($1::int * 4 / 5) / greatest($2::int - 1, 1) end as messages
  from public.tenants t cross join generate_series(1, $2::int) p;
"""

_STEPS: Final = (
    """
    insert into public.profiles (id, tenant_id, email, username)
    select profile_id, tenant_id, 'p' || n || '@' || tenant_id || '.example',
      case when n = 1 then 'daily-' else 'p-' end || n
    from plan
    """,
    """
    insert into public.sessions (tenant_id, profile_id, email, context, created_at)
    select tenant_id, profile_id, 'p' || n || '@example.com', '{"pricing": {"dayRate": "$300"}}',
      now() - make_interval(days => s)
    from plan cross join lateral generate_series(1, case when n = 1 then 25 else 2 end) s
    """,
    # The first session of each person has half of the messages.
    """
    insert into public.messages (tenant_id, session_id, profile_id, seq, client_id, role, parts)
    select s.tenant_id, s.id, s.profile_id, m, m::text, case when m % 2 = 1 then 'user' else 'assistant' end,
      jsonb_build_array(jsonb_build_object('type', 'text', 'text',
        repeat('word ' || md5(m::text || s.id) || ' ', 3 + (m % 5)::int)))
    from (
      select s.*, p.messages, row_number() over (partition by s.profile_id order by s.number) as nth,
        count(*) over (partition by s.profile_id) as sessions
      from public.sessions s join plan p on p.profile_id = s.profile_id
    ) s
    cross join lateral generate_series(1, case when nth = 1 then greatest(messages / 2, 1)
      else greatest(messages / 2 / (sessions - 1), 1) end) m
    """,
    "update public.sessions s set last_seq = (select max(seq) from public.messages m where m.session_id = s.id)",
    """
    insert into public.agent_runs (tenant_id, session_id, profile_id, agent_name, user_message_id, message_id,
      status, model, finish_reason, latency_ms, input_tokens, output_tokens, created_at, completed_at)
    select m.tenant_id, m.session_id, m.profile_id, 'concierge', m.id, gen_random_uuid(), 'completed',
      'openai/gpt-5-mini', 'stop', 900, 400, 80, m.created_at, m.created_at
    from public.messages m where m.role = 'user'
    """,
)


async def fill(
    access: DatabaseAccess, embedder: Embedder, tenants: int, people: int, messages: int, memories: int
) -> dict[str, int]:
    """Fills the tables and returns how many rows each has."""
    async with as_admin(access) as admin:
        report.progress("filling")
        await admin.execute(
            "insert into public.tenants (slug, name) select 't-' || n, 'T' from generate_series(1, $1) n",
            tenants,
        )
        sql, _, _ = _FILL.partition(";")
        sql = sql.replace("$1", str(messages // tenants)).replace("$2", str(people))
        await admin.execute(sql)
        for step in _STEPS:
            await admin.execute(step)
            report.progress(" ".join(step.split())[:60])
        daily = await admin.fetch(
            "select tenant_id, profile_id from plan where n = 1 order by tenant_id limit $1", DAY
        )
    for row in daily:
        await _remember(access, embedder, row["tenant_id"], row["profile_id"], memories)
    report.progress("memories stored")
    async with as_admin(access) as admin:
        return {
            table: await admin.fetchval(f"select count(*) from {table}")  # noqa: S608 - from the tuple below
            for table in (
                "public.tenants",
                "public.profiles",
                "public.sessions",
                "public.messages",
                "public.agent_runs",
                "public.agent_memories",
                "stead.search_terms",
            )
        }


async def _remember(
    access: DatabaseAccess, embedder: Embedder, tenant_id: object, profile_id: object, count: int
) -> None:
    """Memories by the product's own way, so that their lexemes and embeddings are there."""
    db = await Database.open(PoolConfig(url=access.runtime_url, max_size=1, min_size=1))
    try:
        tenant = Tenant(id=tenant_id, slug="bench")  # type: ignore[arg-type]
        principal = Principal(
            kind="user",
            tenant=tenant,
            role="authenticated",
            profile_id=profile_id,  # type: ignore[arg-type]
        ).served()
        async with db.transaction(principal) as tx:
            now = await tx.value("select now()")
        told = await memory.prepare(
            embedder,
            [
                memory.NewMemory(content=_sentence(n), kind="fact", happened_at=now, speaker="user")
                for n in range(count)
            ],
        )
        async with db.transaction(principal) as tx:
            await memory.remember(
                tx,
                principal,
                session_id=None,
                profile_id=profile_id,  # type: ignore[arg-type]
                memories=told,
                embedder=embedder,
            )
    finally:
        await db.close()


def _sentence(n: int) -> str:
    who = ("my sister", "our landlord", "the supplier", "my mentor", "a client")[n % 5]
    what = ("the budget", "a new studio", "the old van", "a flight", "the garden", "that invoice")[
        n // 5 % 6
    ]
    return f"I talked with {who} about {what} for {n} minutes and we agreed on number {n * 7 % 101}."
