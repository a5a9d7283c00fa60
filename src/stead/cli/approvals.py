"""``stead approvals``: list, show, approve, reject, link. Without a running server."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.access import Opened, read_id, run
from stead.cli.outbox import as_service_of
from stead.cli.output import line, visible
from stead.core.errors import Invalid
from stead.core.ids import parse_id

if TYPE_CHECKING:
    from stead.actions import Approval, Vote

app = typer.Typer(help="Approvals: what waits for people, votes, links.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant: slug or id.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The approval's id.")]
Who = Annotated[
    str, typer.Option("--as", help="The person who votes: an email address or the profile's id.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]
Seen = Annotated[
    str | None,
    typer.Option(help="The digest of what was looked at; without it: of what is asked for now."),
]


@app.command("list")
def list_command(
    tenant: Tenant = "demo",
    status: Annotated[str, typer.Option(help="pending, approved, rejected … or all.")] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Lists approvals, the latest first.

    Example: stead approvals list --tenant acme
    """
    found = run(_list(tenant, None if status == "all" else status, limit))
    if as_json:
        for each in found:
            sys.stdout.write(line(_plain(each)))
    elif output.out.is_terminal:
        table = Table("id", "action", "risk", "votes", "status", "until")
        for each in found:
            votes = f"{each.approvals} of {each.quorum}"
            until = f"{each.expires_at:%Y-%m-%d %H:%M}"
            table.add_row(
                str(each.id), escape(visible(each.tool_slug)), each.risk, votes, each.status, until
            )
        output.out.print(table)
    else:
        for each in found:
            sys.stdout.write(f"{each.id}\t{visible(each.tool_slug)}\t{each.risk}\t{each.status}\n")


@app.command("show")
def show(approval_id: Id, tenant: Tenant = "demo") -> None:
    """Prints an approval as JSON: exactly what would run, and why it is asked.

    Example: stead approvals show 01a1fb26-2e37-7060-84c3-e275028161d3 --tenant acme
    """
    output.print_json(_plain(run(_show(tenant, read_id(approval_id)))))


@app.command("approve")
def approve(
    approval_id: Id,
    who: Who,
    tenant: Tenant = "demo",
    digest: Seen = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Votes for an action, as a person of the tenant.

    Example: stead approvals approve 01a1fb26-2e37-7060-84c3-e275028161d3 --as ann@example.com
    """
    _tell(run(_vote(tenant, read_id(approval_id), who, "approve", digest, reason)))


@app.command("reject")
def reject(
    approval_id: Id,
    who: Who,
    reason: Annotated[str, typer.Option(help="Why.")],
    tenant: Tenant = "demo",
    digest: Seen = None,
) -> None:
    """Votes against an action, as a person of the tenant: that ends it.

    Example: stead approvals reject 01a1fb26-2e37-7060-84c3-e275028161d3 --as ann@example.com --reason "too much"
    """
    _tell(run(_vote(tenant, read_id(approval_id), who, "reject", digest, reason)))


@app.command("link")
def link(
    approval_id: Id,
    person: Annotated[
        str, typer.Option("--for", help="Whose link it is: an email address or the profile's id.")
    ],
    tenant: Tenant = "demo",
) -> None:
    """Prints the path of a link with which one person votes once. Send it to that person alone.

    Example: stead approvals link 01a1fb26-2e37-7060-84c3-e275028161d3 --for ann@example.com
    """
    token = run(_link(tenant, read_id(approval_id), person))
    sys.stdout.write(f"/v1/approvals/links/{token}\n")


def _tell(approval: Approval) -> None:
    output.say(f"{approval.id} is {approval.status} ({approval.approvals} of {approval.quorum})")


def _plain(approval: Approval) -> dict[str, Any]:
    return {**asdict(approval), "digest": approval.digest.hex()}


async def _list(text: str, status: str | None, limit: int) -> list[Approval]:
    from stead.actions import approving  # noqa: PLC0415

    async with as_service_of(text) as opened, opened.db.transaction(opened.principal) as tx:
        return await approving.listing(tx, opened.principal, status=status, limit=limit)


async def _show(text: str, approval_id: UUID) -> Approval:
    from stead.actions import approving  # noqa: PLC0415

    async with as_service_of(text) as opened, opened.db.transaction(opened.principal) as tx:
        return await approving.get(tx, opened.principal, approval_id)


async def _vote(
    text: str, approval_id: UUID, who: str, vote: Vote, seen: str | None, reason: str | None
) -> Approval:
    from stead.actions import approving  # noqa: PLC0415

    digest = None if seen is None else _digest(seen)
    async with as_service_of(text) as opened:
        voter = await _person(opened, who)
        person = replace(opened.principal, kind="user", profile_id=voter, credential="command line")
        async with opened.db.transaction(person) as tx:
            return await approving.vote(tx, person, approval_id, vote, digest=digest, reason=reason)


async def _link(text: str, approval_id: UUID, who: str) -> str:
    from stead.actions import links  # noqa: PLC0415

    async with as_service_of(text) as opened:
        person = await _person(opened, who)
        async with opened.db.transaction(opened.principal) as tx:
            return await links.make(tx, opened.principal, approval_id, person)


async def _person(opened: Opened, text: str) -> UUID:
    from stead.identity import profiles  # noqa: PLC0415

    known = parse_id(text)
    if known is not None:
        return known
    async with opened.db.transaction(opened.principal, read_only=True) as tx:
        found = await profiles.find_by_email(tx, opened.principal.tenant, text)
    if found is None:
        raise Invalid(
            f"there is nobody called {text!r} in this tenant", hint="An email address or an id."
        )
    return found


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Invalid(
            "the digest is none", hint="64 hexadecimal digits, as `show` prints them."
        ) from None
