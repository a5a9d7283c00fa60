"""Finding every trace of a text or an id in a whole database, by its catalogue: a new table is looked into too."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from stead.db.embedded import psql_path

#: Relations of everybody's schemas; what PostgreSQL itself keeps of statements and statistics is in its own.
_RELATIONS = """
    select format('%I.%I', n.nspname, c.relname) as name, c.relkind::text as kind,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname !~ '^pg_(toast|temp)'
    order by 1
"""


@dataclass
class Canaries:
    """Words that stand nowhere else, one for each place in which something is said.

    All of them have ``mark`` in them: looking for that looks for all.
    """

    mark: str = field(default_factory=lambda: f"zq{secrets.token_hex(5)}")
    words: dict[str, str] = field(default_factory=dict[str, str])

    def word(self, place: str) -> str:
        """The word for a place; the same at each call."""
        return self.words.setdefault(place, f"{self.mark}{len(self.words):03}")


@dataclass
class Traces:
    """Looks into a database past row-level security."""

    admin: asyncpg.Connection[asyncpg.Record]
    url: str

    async def of(self, text: str) -> dict[str, int]:
        """How many rows of which relations have that text in any column, whatever the case."""
        found: dict[str, int] = {}
        for relation in await self.admin.fetch(_RELATIONS):
            count = await self.admin.fetchval(
                f"select count(*) from {relation['name']} x where position($1 in lower(x::text)) > 0",
                text.lower(),
            )
            if count:
                found[relation["name"]] = count
        return found

    async def unheard(self, canaries: Canaries) -> list[str]:
        """The places whose word stands nowhere."""
        left = {word: place for place, word in canaries.words.items()}
        for relation in await self.admin.fetch(_RELATIONS):
            rows = await self.admin.fetch(
                f"with said as materialized (select lower(x::text) as text from {relation['name']} x "
                "where position($1 in lower(x::text)) > 0) "
                "select word from unnest($2::text[]) word "
                "where exists (select from said where position(word in said.text) > 0)",
                canaries.mark,
                list(left),
            )
            for row in rows:
                del left[row["word"]]
        return list(left.values())

    async def tables_of_people(self) -> set[str]:
        """Tables that say whose a row is."""
        whose = {"profile_id", "session_id", "scope_id", "run_id", "subject_profile_id"}
        relations = await self.admin.fetch(_RELATIONS)
        return {r["name"] for r in relations if r["kind"] in {"r", "p"} and whose & set(r["columns"])}

    async def everything_of(self, *ids: UUID) -> dict[str, tuple[int, str]]:
        """Rows in which one of those ids stands, and a digest of them, by table."""
        found: dict[str, tuple[int, str]] = {}
        for relation in await self.admin.fetch(_RELATIONS):
            row = await self.admin.fetchrow(
                f"select count(*), coalesce(md5(string_agg(x::text, '' order by x::text)), '') "
                f"from {relation['name']} x where x::text ~ $1",
                "|".join(map(str, ids)),
            )
            assert row is not None
            if row[0]:
                found[relation["name"]] = (row[0], row[1])
        return found

    async def dump(self) -> str:
        """All of the database, as pg_dump writes it."""
        command = [str(psql_path().with_name("pg_dump")), "--inserts", "--dbname", self.url]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
        return done.stdout.decode()

    async def index_is_sound(self) -> None:
        """The index for searches is what a rebuild would make, no more and no less."""
        queries = {
            "postings of memories": """
                (select t.place, t.term, t.frequency from stead.search_terms t
                  join stead.search_docs d on d.place = t.place where d.kind = 'memory'
                 except
                 select m.place, stead.term_key(m.scope_id, l.lexeme), l.frequency
                 from public.agent_memories m, stead.document_lexemes(
                   stead.search_config(m.tenant_id), m.speaker, m.happened_at, m.content) l)
                union all
                (select m.place, stead.term_key(m.scope_id, l.lexeme), l.frequency
                 from public.agent_memories m, stead.document_lexemes(
                   stead.search_config(m.tenant_id), m.speaker, m.happened_at, m.content) l
                 where m.archived_at is null
                 except
                 select t.place, t.term, t.frequency from stead.search_terms t)""",
            "postings of nothing": """
                select t.place from stead.search_terms t
                where not exists (select from stead.search_docs d where d.place = t.place)""",
            "documents of nothing": """
                select d.place from stead.search_docs d where d.kind = 'memory'
                  and not exists (select from public.agent_memories m where m.place = d.place)""",
            "vectors of nothing": """
                select e.owner_id from stead.embeddings e where not exists (
                  select from stead.search_docs d where d.owner_id = e.owner_id and d.kind = e.kind)""",
            "places of vectors": """
                select e.owner_id from stead.embeddings e join stead.search_docs d on d.owner_id = e.owner_id
                where e.kind = 'memory' and d.kind = 'memory' and e.place <> d.place""",
            "lengths in postings": """
                select t.place from stead.search_terms t join stead.search_docs d on d.place = t.place
                where t.length <> least(d.length, 32767)""",
            "a backlog of nothing": """
                select b.owner_id from stead.embedding_backlog b where not exists (
                  select from stead.search_docs d where d.owner_id = b.owner_id and d.kind = b.kind)""",
            "totals": """
                select scope_id, kind, sum(docs), sum(length) from (
                  select t.scope_id, t.kind, t.docs, t.length from stead.search_totals t
                  union all select d.scope_id, d.kind, -1, -d.length from stead.search_docs d) x
                group by 1, 2 having sum(docs) <> 0 or sum(length) <> 0""",
        }
        for name, query in queries.items():
            assert await self.admin.fetch(query) == [], name
