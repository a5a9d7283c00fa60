"""Statements on HNSW indexes, run by the owner of the table outside any transaction: one a function.

What cannot be a parameter (names, and the literals of a partial index) is put in by the database's own ``format``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

import asyncpg

from stead.db import Row

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

_LOCK_KEY: Final = 5_741_203_312  # "stead builds indexes": any number that nobody else takes


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The documents of one kind in one scope, with their vectors of one model.

    Args:
        documents: How many there are.
        vectors: How many have a vector, counted up to one more than makes it large.
        index_name: Its index, if it has one.
    """

    tenant_id: UUID
    scope_id: UUID
    kind: str
    model_id: int
    dimensions: int
    documents: int
    vectors: int
    index_name: str | None


async def begin(owner: Connection, memory_mb: int) -> None:
    """How a session builds: with as much memory as it may have, on one core, and not for a client that is gone."""
    await owner.execute("set statement_timeout = 0")
    # Nobody queues behind what a build waits for: transactions that began before it.
    await owner.execute("set lock_timeout = '10min'")
    await owner.execute("set max_parallel_maintenance_workers = 0")
    await owner.execute("set client_connection_check_interval = '5s'")
    await owner.execute(
        """
        select set_config('maintenance_work_mem', greatest(setting::bigint, $1 * 1024) || 'kB', false)
        from pg_settings where name = 'maintenance_work_mem'
        """,
        memory_mb,
    )


async def become_builder(owner: Connection) -> bool:
    """Whether nobody else builds. The lock is the building session's own: it lasts as long as the build, even if
    the process that began it is gone."""
    return await owner.fetchval("select pg_try_advisory_lock($1)", _LOCK_KEY)


async def home(owner: Connection) -> str | None:
    """The schema of pgvector, quoted where it has to be; None where vectors are real[]."""
    return await owner.fetchval(
        """
        select quote_ident(n.nspname) from pg_attribute a join pg_type t on t.oid = a.atttypid
        join pg_namespace n on n.oid = t.typnamespace
        where a.attrelid = 'stead.embeddings'::regclass and a.attname = 'embedding' and t.typname = 'halfvec'
        """
    )


async def large_collections(owner: Connection, large: int, model_name: str) -> list[Collection]:
    """Those of more documents than this, and all that have an index."""
    async with owner.transaction(readonly=True):
        await owner.execute("set local role stead_definer")
        rows = await owner.fetch(
            """
            select tenant_id, scope_id, kind, model_id, dimensions, documents, vectors, index_name
            from stead.large_collections($1, $2)
            """,
            large,
            model_name,
        )
    return [Collection(**dict(row)) for row in rows]


async def states(owner: Connection) -> list[Row]:
    """Each index by name: whether it is registered, and ready there; whether it exists, and is valid."""
    async with owner.transaction(readonly=True):
        await owner.execute("set local role stead_definer")
        return await owner.fetch(
            """
            select coalesce(v.name, i.name) as name, v.name is not null as registered,
              coalesce(v.ready, false) as ready, i.name is not null as there, coalesce(i.valid, false) as valid
            from stead.vector_indexes v
            full join (
              select c.relname::text as name, x.indisvalid and x.indisready as valid
              from pg_index x join pg_class c on c.oid = x.indexrelid
              where x.indrelid = 'stead.embeddings'::regclass and c.relname ~ '^embeddings_hnsw_[0-9a-f]{16}$'
            ) i on i.name = v.name
            order by 1
            """
        )


async def register(owner: Connection, name: str, collection: Collection, home: str) -> None:
    """Notes that an index is being built; searches do not use it yet."""
    async with owner.transaction():
        await owner.execute("set local role stead_definer")
        await owner.execute(
            """
            insert into stead.vector_indexes (name, tenant_id, scope_id, kind, model_id, dimensions, home)
            values ($1, $2, $3, $4, $5, $6, $7)
            """,
            name,
            collection.tenant_id,
            collection.scope_id,
            collection.kind,
            collection.model_id,
            collection.dimensions,
            home,
        )


async def set_ready(owner: Connection, name: str) -> None:
    """From now on searches use it."""
    async with owner.transaction():
        await owner.execute("set local role stead_definer")
        await owner.execute("update stead.vector_indexes set ready = true where name = $1", name)


async def unregister(owner: Connection, name: str) -> None:
    """From now on searches do without it."""
    async with owner.transaction():
        await owner.execute("set local role stead_definer")
        await owner.execute("delete from stead.vector_indexes where name = $1", name)


async def build(owner: Connection, name: str, collection: Collection, home: str) -> None:
    """Builds while everybody reads and writes. If it fails, an invalid index is left."""
    statement = await owner.fetchval(
        """
        select format(
          'create index concurrently %I on stead.embeddings
             using hnsw ((embedding::%2$s.halfvec(%3$s)) %2$s.halfvec_ip_ops) with (m = 16, ef_construction = 64)
             where tenant_id = %4$L and scope_id = %5$L and kind = %6$L and model_id = %7$s',
          $1::text, $2::text, $3::integer, $4::uuid, $5::uuid, $6::text, $7::smallint)
        """,
        name,
        home,
        collection.dimensions,
        collection.tenant_id,
        collection.scope_id,
        collection.kind,
        collection.model_id,
    )
    await owner.execute(statement)


async def drop(owner: Connection, name: str) -> None:
    """Drops an index, if it is there, while everybody reads and writes."""
    await owner.execute(
        await owner.fetchval(
            "select format('drop index concurrently if exists stead.%I', $1::text)", name
        )
    )


async def progress(owner: Connection, pid: int) -> str | None:
    """How far the build of that session is, in words."""
    return await owner.fetchval(
        """
        select phase || case when blocks_total > 0 then format(' (%s %%)', 100 * blocks_done / blocks_total)
          else '' end
        from pg_stat_progress_create_index where pid = $1
        """,
        pid,
    )
