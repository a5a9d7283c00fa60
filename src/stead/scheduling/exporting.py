"""Schedules for pg_cron, where the database has it: it calls the function that workers fire with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from stead.db import Transaction
from stead.scheduling import queries
from stead.scheduling.errors import PgCronMissing
from stead.scheduling.models import Schedule

#: What means the same to pg_cron: numbers, ranges, steps.
_PLAIN: Final = re.compile(r"[0-9*,/ -]+")


async def require_pg_cron(tx: Transaction) -> None:
    """Refuses a database without pg_cron.

    Raises:
        PgCronMissing: It has none.
    """
    if not await queries.pg_cron(tx):
        raise PgCronMissing(
            "the extension pg_cron is not there",
            hint="create extension pg_cron; or leave it to the workers, which fire schedules by themselves.",
        )


def statements(schedules: Iterable[Schedule]) -> list[str]:
    """What makes pg_cron fire these schedules, a statement each.

    pg_cron's clock is UTC's and knows no other. A schedule by UTC is handed over as it is; of one in another zone
    pg_cron looks every minute whether its next tick has come, which workers keep. Beside workers, either makes no
    job twice.
    """
    return [_statement(schedule) for schedule in schedules if not schedule.paused]


def _statement(schedule: Schedule) -> str:
    tenant = "null" if schedule.tenant_id is None else _literal(str(schedule.tenant_id))
    name = _literal(schedule.name)
    if schedule.time_zone == "UTC" and _PLAIN.fullmatch(schedule.cron):
        when = " ".join(schedule.cron.split())
        what = f"select stead.fire_schedule({name}, of_tenant => {tenant})"
    else:
        when = "* * * * *"
        what = (
            f"select stead.fire_schedule({name}, next_at, tenant_id) from stead.all_schedules({tenant})"  # noqa: S608
            f" where name = {name} and tenant_id is not distinct from {tenant}::uuid and next_at <= now()"
        )
    job = "stead:" + (f"{schedule.tenant_slug}:" if schedule.tenant_slug else "") + schedule.name
    return f"select cron.schedule({_literal(job)}, {_literal(when)}, {_literal(what)});"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
