"""Statements of schedules: one a function."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead.db import Row, Transaction

_SCHEDULE: Final = """
  s.id, s.tenant_id, s.name, s.cron, s.time_zone, s.kind, s.input, s.tick_argument, s.queue, s.max_attempts, s.missed,
  s.source, s.paused, s.next_at, s.last_at, s.seen_at, s.created_at
"""


async def clock(tx: Transaction) -> datetime:
    return await tx.value("select now()")


async def register(
    tx: Transaction,
    tenant_id: UUID | None,
    name: str,
    cron: str,
    time_zone: str,
    kind: str,
    input: Any,  # noqa: A002
    tick_argument: str | None,
    queue: str,
    max_attempts: int,
    dispatch: str,
    missed: str,
    first_at: datetime | None,
) -> UUID | None:
    return await tx.value(
        "select stead.register_schedule($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant_id,
        name,
        cron,
        time_zone,
        kind,
        input,
        tick_argument,
        queue,
        max_attempts,
        dispatch,
        missed,
        first_at,
    )


async def see(tx: Transaction, held: Sequence[UUID]) -> set[UUID]:
    return {row["id"] for row in await tx.rows("select s.id from stead.see_schedules($1) s", held)}


async def sweep(tx: Transaction, unseen_s: float) -> int:
    return await tx.value("select stead.sweep_schedules($1)", unseen_s)


async def due(tx: Transaction, held: Sequence[UUID]) -> Row | None:
    return await tx.row("select * from stead.due_schedule($1)", held)


async def advance(
    tx: Transaction, schedule_id: UUID, ticks: Sequence[datetime], following: datetime | None
) -> int:
    return await tx.value("select stead.advance_schedule($1, $2, $3)", schedule_id, ticks, following)


async def stop(tx: Transaction, schedule_id: UUID) -> None:
    await tx.execute("select stead.stop_schedule($1)", schedule_id)


async def next_due_s(tx: Transaction, held: Sequence[UUID]) -> float | None:
    return await tx.value("select stead.next_schedule_in_s($1)", held)


async def fire(
    tx: Transaction,
    name: str,
    tick: datetime,
    tenant_id: UUID | None,
    *,
    even_paused: bool,
) -> int:
    return await tx.value(
        "select stead.fire_schedule($1, $2, $3, $4)", name, tick, tenant_id, even_paused
    )


async def every_schedule(tx: Transaction, tenant_id: UUID | None) -> list[Row]:
    return await tx.rows("select * from stead.all_schedules($1)", tenant_id)


async def pause_for_all(
    tx: Transaction,
    schedule_id: UUID,
    paused: bool,  # noqa: FBT001
    following: datetime | None,
) -> None:
    await tx.execute("select stead.pause_schedule($1, $2, $3)", schedule_id, paused, following)


async def of_tenant(tx: Transaction, tenant_id: UUID) -> list[Row]:
    return await tx.rows(
        f"select {_SCHEDULE} from stead.schedules s where s.tenant_id = $1 order by s.name", tenant_id
    )


async def lock_by_name(tx: Transaction, tenant_id: UUID, name: str) -> Row | None:
    return await tx.row(
        f"""
        select {_SCHEDULE} from stead.schedules s where s.tenant_id = $1 and s.name = $2 for no key update
        """,
        tenant_id,
        name,
    )


async def save(
    tx: Transaction,
    tenant_id: UUID,
    name: str,
    cron: str,
    time_zone: str,
    kind: str,
    input: Any,  # noqa: A002
    tick_argument: str | None,
    queue: str,
    max_attempts: int,
    dispatch: str,
    missed: str,
    first_at: datetime | None,
) -> UUID | None:
    return await tx.value(
        """
        insert into stead.schedules as s (tenant_id, name, cron, time_zone, kind, input, tick_argument, queue,
          max_attempts, dispatch, missed, source, next_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'api', $12)
        on conflict (tenant_id, name) do update
        set cron = $3, time_zone = $4, kind = $5, input = $6, tick_argument = $7, queue = $8, max_attempts = $9,
          dispatch = $10, missed = $11, updated_at = now(),
          next_at = case when (s.cron, s.time_zone) = ($3, $4) then s.next_at else $12 end
        where s.source = 'api'
        returning s.id
        """,
        tenant_id,
        name,
        cron,
        time_zone,
        kind,
        input,
        tick_argument,
        queue,
        max_attempts,
        dispatch,
        missed,
        first_at,
    )


async def pause(
    tx: Transaction,
    tenant_id: UUID,
    schedule_id: UUID,
    paused: bool,  # noqa: FBT001
    following: datetime | None,
) -> None:
    await tx.execute(
        """
        update stead.schedules s
        set paused = $3, next_at = case when $3 then s.next_at else $4 end, updated_at = now()
        where s.tenant_id = $1 and s.id = $2
        """,
        tenant_id,
        schedule_id,
        paused,
        following,
    )


async def delete(tx: Transaction, tenant_id: UUID, schedule_id: UUID) -> None:
    await tx.execute(
        "delete from stead.schedules s where s.tenant_id = $1 and s.id = $2", tenant_id, schedule_id
    )


async def register_standing(
    tx: Transaction, name: str, cron: str, kind: str, first_at: datetime | None
) -> None:
    await tx.execute("select stead.register_standing($1, $2, $3, $4)", name, cron, kind, first_at)


async def due_standing(tx: Transaction, name: str) -> Row | None:
    return await tx.row("select id, cron, asked_at from stead.due_standing($1)", name)


async def advance_standing(tx: Transaction, schedule_id: UUID, following: datetime | None) -> None:
    await tx.execute("select stead.advance_standing($1, $2)", schedule_id, following)


async def standing_goes_on(tx: Transaction, schedule_id: UUID) -> bool:
    return await tx.value("select stead.standing_goes_on($1)", schedule_id)


async def sweep_standing(tx: Transaction, unseen_s: float) -> int:
    return await tx.value("select stead.sweep_standing($1)", unseen_s)


async def shared(tx: Transaction) -> list[Row]:
    return await tx.rows(
        """
        select id, name, cron, time_zone, kind, source, paused, paused_here, next_at, last_at
        from stead.shared_schedules()
        """
    )


async def pause_shared(
    tx: Transaction,
    schedule_id: UUID,
    paused: bool,  # noqa: FBT001
) -> None:
    await tx.execute("select stead.pause_shared_schedule($1, $2)", schedule_id, paused)


async def pg_cron(tx: Transaction) -> bool:
    # By the catalogue: its schema is not for everybody to use.
    return await tx.value(
        """
        select exists (
          select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
          where n.nspname = 'cron' and p.proname = 'schedule')
        """
    )
