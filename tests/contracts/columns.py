"""Reading the shape of tables, as a client's generated types would."""

from __future__ import annotations

import asyncpg

_COLUMNS = """
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
  pg_get_expr(d.adbin, d.adrelid) as fallback
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
"""
_REFERENCES = """
select a.attname::text as name, f.confrelid::regclass::text as target
from pg_constraint f cross join lateral unnest(f.conkey) k (attnum)
join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.attnum
where f.contype = 'f' and f.conrelid = $1::text::regclass and a.attname <> 'tenant_id'
"""
_ENUM = """
select array(select e.enumlabel::text from pg_enum e where e.enumtypid = $1::text::regtype
  order by e.enumsortorder)
"""
_UNIQUE = """
select array(select a.attname::text from pg_attribute a
  where a.attrelid = i.indrelid and a.attnum = any (i.indkey::smallint[]) order by a.attname)
from pg_index i where i.indrelid = $1::text::regclass and i.indisunique and i.indpred is null
"""


async def types(connection: asyncpg.Connection, relation: str) -> dict[str, str]:
    """Type by column."""
    rows = await connection.fetch(_COLUMNS, relation)
    return {row["name"]: row["type"].removeprefix("public.") for row in rows}


async def required(connection: asyncpg.Connection, relation: str) -> set[str]:
    """The columns that may not be null."""
    return {row["name"] for row in await connection.fetch(_COLUMNS, relation) if row["required"]}


async def defaults(connection: asyncpg.Connection, relation: str) -> dict[str, str]:
    """Default by column."""
    rows = await connection.fetch(_COLUMNS, relation)
    return {row["name"]: row["fallback"] for row in rows if row["fallback"] is not None}


async def references(connection: asyncpg.Connection, relation: str) -> dict[str, str]:
    """The table that a column refers to."""
    return {row["name"]: row["target"] for row in await connection.fetch(_REFERENCES, relation)}


async def enum(connection: asyncpg.Connection, name: str) -> list[str]:
    """The values of an enum in their order."""
    return list(await connection.fetchval(_ENUM, name))


async def unique(connection: asyncpg.Connection, relation: str) -> list[list[str]]:
    """The sets of columns that tell rows apart."""
    return [list(row[0]) for row in await connection.fetch(_UNIQUE, relation)]
