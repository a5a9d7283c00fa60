"""The commands and how they are put together."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from stead.cli import (
    accounts,
    approvals,
    audit,
    audit_proofs,
    audit_reading,
    chat,
    database,
    doctor,
    events,
    evidence,
    guardrails,
    jobs,
    mcp,
    memory,
    memory_eval,
    memory_forget,
    openapi,
    outbox,
    output,
    queues,
    schedules,
    servers,
    sessions,
    tenants,
    tools,
)
from stead.core.errors import SteadError

app = typer.Typer(
    name="stead",
    help="The backend that AI agents live in: one PostgreSQL, one Python package.",
    epilog="Begin with: stead up   Then, in another terminal: stead chat",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(servers.up)
app.command("serve")(servers.serve)
app.command("worker")(servers.worker)
app.command("down")(servers.down)
app.command("chat")(chat.chat)
app.command("mcp")(mcp.mcp)
app.command("token")(tenants.token)
app.command("doctor")(doctor.doctor)
app.command("openapi")(openapi.openapi)
app.add_typer(database.app, name="db")
app.add_typer(tenants.app, name="tenant")
memory.app.command("forget")(memory_forget.forget)
memory.app.command("report")(memory_eval.report)
memory.app.command("eval")(memory_eval.evaluate)
app.add_typer(memory.app, name="memory")
app.add_typer(sessions.app, name="sessions")
audit.app.add_typer(audit_proofs.app)
audit.app.add_typer(audit_reading.app)
app.add_typer(audit.app, name="audit")
app.add_typer(events.app, name="events")
app.add_typer(evidence.app, name="evidence")
jobs.app.add_typer(queues.app, name="queues")
app.add_typer(jobs.app, name="jobs")
app.add_typer(schedules.app, name="schedules")
app.add_typer(tools.app, name="tools")
app.add_typer(guardrails.app, name="guardrails")
app.add_typer(outbox.app, name="outbox")
app.add_typer(approvals.app, name="approvals")
app.add_typer(accounts.app, name="accounts")


def _print_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"stead {version('stead')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """The entry point of ``stead``."""
    try:
        app()
    except SteadError as error:
        output.complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
