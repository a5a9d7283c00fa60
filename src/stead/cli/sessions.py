"""``stead sessions``: reap."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from stead.assembly import load_settings
from stead.cli import output
from stead.cli.access import database, run
from stead.core.errors import Invalid

app = typer.Typer(help="Sessions: conversations with agents.", no_args_is_help=True)
_UNITS_S: Final = {"m": 60, "h": 3600, "d": 86_400}


@app.command("reap")
def reap_command(
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Idle for so long: 90m, 24h, 7d. Without it: STEAD_SESSION_TIMEOUT_H.",
        ),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant (its slug).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ends sessions that nobody uses any more, with the status timeout; never one that is being answered.

    A worker does this by itself every five minutes.

    Example: stead sessions reap --older-than 24h --tenant acme --dry-run
    """
    idle_s = _idle_s(older_than)
    counts = run(_reap(idle_s, tenant, dry_run=dry_run))
    total = sum(counts.values())
    if as_json:
        output.print_json(
            {"sessions": total, "dry_run": dry_run, "older_than_s": idle_s, "tenants": counts}
        )
        return
    for slug, count in sorted(counts.items()):
        output.say(f"{slug}  {count}")
    output.say(f"{total} {'would be' if dry_run else 'were'} ended")


def _idle_s(older_than: str | None) -> float:
    if older_than is None:
        hours = load_settings().session_timeout_h
        if not hours:
            raise Invalid(
                "sessions never time out here: STEAD_SESSION_TIMEOUT_H is 0",
                hint="Add --older-than 24h.",
            )
        return hours * 3600
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([mhd])", older_than)
    if match is None:
        raise Invalid(f"{older_than!r} is no time", hint="A number with m, h or d: 90m, 24h, 7d.")
    from stead.sessions.reaping import check_idle  # noqa: PLC0415

    idle_s = float(match[1]) * _UNITS_S[match[2]]
    check_idle(idle_s)
    return idle_s


async def _reap(idle_s: float, slug: str | None, *, dry_run: bool) -> dict[str, int]:
    from stead import sessions  # noqa: PLC0415
    from stead.db import NOBODY, Database, PoolConfig  # noqa: PLC0415
    from stead.identity import tenants  # noqa: PLC0415

    async with database(load_settings()) as access:
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=1))
        try:
            tenant_id = None
            if slug is not None:
                async with db.transaction(NOBODY, read_only=True) as tx:
                    tenant_id = (await tenants.find(tx, slug)).id
            if dry_run:
                return await sessions.count_idle(db, idle_s, tenant_id=tenant_id)
            counts: dict[str, int] = {}
            while reaped := await sessions.reap(db, idle_s, tenant_id=tenant_id):
                for name, count in reaped.items():
                    counts[name] = counts.get(name, 0) + count
            return counts
        finally:
            await db.close()
