"""``stead db``: migrate, status, vectorize, index, legacy, export, psql."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stead.assembly import load_settings
from stead.assembly.database import DatabaseAccess, login_of, prepare_login
from stead.cli import output
from stead.cli.access import database, run
from stead.core.errors import Invalid
from stead.db import embedded
from stead.db.migrator import MigrationStatus, admin_connection, export_migrations, migrate, read_status

if TYPE_CHECKING:
    from stead.apps.marketplace.legacy import Moved

app = typer.Typer(help="The database: migrations, and a shell.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("migrate")
def migrate_command() -> None:
    """Brings the database up to this version; bootstraps it first where it is not Supabase.

    Example: STEAD_DATABASE_URL=postgresql://postgres:…@db.example.com/postgres stead db migrate
    """
    run(_migrate())


async def _migrate() -> None:
    settings = load_settings()
    async with database(settings) as access:
        owner = _owner_url(access, "migrate")
        applied: list[str] = []

        def report(name: str) -> None:
            applied.append(name)
            output.say(f"applying {name}")

        await migrate(owner, report=report)
        await prepare_login(access)
        output.say(f"{len(applied)} applied; the schema is up to date" if applied else "up to date")


def _owner_url(access: DatabaseAccess, verb: str) -> str:
    if access.admin_url is None:
        raise Invalid(
            f"the login {login_of(access.runtime_url)!r} may not {verb}",
            hint="Set STEAD_ADMIN_DATABASE_URL to the owner's URL.",
        )
    return access.admin_url


@app.command("vectorize")
def vectorize_command() -> None:
    """Upgrades vectors to pgvector's type, on a database that was migrated before the extension was there.

    Servers may run meanwhile. Interrupted, it goes on where it was; run again, it does nothing.

    Example: STEAD_ADMIN_DATABASE_URL=postgresql://postgres:…@db.example.com/stead stead db vectorize
    """
    run(_vectorize())


async def _vectorize() -> None:
    from stead.knowledge import vectorize  # noqa: PLC0415

    async with database(load_settings()) as access:
        async with admin_connection(_owner_url(access, "change the table of vectors")) as owner:
            done = await vectorize(owner, report=output.say)
        if done.changed:
            output.say(f"vectors are of pgvector's type now (pgvector {done.version})")
        else:
            output.say(f"nothing to do: vectors are of pgvector's type (pgvector {done.version})")


@app.command("index")
def index_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Gives large collections of vectors an index, and takes it from those that shrank.

    The worker does the same every ten minutes where it knows the owner's URL.

    Example: stead db index --dry-run
    """
    run(_index(trial=dry_run))


async def _index(*, trial: bool) -> None:
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.knowledge import index_large_scopes  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    settings = load_settings()
    embedder = build_embedder(settings.embedder, embedder_config(settings))
    async with database(settings) as access:
        owner = _owner_url(access, "build indexes")
        done = await index_large_scopes(
            lambda: admin_connection(owner), embedder, trial=trial, report=output.say
        )
    await embedder.aclose()
    if done.skipped is not None:
        output.say(f"nothing was done: {done.skipped}", "yellow")
        return
    would = "to be " if trial else ""
    for verb, collections in (("built", done.built), ("dropped", done.dropped), ("failed", done.failed)):
        for c in collections:
            where = f"tenant {c.tenant_id}, scope {c.scope_id}, {c.kind}"
            output.say(f"{would}{verb}: {c.documents} documents ({where})")
    if not (done.built or done.dropped or done.failed or done.cleared):
        output.say("nothing to do: every collection that is large enough has its index")
    if done.failed:
        raise typer.Exit(1)


@app.command("legacy")
def legacy_command(
    tenant: Annotated[str, typer.Option("--tenant", help="Whose the rows become: its slug.")],
    apply: Annotated[bool, typer.Option("--apply", help="Move the rows, not only count them.")] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="With --apply: drop tables of which every row was moved.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --drop: also those with rows that were not moved.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Moves the rows of document 000's deprecated tables to where they belong now.

    These are comparison_sessions, comparison_candidates, integration_events and anonymous_prompts. Says what it
    would do, until told to --apply it. Interrupted, or run again, it goes on where it was. Exits with 3 when rows
    were not moved.

    Example: stead db legacy --tenant demo --apply
    """
    if (drop and not apply) or (force and not drop):
        raise typer.BadParameter("--drop goes with --apply, and --force with --drop")
    done = run(_legacy(tenant, apply=apply, drop=drop, force=force))
    if as_json:
        output.print_json(
            [{**vars(table), "left": dict(table.left), "applied": apply} for table in done]
        )
    elif not done:
        output.say("nothing to do: there are no such tables")
    else:
        for table in done:
            verb = "moved" if apply else "would be moved"
            said = f"{table.table}: {table.rows} rows, {table.moved} {verb}, {table.there} were there"
            left = ", ".join(f"{n} {reason}" for reason, n in sorted(table.left.items()))
            output.say(said + (f"; left: {left}" if left else ""), "yellow" if left else "green")
            if table.dropped:
                output.say(f"{table.table}: dropped")
            elif table.kept_because:
                output.say(f"{table.table}: kept, because {table.kept_because}", "yellow")
        if not apply:
            output.say("nothing was changed: add --apply", "dim")
    if any(table.left for table in done):
        raise typer.Exit(3)


async def _legacy(tenant: str, *, apply: bool, drop: bool, force: bool) -> list[Moved]:
    from stead.apps.marketplace.legacy import move_legacy  # noqa: PLC0415

    async with (
        database(load_settings()) as access,
        admin_connection(_owner_url(access, "move rows")) as owner,
    ):
        return await move_legacy(owner, tenant, apply=apply, drop=drop, force=force)


@app.command("status")
def status_command(as_json: AsJson = False) -> None:
    """What is applied and what is pending; exits with 3 when something is pending."""
    status = run(_status())
    if as_json:
        output.print_json(
            {
                "applied": [m.file_name for m in status.applied],
                "pending": [m.file_name for m in status.pending],
                "drifted": [m.file_name for m in status.drifted],
                "foreign": list(status.foreign),
            }
        )
    else:
        for migration in status.applied:
            mark = "drifted" if migration in status.drifted else "applied"
            output.say(f"{mark}  {migration.file_name}", "red" if mark == "drifted" else "green")
        for migration in status.pending:
            output.say(f"pending  {migration.file_name}", "yellow")
        if status.foreign:
            output.say(f"{len(status.foreign)} other migrations in the ledger are not Stead's", "dim")
        if not status.pending:
            output.say("nothing is pending")
    if status.pending or status.drifted:
        raise typer.Exit(3)


async def _status() -> MigrationStatus:
    async with (
        database(load_settings()) as access,
        admin_connection(access.admin_url or access.runtime_url) as connection,
    ):
        return await read_status(connection)


@app.command("export")
def export_command(
    folder: Annotated[Path, typer.Argument(help="Such as supabase/migrations.")],
) -> None:
    """Writes the migrations as files for `supabase db push`.

    Example: stead db export supabase/migrations
    """
    written = export_migrations(folder)
    for path in written:
        output.say(str(path))
    output.say(f"{len(written)} files written" if written else "all files are there already")


@app.command("psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql_command(context: typer.Context) -> None:
    """Opens psql on the database; further arguments go to it.

    Example: stead db psql -c "select count(*) from agent_memories"
    """
    settings = load_settings()
    if settings.database_url is None:
        server = embedded.status(settings.home)
        if server is None:
            server = embedded.ensure_running(settings.home)
            output.err.print("the embedded database was started; stop it with `stead down`", style="dim")
        url, psql = server.dsn(user="postgres"), str(embedded.psql_path())
    else:
        admin = settings.admin_database_url or settings.database_url
        url, psql = admin.get_secret_value(), shutil.which("psql") or str(embedded.psql_path())
    os.execv(psql, [psql, url, *context.args])  # noqa: S606 - psql itself, with the arguments as given
