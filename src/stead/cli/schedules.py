"""``stead schedules``: list, pause, resume, fire, export. Without a running server."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.access import opened_database, run
from stead.cli.moments import read_moment
from stead.cli.output import line, visible

if TYPE_CHECKING:
    from stead.db import Transaction
    from stead.scheduling import Schedule

app = typer.Typer(help="Schedules: jobs that are made by the clock.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name.")]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant", help="The schedule of this tenant (its slug); without it: of every tenant."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command("list")
def list_command(
    tenant: Annotated[str | None, typer.Option(help="Only those of this tenant (its slug).")] = None,
    as_json: AsJson = False,
) -> None:
    """Lists schedules: when they fire next, and when they last did.

    Example: stead schedules list --tenant acme
    """
    _print(run(_list(tenant)), as_json=as_json)


@app.command("pause")
def pause(name: Name, tenant: Tenant = None) -> None:
    """Lets a schedule's ticks pass without a job.

    Example: stead schedules pause digest --tenant acme
    """
    run(_pause(name, tenant, paused=True))
    output.say(f"{name} is paused")


@app.command("resume")
def resume(name: Name, tenant: Tenant = None) -> None:
    """Lets a schedule go on with its next tick; what came meanwhile was not missed.

    Example: stead schedules resume digest --tenant acme
    """
    schedule = run(_pause(name, tenant, paused=False))
    output.say(f"{name} fires next at {_when(schedule, schedule.next_at)}")


@app.command("fire")
def fire(
    name: Name,
    at: Annotated[
        str | None,
        typer.Option(help="As if it were this moment (ISO 8601, UTC without a zone); now without it."),
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Makes the jobs of a schedule now, also of a paused one. For one moment none is made twice.

    Example: stead schedules fire digest --at 2026-11-21T07:00:00Z
    """
    made = run(_fire(name, tenant, read_moment(at)))
    if made is None:
        output.say("a worker does it now")
        return
    output.say(f"{made} {'job was' if made == 1 else 'jobs were'} made")


@app.command("export")
def export(
    tenant: Annotated[str | None, typer.Option(help="Only those of this tenant.")] = None,
) -> None:
    """Prints statements with which pg_cron fires the schedules, where the database has that extension.

    Example: stead schedules export | stead db psql
    """
    for statement in run(_export(tenant)):
        sys.stdout.write(statement + "\n")


@asynccontextmanager
async def _transaction(*, read_only: bool = False) -> AsyncGenerator[Transaction]:
    from stead.db import NOBODY  # noqa: PLC0415

    async with opened_database() as (_, _, db), db.transaction(NOBODY, read_only=read_only) as tx:
        yield tx


async def _every(tx: Transaction, slug: str | None) -> list[Schedule]:
    from stead import scheduling  # noqa: PLC0415
    from stead.identity import tenants  # noqa: PLC0415

    tenant_id = None if slug is None else (await tenants.find(tx, slug)).id
    return await scheduling.schedules.every(tx, tenant_id)


async def _find(tx: Transaction, name: str, slug: str | None) -> Schedule:
    from stead.scheduling import ScheduleUnknown  # noqa: PLC0415

    of_that_name = [each for each in await _every(tx, slug) if each.name == name]
    for schedule in of_that_name:
        if schedule.tenant_slug == slug:
            return schedule
    whose = [str(each.tenant_slug) for each in of_that_name]
    raise ScheduleUnknown(
        f"{slug or 'every tenant'} has no schedule {name!r}",
        hint=f"--tenant {whose[0]}" if whose else "stead schedules list",
    )


async def _list(slug: str | None) -> list[Schedule]:
    async with _transaction(read_only=True) as tx:
        return await _every(tx, slug)


async def _pause(name: str, slug: str | None, *, paused: bool) -> Schedule:
    from stead import scheduling  # noqa: PLC0415

    async with _transaction() as tx:
        await scheduling.schedules.pause_any(tx, await _find(tx, name, slug), paused=paused)
        return await _find(tx, name, slug)


async def _fire(name: str, slug: str | None, tick: datetime | None) -> int | None:
    from stead import scheduling  # noqa: PLC0415

    async with _transaction() as tx:
        schedule = await _find(tx, name, slug)
        made = await scheduling.schedules.fire(tx, schedule, tick)
    return None if schedule.source == "system" else made


async def _export(slug: str | None) -> list[str]:
    from stead.scheduling import exporting  # noqa: PLC0415

    async with _transaction(read_only=True) as tx:
        await exporting.require_pg_cron(tx)
        return exporting.statements(await _every(tx, slug))


def _print(schedules: Sequence[Schedule], *, as_json: bool) -> None:
    if as_json:
        for each in schedules:
            sys.stdout.write(line(asdict(each)))
        return
    if not sys.stdout.isatty():
        for each in schedules:
            said = (
                each.tenant_slug or "*",
                each.name,
                each.kind,
                _state(each),
                each.cron,
                each.time_zone,
            )
            sys.stdout.write("  ".join(said) + "\n")
        return
    if not schedules:
        output.say("there is no schedule", "dim")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("name", "tenant", "job", "when", "next", "last"):
        table.add_column(name, no_wrap=name in {"name", "next", "last"})
    for each in schedules:
        table.add_row(
            escape(visible(each.name)),
            each.tenant_slug or "every",
            each.kind,
            escape(f"{each.cron} {each.time_zone}"),
            "[yellow]paused[/]" if each.paused else _when(each, each.next_at),
            _when(each, each.last_at),
        )
    output.out.print(table, soft_wrap=False)


def _state(schedule: Schedule) -> str:
    return "paused" if schedule.paused else _when(schedule, schedule.next_at)


def _when(schedule: Schedule, moment: datetime | None) -> str:
    """A moment by the schedule's own clock."""
    if moment is None:
        return "never"
    return moment.astimezone(ZoneInfo(schedule.time_zone)).isoformat(timespec="minutes")
