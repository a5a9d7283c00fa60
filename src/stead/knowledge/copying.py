"""Statements that copy the vectors into a table of halfvec beside the old one, run by its owner: one a function.

What cannot be a parameter (names of schemas and roles) is put in by the database's own ``format``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from stead.knowledge.column import Connection

Key: TypeAlias = tuple[UUID, str, UUID, int]
FIRST: Key = (UUID(int=0), "", UUID(int=0), -32768)


async def fits(owner: Connection) -> bool | None:
    """Whether the copy that was begun has the table's columns; None where none was begun."""
    return await owner.fetchval(
        """
        select copied.names = there.names
        from (
          select array_agg(attname order by attname) from pg_attribute
          where attrelid = to_regclass('stead.embeddings_next') and attnum > 0 and not attisdropped
        ) copied (names),
        (
          select array_agg(attname order by attname) from pg_attribute
          where attrelid = to_regclass('stead.embeddings') and attnum > 0 and not attisdropped
        ) there (names)
        """
    )


async def discard(owner: Connection) -> None:
    """Throws the copy away, with the triggers."""
    await owner.execute(
        """
        drop function stead.mirror_embeddings() cascade;
        drop table stead.embeddings_next;
        """
    )


async def begin(owner: Connection, home: str) -> None:
    """Makes an empty table of halfvec, and triggers through which it hears of every change of the old one."""
    statement = await owner.fetchval(
        """
            select format($f$
              create table stead.embeddings_next (like stead.embeddings including defaults including constraints);
              alter table stead.embeddings_next alter column embedding type %1$s.halfvec using null,
                alter column embedding set storage plain,
                enable row level security, force row level security, owner to %2$s;
              grant usage on schema %1$s to stead_definer;

              create function stead.mirror_embeddings() returns trigger
              language plpgsql security definer set search_path = pg_catalog, pg_temp
              as $t$
              begin
                if tg_op <> 'INSERT' then
                  delete from stead.embeddings_next n using removed o
                  where (n.tenant_id, n.kind, n.owner_id, n.model_id)
                    = (o.tenant_id, o.kind, o.owner_id, o.model_id);
                end if;
                if tg_op <> 'DELETE' then
                  insert into stead.embeddings_next
                    (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
                  select tenant_id, kind, owner_id, scope_id, model_id, place, embedding::%1$s.halfvec from added
                  on conflict (tenant_id, kind, owner_id, model_id) do update
                    set scope_id = excluded.scope_id, place = excluded.place, embedding = excluded.embedding;
                end if;
                return null;
              end
              $t$;
              revoke execute on function stead.mirror_embeddings() from public;
              alter function stead.mirror_embeddings() owner to stead_definer;
              create trigger mirror_inserted after insert on stead.embeddings
                referencing new table as added for each statement execute function stead.mirror_embeddings();
              create trigger mirror_updated after update on stead.embeddings
                referencing old table as removed new table as added
                for each statement execute function stead.mirror_embeddings();
              create trigger mirror_deleted after delete on stead.embeddings
                referencing old table as removed for each statement execute function stead.mirror_embeddings();
            $f$, $1::text, c.relowner::regrole)
            from pg_class c where c.oid = 'stead.embeddings'::regclass
            """,
        home,
    )
    await owner.execute(statement)
    await owner.execute(await owner.fetchval(_LIKEWISE))


#: What `like` does not copy, as it is now: keys, indexes, policies, grants. Names end in `_next` until the swap.
_LIKEWISE = """
select string_agg(line, ';') from (
  select format('alter table stead.embeddings_next add constraint %I %s', conname || '_next',
    pg_get_constraintdef(oid)) as line
  from pg_constraint where conrelid = 'stead.embeddings'::regclass and contype in ('p', 'u', 'f')
  union all
  select replace(replace(pg_get_indexdef(c.oid), format('INDEX %I ON', c.relname),
    format('INDEX %I ON', c.relname || '_next')), ' ON stead.embeddings ', ' ON stead.embeddings_next ')
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = 'stead.embeddings'::regclass
    and not exists (select from pg_constraint k where k.conindid = c.oid and k.conrelid = i.indrelid)
  union all
  select format('create policy %I on stead.embeddings_next as %s for %s to %s%s%s', p.policyname, p.permissive,
    p.cmd, (select string_agg(quote_ident(r), ', ') from unnest(p.roles) r),
    ' using (' || p.qual || ')', ' with check (' || p.with_check || ')')
  from pg_policies p where p.schemaname = 'stead' and p.tablename = 'embeddings'
  union all
  select format('grant %s on stead.embeddings_next to %s', a.privilege_type, a.grantee::regrole)
  from pg_class c cross join aclexplode(c.relacl) a
  where c.oid = 'stead.embeddings'::regclass and a.grantee not in (0, c.relowner)
) l
"""


async def batch(owner: Connection, home: str, after: Key, rows: int) -> tuple[int, Key | None]:
    """Copies what is not copied yet; returns how many, and the key of the last that was looked at.

    A row that is being written is left out: if its writer commits, the triggers have copied it, else it is found
    the next time. So a copy waits for no writer, and they wait for it as long as a batch takes.
    """
    async with owner.transaction():
        await owner.execute("set local role stead_definer")
        # The key itself bounds the batch: whatever is locked or copied already is looked at too.
        last = await owner.fetchrow(
            """
            select e.tenant_id, e.kind, e.owner_id, e.model_id from (
              select tenant_id, kind, owner_id, model_id from stead.embeddings
              where (tenant_id, kind, owner_id, model_id) > ($1, $2, $3, $4)
              order by tenant_id, kind, owner_id, model_id limit $5
            ) e order by tenant_id desc, kind desc, owner_id desc, model_id desc limit 1
            """,
            *after,
            rows,
        )
        if last is None:
            return 0, None
        statement = await owner.fetchval(
            """
            select format($f$
              insert into stead.embeddings_next (tenant_id, kind, owner_id, scope_id, model_id, place, embedding)
              select e.tenant_id, e.kind, e.owner_id, e.scope_id, e.model_id, e.place, e.embedding::%s.halfvec
              from stead.embeddings e
              where (e.tenant_id, e.kind, e.owner_id, e.model_id) > ($1, $2, $3, $4)
                and (e.tenant_id, e.kind, e.owner_id, e.model_id) <= ($5, $6, $7, $8)
                and not exists (select from stead.embeddings_next n
                  where n.tenant_id = e.tenant_id and n.kind = e.kind and n.owner_id = e.owner_id
                    and n.model_id = e.model_id)
              for share of e skip locked
              on conflict do nothing
            $f$, $1::text)
            """,
            home,
        )
        status = await owner.execute(statement, *after, *last)
    return int(status.rpartition(" ")[2]), (last[0], last[1], last[2], last[3])


async def is_complete(owner: Connection) -> bool:
    """Whether every vector is in the copy. From then on the triggers keep it so."""
    async with owner.transaction():
        await owner.execute("set local role stead_definer")
        return await owner.fetchval(
            """
            select not exists (
              select from stead.embeddings e where not exists (
                select from stead.embeddings_next n
                where n.tenant_id = e.tenant_id and n.kind = e.kind and n.owner_id = e.owner_id
                  and n.model_id = e.model_id))
            """
        )


async def swap(owner: Connection) -> None:
    """The copy takes the table's place and its names. In the caller's transaction.

    The old table is only put aside: to drop it needs a lock on what its foreign key refers to, which searches take
    before that on vectors.
    """
    await owner.execute(
        """
        lock table stead.embeddings in access exclusive mode;
        drop function stead.mirror_embeddings() cascade;
        """
    )
    await owner.execute(
        await owner.fetchval(
            """
            select string_agg(
              case kind
                when 'constraint' then format(
                  'alter table stead.embeddings rename constraint %1$I to %2$I;
                   alter table stead.embeddings_next rename constraint %3$I to %1$I',
                  name, name || '_old', name || '_next')
                else format(
                  'alter index stead.%1$I rename to %2$I; alter index stead.%3$I rename to %1$I',
                  name, name || '_old', name || '_next')
              end, ';')
            from (
              select 'constraint' as kind, conname as name from pg_constraint
              where conrelid = 'stead.embeddings'::regclass and contype in ('p', 'u', 'f')
              union all
              select 'index', c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
              where i.indrelid = 'stead.embeddings'::regclass
                and not exists (select from pg_constraint k where k.conindid = c.oid and k.conrelid = i.indrelid)
            ) names
            """
        )
    )
    await owner.execute(
        """
        alter table stead.embeddings rename to embeddings_old;
        alter table stead.embeddings_next rename to embeddings
        """
    )


async def has_old(owner: Connection) -> bool:
    """Whether the old table is still there."""
    return await owner.fetchval("select to_regclass('stead.embeddings_old') is not null")


async def drop_old(owner: Connection) -> None:
    """Drops the table that was replaced. Nobody knows its name any more."""
    await owner.execute("drop table stead.embeddings_old")
