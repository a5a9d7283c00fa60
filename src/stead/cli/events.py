"""``stead events``: the catalogue and the funnel. Without a running server."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.access import as_service, run
from stead.cli.moments import read_moment
from stead.cli.output import visible

if TYPE_CHECKING:
    from stead.analytics import Funnel, Stage

app = typer.Typer(help="Events: what happens on the way to a purchase.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; a pipe gets it anyhow.")]


@app.command("catalog")
def catalog(as_json: AsJson = False) -> None:
    """Lists the events that there are, with their properties.

    Example: stead events catalog --json
    """
    from stead.analytics import CATALOGUE, VERSION  # noqa: PLC0415

    if as_json or not output.out.is_terminal:
        output.print_json({"version": VERSION, "events": [asdict(event) for event in CATALOGUE]})
        return
    table = Table("event", "properties", "told by", "when", box=None)
    for event in CATALOGUE:
        names = ", ".join(each.name + ("" if each.required else "?") for each in event.properties)
        table.add_row(event.name, names, event.fired_by, event.trigger)
    output.out.print(table)


@app.command("funnel")
def funnel(
    since: Annotated[
        str | None,
        typer.Option("--from", help="From this moment (ISO 8601); thirty days before the end."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Before this moment (ISO 8601); now without it.")
    ] = None,
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")] = "demo",
    as_json: AsJson = False,
) -> None:
    """Shows how many sessions came to each phase and step, went on, left, and bought or booked.

    Example: stead events funnel --tenant acme --from 2026-11-01
    """
    found = run(_funnel(tenant, since, until))
    if as_json or not output.out.is_terminal:
        output.print_json(_plain(found))
        return
    first, last = (
        moment.astimezone(UTC).isoformat("T", "minutes") for moment in (found.since, found.until)
    )
    output.say(f"{first} to {last}", "dim")
    for total in found.totals:
        output.say(f"{total.name}: {total.sessions} sessions, {total.events} events")
    table = Table("phase", "step", "came", "finished", "went on", "left", "bought", "median", box=None)
    for phase in found.phases:
        table.add_row(*_cells(phase))
        for step in found.steps:
            if step.phase == phase.phase:
                table.add_row(*_cells(step))
    output.out.print(table)


async def _funnel(slug: str, since: str | None, until: str | None) -> Funnel:
    from stead import analytics  # noqa: PLC0415

    first, last = read_moment(since), read_moment(until)
    async with as_service(slug) as opened, opened.db.transaction(opened.principal, read_only=True) as tx:
        return await analytics.funnel.measure(tx, opened.principal, since=first, until=last)


def _plain(found: Funnel) -> dict[str, object]:
    return {
        "from": found.since.isoformat(),
        "to": found.until.isoformat(),
        "totals": [asdict(total) for total in found.totals],
        "phases": [_record(stage) for stage in found.phases],
        "steps": [_record(stage) for stage in found.steps],
    }


def _record(stage: Stage) -> dict[str, object]:
    return {**asdict(stage), "share": stage.share}


def _cells(stage: Stage) -> list[str]:
    return [
        "" if stage.step else escape(visible(stage.phase)),
        escape(visible(stage.step or "")),
        str(stage.sessions),
        str(stage.completed),
        f"{stage.went_on} ({stage.share:.0%})",
        str(stage.dropped),
        str(stage.converted),
        "" if stage.median_s is None else f"{stage.median_s:.0f} s",
    ]
