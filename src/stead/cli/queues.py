"""``stead jobs queues``: what waits in each, pause, resume, limit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stead.cli import output
from stead.cli.access import as_service, opened_database, run
from stead.cli.jobs import AsJson, TenantSlug
from stead.cli.jobs_output import print_queues
from stead.core.errors import Invalid

app = typer.Typer(help="Queues of jobs: pause, resume, limit. Without a verb: list.")

QueueName = Annotated[str, typer.Argument(metavar="NAME", help="The queue.")]
AllTenants = Annotated[bool, typer.Option("--all-tenants", help="For every tenant, beside its own.")]


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    """Queues of jobs: pause, resume, limit. Without a verb: lists those of the tenant demo."""
    if context.invoked_subcommand is None:
        list_command()


@app.command("list")
def list_command(tenant: TenantSlug = "demo", as_json: AsJson = False) -> None:
    """Lists a tenant's queues: what waits and runs in each, and how it is limited.

    Example: stead jobs queues list --tenant acme
    """
    print_queues(run(_list(tenant)), as_json=as_json)


@app.command("pause")
def pause(name: QueueName, tenant: TenantSlug = "demo", all_tenants: AllTenants = False) -> None:
    """Lets the jobs of a queue wait; what runs goes on to its end.

    Example: stead jobs queues pause default --tenant acme
    """
    run(_save(name, tenant, every=all_tenants, paused=True))
    output.say(f"{name} is paused")


@app.command("resume")
def resume(name: QueueName, tenant: TenantSlug = "demo", all_tenants: AllTenants = False) -> None:
    """Lets the jobs of a queue run again.

    Example: stead jobs queues resume default --tenant acme
    """
    run(_save(name, tenant, every=all_tenants, paused=False))
    output.say(f"{name} runs")


@app.command("limit")
def limit(
    name: QueueName,
    running: Annotated[
        int | None,
        typer.Argument(min=0, max=1_000_000, help="Jobs at once over all workers; none: no limit."),
    ] = None,
    weight: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="The tenant's share beside other tenants'; 1 at first."),
    ] = None,
    tenant: TenantSlug = "demo",
    all_tenants: AllTenants = False,
) -> None:
    """Limits how many jobs of a queue run at once; without a number it lifts the limit.

    Example: stead jobs queues limit default 10 --tenant acme
    """
    # A weight alone leaves the limit as it is.
    lifts = running is None and weight is None
    run(_save(name, tenant, every=all_tenants, max_running=running, weight=weight, unlimited=lifts))
    output.say(f"{name} has no limit" if lifts else f"{name} is limited")


async def _list(slug: str) -> list[dict[str, Any]]:
    from stead import jobs  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await jobs.queues.listing(tx, opened.principal)


async def _save(name: str, slug: str, *, every: bool, **change: Any) -> None:
    import asyncpg  # noqa: PLC0415

    from stead import jobs  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415

    try:
        if every:
            async with opened_database() as (_, _, db), db.transaction(NOBODY) as tx:
                await jobs.queues.save_for_all(tx, name, **change)
        else:
            async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
                await jobs.queues.save(tx, opened.principal, name, **change)
    except asyncpg.CheckViolationError as error:
        raise Invalid(
            f"{name!r} is no name of a queue", hint="Lower-case letters, digits, dots and hyphens."
        ) from error
