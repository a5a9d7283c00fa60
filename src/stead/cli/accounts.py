"""``stead accounts``: list, link, refresh, revoke. Without a running server."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.access import Opened, as_service, run
from stead.cli.output import line

if TYPE_CHECKING:
    from stead.tools.accounts import Account, AccountServices, Link

app = typer.Typer(help="Connected accounts: what tools act through.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant, by its slug.")]
Id = Annotated[UUID, typer.Argument(metavar="ID", help="The account's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command("list")
def list_command(tenant: Tenant, as_json: AsJson = False) -> None:
    """Lists a tenant's accounts, the latest first.

    Example: stead accounts list --tenant acme
    """
    _print(run(_list(tenant)), as_json=as_json)


@app.command("link")
def link(
    toolkit: Annotated[str, typer.Argument(metavar="TOOLKIT", help="Such as github.")], tenant: Tenant
) -> None:
    """Begins to connect an account of the tenant, and prints where that is done.

    Example: stead accounts link github --tenant acme
    """
    account, made = run(_link(tenant, toolkit))
    output.say(f"{account.id} is {account.status}; connect it at")
    sys.stdout.write(made.redirect_url + "\n")


@app.command("refresh")
def refresh(account_id: Id, tenant: Tenant) -> None:
    """Asks the provider how an account stands.

    Example: stead accounts refresh 01a1fb26-2e37-7060-84c3-e275028161d3 --tenant acme
    """
    account = run(_refresh(tenant, account_id))
    output.say(f"{account.toolkit} is {account.status}")


@app.command("revoke")
def revoke(account_id: Id, tenant: Tenant) -> None:
    """Revokes an account: at once here, and by a job of the worker at its provider.

    Example: stead accounts revoke 01a1fb26-2e37-7060-84c3-e275028161d3 --tenant acme
    """
    account = run(_revoke(tenant, account_id))
    output.say(f"{account.toolkit} is {account.status}")


@asynccontextmanager
async def _services(slug: str) -> AsyncGenerator[tuple[Opened, AccountServices]]:
    from stead.assembly.tool_providers import account_services  # noqa: PLC0415

    async with as_service(slug) as opened, AsyncExitStack() as stack:
        services, _ = await account_services(opened.settings, opened.db, stack)
        yield opened, services


async def _list(slug: str) -> list[Account]:
    from stead.tools import accounts  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal, read_only=True) as tx:
        return await accounts.accounts.listing(tx, opened.principal, limit=1000)


async def _link(slug: str, toolkit: str) -> tuple[Account, Link]:
    from stead.tools import accounts  # noqa: PLC0415

    async with _services(slug) as (opened, services):
        wanted = accounts.NewLink(toolkit=toolkit)
        return await accounts.linking.link(services, opened.principal, wanted)


async def _refresh(slug: str, account_id: UUID) -> Account:
    from stead.tools import accounts  # noqa: PLC0415

    async with _services(slug) as (opened, services):
        return await accounts.linking.refresh(services, opened.principal, account_id)


async def _revoke(slug: str, account_id: UUID) -> Account:
    from stead.tools import accounts  # noqa: PLC0415

    async with _services(slug) as (opened, services), opened.db.transaction(opened.principal) as tx:
        return await accounts.linking.revoke(tx, services, opened.principal, account_id)


def _print(found: Sequence[Account], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            sys.stdout.write(line(asdict(each)))
        return
    if not sys.stdout.isatty():
        for each in found:
            sys.stdout.write(f"{each.id}  {each.toolkit}  {each.status}  {each.external_id}\n")
        return
    if not found:
        output.say("there is no connected account", "dim")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "toolkit", "status", "whose", "linked"):
        table.add_column(name, no_wrap=name == "id")
    for each in found:
        linked = each.linked_at.isoformat(timespec="minutes") if each.linked_at else "never"
        whose = str(each.profile_id) if each.profile_id else "the tenant"
        table.add_row(str(each.id), escape(each.toolkit), each.status, whose, linked)
    output.out.print(table, soft_wrap=False)
