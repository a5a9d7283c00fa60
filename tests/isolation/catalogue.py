"""What the database itself says of its relations: the source of every generated check."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

RELATIONS = """
select n.nspname || '.' || c.relname as name, c.relkind::text as kind,
  c.relrowsecurity as row_security, c.relforcerowsecurity as forced,
  exists (select from pg_policy p where p.polrelid = c.oid) as has_policy,
  coalesce(
    (select array_agg(a.attname::text order by k.n)
     from pg_index i, unnest(i.indkey::smallint[]) with ordinality as k (attnum, n), pg_attribute a
     where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum),
    (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       and (c.relkind <> 'v' or a.attname = 'id'))
  ) as key,
  (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     and a.attgenerated = '' and a.attidentity <> 'a') as writable,
  (select coalesce(array_agg(a.attname::text), '{}') from pg_attribute a
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attnotnull) as not_null
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'stead') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and ($1::regclass is null or c.oid = $1)
  and not exists (select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1
"""

POLICIES = """
select n.nspname || '.' || c.relname as relation, p.polname::text as name,
  case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
    when 'd' then 'delete' else 'all' end as command,
  array(select case when r = 0 then 'public' else r::regrole::text end from unnest(p.polroles) r) as roles,
  pg_get_expr(p.polqual, p.polrelid) as visible, pg_get_expr(p.polwithcheck, p.polrelid) as writable
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'stead')
order by 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table or view of Stead.

    Args:
        name: With its schema.
        kind: ``r`` for a table, ``v`` for a view, as in pg_class.
        row_security: Whether row-level security is enabled.
        forced: Whether it holds for the owner too.
        has_policy: Whether there is any policy.
        key: The columns that tell rows apart.
        columns: All columns.
        writable: Those that a statement may set.
        not_null: Those that are declared so.
    """

    name: str
    kind: str
    row_security: bool
    forced: bool
    has_policy: bool
    key: tuple[str, ...]
    columns: tuple[str, ...]
    writable: tuple[str, ...]
    not_null: frozenset[str]

    @property
    def is_table(self) -> bool:
        return self.kind in {"r", "p"}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A row-level security policy.

    Args:
        relation: The table, with its schema.
        name: The policy's name.
        command: select, insert, update, delete or all.
        roles: Whom it is for.
        visible: Its USING expression.
        writable: Its WITH CHECK expression.
    """

    relation: str
    name: str
    command: str
    roles: tuple[str, ...]
    visible: str | None
    writable: str | None

    def __str__(self) -> str:
        return f"policy {self.name} on {self.relation}"


#: Views of sums, whose rows are told apart by what they are sums of.
SUMMED_BY = {
    "public.memory_operation_summary": ("tenant_id",),
    "public.user_session_stats": ("user_id",),
}


async def relations(connection: asyncpg.Connection, only: str | None = None) -> list[Relation]:
    """Every table and view in ``public`` and ``stead`` that belongs to no extension; or one of them."""
    return [
        Relation(
            name=row["name"],
            kind=row["kind"],
            row_security=row["row_security"],
            forced=row["forced"],
            has_policy=row["has_policy"],
            key=SUMMED_BY.get(row["name"]) or tuple(row["key"] or row["columns"]),
            columns=tuple(row["columns"]),
            writable=tuple(row["writable"]),
            not_null=frozenset(row["not_null"]),
        )
        for row in await connection.fetch(RELATIONS, only)
    ]


async def policies(connection: asyncpg.Connection) -> list[Policy]:
    """Every policy on them."""
    return [
        Policy(
            relation=row["relation"],
            name=row["name"],
            command=row["command"],
            roles=tuple(row["roles"]),
            visible=row["visible"],
            writable=row["writable"],
        )
        for row in await connection.fetch(POLICIES)
    ]
