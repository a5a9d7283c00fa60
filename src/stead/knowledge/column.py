"""Statements that turn the column of vectors from real[] into halfvec, run by its owner: one a function.

What cannot be a parameter (names of schemas and roles) is put in by the database's own ``format``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]


async def column_type(owner: Connection) -> str | None:
    """``_float4``, ``halfvec``, or None where there is no such table."""
    return await owner.fetchval(
        """
        select t.typname from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = to_regclass('stead.embeddings') and a.attname = 'embedding'
        """
    )


async def is_owner(owner: Connection) -> bool:
    """Whether this login may change the table."""
    return await owner.fetchval(
        "select pg_has_role(relowner, 'usage') from pg_class where oid = 'stead.embeddings'::regclass"
    )


async def available_version(owner: Connection) -> str | None:
    """The version of pgvector that the server would install."""
    return await owner.fetchval(
        "select default_version from pg_available_extensions where name = 'vector'"
    )


async def installed_version(owner: Connection) -> str:
    """The version of pgvector in this database."""
    return await owner.fetchval("select extversion from pg_extension where extname = 'vector'")


async def create_extension(owner: Connection) -> None:
    """Makes the extension where Supabase has it; one that is there stays there, and is brought up to date."""
    if await owner.fetchval("select exists (select from pg_extension where extname = 'vector')"):
        await owner.execute("alter extension vector update")
    else:
        await owner.execute("create schema if not exists extensions")
        await owner.execute("create extension vector with schema extensions")


async def home_of_halfvec(owner: Connection) -> str | None:
    """The schema of pgvector, quoted where it has to be; None where there is no type of half precision."""
    return await owner.fetchval(
        """
        select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'vector'
          and exists (select from pg_type t where t.typname = 'halfvec' and t.typnamespace = n.oid)
        """
    )


async def dependents(owner: Connection) -> list[str]:
    """What would be in the way: whatever refers to the table, or to the two functions, by more than its name."""
    rows = await owner.fetch(
        """
        select distinct pg_describe_object(d.classid, d.objid, d.objsubid) as what
        from pg_depend d
        where d.deptype = 'n'
          and (d.refclassid = 'pg_class'::regclass and d.refobjid = 'stead.embeddings'::regclass
              and d.classid in ('pg_rewrite'::regclass, 'pg_proc'::regclass)
            or d.refclassid = 'pg_type'::regclass
              and d.refobjid = (select reltype from pg_class where oid = 'stead.embeddings'::regclass)
            or d.refclassid = 'pg_proc'::regclass and d.refobjid in (
              to_regprocedure('stead.similarity(real[], real[])'), to_regprocedure('stead.as_embedding(real[])')))
        order by 1
        """
    )
    return [row["what"] for row in rows]


async def replace_functions(owner: Connection, home: str) -> None:
    """Makes ``stead.similarity`` and ``stead.as_embedding`` anew for halfvec, with the grants that they have.

    Functions in which a variable has the column's type are touched: sessions that have compiled them do so again.
    """
    grantees = await owner.fetchval(
        """
        select string_agg(distinct quote_ident(r.rolname), ', ')
        from pg_proc p cross join aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee
        where p.oid in ('stead.similarity(real[], real[])'::regprocedure,
          'stead.as_embedding(real[])'::regprocedure) and a.grantee <> p.proowner
        """
    )
    statement = await owner.fetchval(
        """
            select format($f$
              drop function stead.similarity(real[], real[]);
              drop function stead.as_embedding(real[]);
              create function stead.similarity(a %1$s.halfvec, b %1$s.halfvec) returns double precision
              language sql immutable parallel safe
              return - (a operator(%1$s.<#>) b);
              create function stead.similarity(a %1$s.halfvec, b real[]) returns double precision
              language sql immutable parallel safe
              return - (a operator(%1$s.<#>) b::%1$s.halfvec);
              create function stead.as_embedding(v real[]) returns %1$s.halfvec
              language sql immutable parallel safe
              return v::%1$s.halfvec;
              revoke execute on function stead.similarity(%1$s.halfvec, %1$s.halfvec),
                stead.similarity(%1$s.halfvec, real[]), stead.as_embedding(real[]) from public;
              grant execute on function stead.similarity(%1$s.halfvec, %1$s.halfvec),
                stead.similarity(%1$s.halfvec, real[]), stead.as_embedding(real[]) to %2$s;
              grant usage on schema %1$s to stead_definer;
            $f$, $1::text, $2::text)
            """,
        home,
        grantees,
    )
    await owner.execute(statement)
    await _touch_functions(owner)


async def _touch_functions(owner: Connection) -> None:
    statements = await owner.fetchval(
        """
        select string_agg(format('alter function %s cost %s', p.oid::regprocedure, p.procost), ';')
        from pg_proc p join pg_language l on l.oid = p.prolang
        where l.lanname = 'plpgsql' and p.prosrc like '%embeddings.embedding%'
          and p.pronamespace in ('stead'::regnamespace, 'public'::regnamespace)
        """
    )
    if statements is not None:
        await owner.execute(statements)


async def analyze(owner: Connection) -> None:
    """New statistics: those of the old column are gone."""
    await owner.execute("analyze stead.embeddings")
