"""The statements about items: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction
from stead.memory.items.models import Namespace, NewItem, Owner

_COLUMNS: Final = "i.namespace, i.key, i.value, i.created_at, i.updated_at, i.expires_at"

#: Does a value fit every condition of `asked.conditions`? What cannot be compared does not fit, but for $ne.
_FITS: Final = """
  not exists (
    select from jsonb_array_elements(asked.conditions) c
    cross join lateral (
      select coalesce(i.value #> array(select jsonb_array_elements_text(c -> 'path')), 'null') as found,
        c -> 'operand' as operand) v
    where not coalesce(case c ->> 'op'
      when '$eq' then v.found = v.operand
      when '$ne' then v.found <> v.operand
      when '$object' then jsonb_typeof(v.found) = 'object'
      else jsonb_typeof(v.found) = jsonb_typeof(v.operand) and jsonb_typeof(v.found) in ('number', 'string')
        and case c ->> 'op'
          when '$gt' then v.found > v.operand
          when '$gte' then v.found >= v.operand
          when '$lt' then v.found < v.operand
          when '$lte' then v.found <= v.operand
        end
    end, false))
"""


def _path(namespace: Namespace) -> str:
    return "".join(f"{label}." for label in namespace)


def _above(path: str) -> str | None:
    # Whatever begins with "a.b." is at or above that and below "a.b/": the next character after the point.
    return f"{path[:-1]}/" if path else None


async def items_by_key(
    tx: Transaction, owner: Owner, keys: Sequence[tuple[Namespace, str]]
) -> list[Row]:
    return await tx.rows(
        f"""
        select {_COLUMNS}
        from unnest($3::text[], $4::text[]) as u (path, key)
        join public.store_items i on i.tenant_id = $1 and i.scope_id = $2 and i.path = u.path and i.key = u.key
        where i.expires_at is null or i.expires_at > now()
        """,
        owner.tenant_id,
        owner.scope_id,
        [_path(namespace) for namespace, _ in keys],
        [key for _, key in keys],
    )


async def refresh(tx: Transaction, owner: Owner, keys: Sequence[tuple[Namespace, str]]) -> int:
    # In one order, so that two readers never wait for each other; whoever writes a row refreshes it anyway.
    return await tx.execute(
        """
        with read as (
          select i.id from unnest($3::text[], $4::text[]) as u (path, key)
          join public.store_items i on i.tenant_id = $1 and i.scope_id = $2 and i.path = u.path and i.key = u.key
          where i.expires_at > now()
          order by i.id for update of i skip locked
        )
        update public.store_items i set expires_at = now() + make_interval(secs => i.ttl_s)
        from read r where i.tenant_id = $1 and i.id = r.id
        """,
        owner.tenant_id,
        owner.scope_id,
        [_path(namespace) for namespace, _ in keys],
        [key for _, key in keys],
    )


async def upsert_items(
    tx: Transaction, owner: Owner, items: Sequence[tuple[UUID, NewItem]]
) -> list[Row]:
    # Sorted by key, so that two writers of the same items never wait for each other. An item whose time was over
    # begins anew.
    return await tx.rows(
        """
        insert into public.store_items as i
          (id, tenant_id, profile_id, session_id, namespace, key, value, search_text, ttl_s, expires_at)
        select u.id, $1, $2, $3, string_to_array(rtrim(u.path, '.'), '.'), u.key, u.value, u.search_text, u.ttl_s,
          now() + make_interval(secs => u.ttl_s)
        from unnest($4::uuid[], $5::text[], $6::text[], $7::jsonb[], $8::text[], $9::double precision[])
          as u (id, path, key, value, search_text, ttl_s)
        order by u.path collate "C", u.key collate "C"
        on conflict (tenant_id, scope_id, path, key) do update
          set value = excluded.value, search_text = excluded.search_text, ttl_s = excluded.ttl_s,
            expires_at = excluded.expires_at, updated_at = now(),
            created_at = case when i.expires_at <= now() then now() else i.created_at end
        returning i.id, i.namespace, i.key
        """,
        owner.tenant_id,
        owner.profile_id,
        owner.session_id,
        [item_id for item_id, _ in items],
        [_path(item.namespace) for _, item in items],
        [item.key for _, item in items],
        [item.value for _, item in items],
        [item.search_text for _, item in items],
        [item.ttl_s for _, item in items],
    )


async def vectors_stored(tx: Transaction, item_ids: Sequence[UUID]) -> None:
    await tx.execute("select stead.item_vectors_stored($1)", list(item_ids))


async def delete_items(tx: Transaction, owner: Owner, keys: Sequence[tuple[Namespace, str]]) -> int:
    return await tx.execute(
        """
        with gone as (
          select i.id from unnest($3::text[], $4::text[]) as u (path, key)
          join public.store_items i on i.tenant_id = $1 and i.scope_id = $2 and i.path = u.path and i.key = u.key
          order by i.path, i.key for update of i
        )
        delete from public.store_items i using gone g where i.tenant_id = $1 and i.id = g.id
        """,
        owner.tenant_id,
        owner.scope_id,
        [_path(namespace) for namespace, _ in keys],
        [key for _, key in keys],
    )


async def items_below(
    tx: Transaction,
    owner: Owner,
    prefix: Namespace,
    conditions: Sequence[dict[str, Any]],
    limit: int,
    offset: int,
) -> list[Row]:
    path = _path(prefix)
    return await tx.rows(
        f"""
        select {_COLUMNS}
        from public.store_items i, (select $3::jsonb as conditions) asked
        where i.tenant_id = $1 and i.scope_id = $2
          and i.path >= $4 and ($5::text is null or i.path < $5)
          and (i.expires_at is null or i.expires_at > now()) and {_FITS}
        order by i.updated_at desc, i.path, i.key
        limit $6 offset $7
        """,
        owner.tenant_id,
        owner.scope_id,
        list(conditions),
        path,
        _above(path),
        limit,
        offset,
    )


async def items_among(
    tx: Transaction,
    owner: Owner,
    item_ids: Sequence[UUID],
    prefix: Namespace,
    conditions: Sequence[dict[str, Any]],
    limit: int,
    offset: int,
) -> list[Row]:
    # Of those that a search has found, in its order. Each is looked up by its id: without statistics of a scope the
    # planner would rather read the scope again for each.
    path = _path(prefix)
    return await tx.rows(
        f"""
        select i.id, {_COLUMNS}
        from unnest($3::uuid[]) with ordinality as found (id, rank)
        cross join lateral (select x.* from public.store_items x where x.id = found.id offset 0) i
        cross join (select $4::jsonb as conditions) asked
        where i.tenant_id = $1 and i.scope_id = $2 and i.path >= $5 and ($6::text is null or i.path < $6) and i.search_text is not null
          and (i.expires_at is null or i.expires_at > now()) and {_FITS}
        order by found.rank limit $7 offset $8
        """,
        owner.tenant_id,
        owner.scope_id,
        list(item_ids),
        list(conditions),
        path,
        _above(path),
        limit,
        offset,
    )


async def namespaces(
    tx: Transaction,
    owner: Owner,
    prefix: Namespace,
    patterns: Sequence[dict[str, Any]],
    max_depth: int | None,
    limit: int,
    offset: int,
) -> list[Namespace]:
    # Each namespace once before its labels are compared. `prefix` is what patterns begin with literally.
    path = _path(prefix)
    rows = await tx.rows(
        """
        select distinct k.namespace[1:coalesce($6, 32)] as namespace
        from (
          select distinct i.namespace from public.store_items i
          where i.tenant_id = $1 and i.scope_id = $2 and i.path >= $3 and ($4::text is null or i.path < $4)
            and (i.expires_at is null or i.expires_at > now())
        ) k
        where not exists (
          select from jsonb_array_elements($5::jsonb) p
          cross join lateral (
            select jsonb_array_length(p -> 'labels') as long, cardinality(k.namespace) as deep) n
          where n.long > n.deep or exists (
            select from jsonb_array_elements_text(p -> 'labels') with ordinality as l (label, place)
            where l.label <> '*' and l.label is distinct from
              k.namespace[l.place::integer + case p ->> 'at' when 'suffix' then n.deep - n.long else 0 end]))
        order by 1 limit $7 offset $8
        """,
        owner.tenant_id,
        owner.scope_id,
        path,
        _above(path),
        list(patterns),
        max_depth,
        limit,
        offset,
    )
    return [tuple(row["namespace"]) for row in rows]


async def drop_twins(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    # What the person has under the same key stays; the session's would collide with it.
    return await tx.execute(
        """
        delete from public.store_items s
        where s.tenant_id = $1 and s.session_id = $2 and exists (
          select from public.store_items p
          where p.tenant_id = $1 and p.scope_id = $3 and p.path = s.path and p.key = s.key)
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def move_session(tx: Transaction, tenant_id: UUID, session_id: UUID, profile_id: UUID) -> int:
    return await tx.execute(
        """
        update public.store_items set profile_id = $3, session_id = null
        where tenant_id = $1 and session_id = $2
        """,
        tenant_id,
        session_id,
        profile_id,
    )


async def sweep(tx: Transaction, batch: int) -> int:
    return await tx.value("select stead.sweep_items($1)", batch)
