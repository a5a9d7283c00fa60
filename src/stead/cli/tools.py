"""``stead tools``: list, show, put, refresh, drift. Without a running server."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.access import as_service, read_id, run
from stead.cli.output import line, visible
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.jobs import Enqueued
    from stead.tools import CatalogEntry, Drift

app = typer.Typer(help="Tools: what agents may do, and what changed in it.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="Whose (a slug).")]
Name = Annotated[str, typer.Argument(metavar="TOOL", help="The tool's slug.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command("list")
def list_command(
    tenant: Tenant,
    provider: Annotated[str | None, typer.Option(help="Only those of this provider.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lists a tenant's tools and those of code.

    Example: stead tools list --tenant acme
    """
    _print(run(_list(tenant, provider)), as_json=as_json)


@app.command("show")
def show(
    name: Name,
    tenant: Tenant,
    version: Annotated[
        str | None, typer.Option(help="Which version; the current one without it.")
    ] = None,
) -> None:
    """Prints a tool as JSON.

    Example: stead tools show refund --tenant acme
    """
    told = json.loads(line(_plain(run(_show(tenant, name, version)))))
    sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


@app.command("put")
def put(
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="JSON, as PUT /v1/tools/{slug} takes it; - reads it from the input."
        ),
    ],
    tenant: Tenant,
) -> None:
    """Makes or changes an http tool of a tenant.

    Example: stead tools put refund refund.json --tenant acme
    """
    entry = run(_put(tenant, name, _read(file)))
    output.say(f"{entry.spec.slug} {entry.spec.version} is {entry.status}")


@app.command("refresh")
def refresh(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whom to ask.")],
    tenant: Tenant,
    toolkit: Annotated[str, typer.Option(help="Only for this toolkit.")] = "",
) -> None:
    """Has a provider asked for its tools: a job, which a worker runs.

    Example: stead tools refresh composio --tenant acme --toolkit github
    """
    made = run(_refresh(tenant, provider, toolkit))
    output.say(f"{made.id}" if made.new else f"{made.id} is under way already")


@app.command("drift")
def drift(
    tenant: Tenant,
    severity: Annotated[
        Literal["breaking", "risky", "harmless"] | None, typer.Option(help="Only these.")
    ] = None,
    acknowledge: Annotated[
        str | None, typer.Option(metavar="ID", help="Say that somebody has looked at this one.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that somebody has looked at.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Lists what changed in tools that others define, or acknowledges one of the changes.

    Ends with 1 where a tool is held until somebody looks.

    Example: stead tools drift --tenant acme --severity breaking
    """
    if acknowledge is not None:
        done = run(_acknowledge(tenant, acknowledge))
        output.say(f"{done.tool_slug} {done.version}: acknowledged")
        return
    found = run(_drifts(tenant, severity, everything))
    _print_drifts(found, as_json=as_json)
    if any(each.held and each.acknowledged_at is None for each in found):
        raise typer.Exit(1)


async def _list(slug: str, provider: str | None) -> list[CatalogEntry]:
    from stead import tools  # noqa: PLC0415

    found: list[CatalogEntry] = []
    async with as_service(slug) as opened:
        while True:
            async with opened.db.transaction(opened.principal, read_only=True) as tx:
                page = await tools.catalog.listing(
                    tx,
                    opened.principal,
                    provider=provider,
                    after=found[-1].spec.slug if found else "",
                    limit=500,
                )
            found += page
            if len(page) < 500:
                return found


async def _show(slug: str, name: str, version: str | None) -> CatalogEntry:
    from stead import tools  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        entry = await tools.catalog.look_up(tx, opened.principal, name, version)
        if entry is None:
            await tools.catalog.find(tx, opened.principal, name, version)
            raise tools.ToolUnknown
        return entry


def _read(file: Path) -> Any:
    try:
        return json.loads(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{file} cannot be read as JSON ({type(error).__name__})") from None


async def _put(slug: str, name: str, body: Any) -> CatalogEntry:
    from pydantic import ValidationError  # noqa: PLC0415

    from stead import tools  # noqa: PLC0415
    from stead.assembly.wiring import guard_of  # noqa: PLC0415
    from stead.http.tool_bodies import SaveTool  # noqa: PLC0415
    from stead.tools.templates import read_config  # noqa: PLC0415

    try:
        spec = SaveTool.model_validate(body).spec(name)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise tools.ToolInvalid(f"{where}: {first['msg']}") from None
    async with as_service(slug) as opened:
        read_config(spec.config, guard_of(opened.settings))
        async with opened.db.transaction(opened.principal) as tx:
            return await tools.catalog.put(tx, opened.principal, spec)


async def _refresh(slug: str, provider: str, toolkit: str) -> Enqueued:
    from stead import tools  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return await tools.warm_scan(
            tx, opened.principal, provider, toolkit, dispatch=opened.settings.dispatch
        )


async def _drifts(slug: str, severity: Any, everything: bool) -> list[Drift]:
    from stead import tools  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        page = await tools.drifts.listing(
            tx,
            opened.principal,
            severities=None if severity is None else [severity],
            acknowledged=None if everything else False,
            limit=200,
        )
        return page.items


async def _acknowledge(slug: str, drift: str) -> Drift:
    from stead import tools  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return await tools.drifts.acknowledge(tx, opened.principal, read_id(drift))


def _plain(entry: CatalogEntry) -> dict[str, Any]:
    from stead.tools.catalog import plain  # noqa: PLC0415

    about = {"status": entry.status, "current": entry.current, "updated_at": entry.updated_at}
    return {**plain(entry.spec), **about, "source": "code" if entry.shared else "tenant"}


def _print(entries: Sequence[CatalogEntry], *, as_json: bool) -> None:
    if as_json:
        for each in entries:
            sys.stdout.write(line(_plain(each)))
        return
    if not sys.stdout.isatty():
        for each in entries:
            said = (each.spec.slug, each.spec.version, each.spec.provider, each.spec.risk, each.status)
            sys.stdout.write("  ".join(said) + "\n")
        return
    if not entries:
        output.say("there is no tool", "dim")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("tool", "version", "provider", "risk", "status", "name"):
        table.add_column(name, no_wrap=name == "tool")
    for each in entries:
        status = each.status if each.status == "active" else f"[yellow]{each.status}[/]"
        spec = each.spec
        table.add_row(
            spec.slug, spec.version, spec.provider, spec.risk, status, escape(visible(spec.display_name))
        )
    output.out.print(table, soft_wrap=False)


def _print_drifts(drifts: Sequence[Drift], *, as_json: bool) -> None:
    if as_json:
        for each in drifts:
            sys.stdout.write(line(asdict(each)))
        return
    if not drifts:
        output.say("nothing changed that nobody has looked at", "dim")
        return
    for each in drifts:
        kinds = ", ".join(sorted({str(change["kind"]) for change in each.changes}))
        held = "held" if each.held and each.acknowledged_at is None else "-"
        said = (str(each.id), each.severity, held, each.tool_slug, each.version, kinds)
        sys.stdout.write("  ".join(visible(word) for word in said) + "\n")
