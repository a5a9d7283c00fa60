"""``stead outbox``: start, status, drain, retry-dlq (001's worker contract)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.access import Opened, opened_database, read_id, run
from stead.cli.errors import PortTaken
from stead.cli.output import line
from stead.cli.servers import load
from stead.core.ids import parse_id

if TYPE_CHECKING:
    from stead.assembly import Stead
    from stead.db import Database, Transaction
    from stead.http import Parts
    from stead.identity import Principal, Tenant
    from stead.outbox import Envelope

app = typer.Typer(help="The outbox: carry actions out, look at it, dead letters.", no_args_is_help=True)

Which = Annotated[str | None, typer.Option("--tenant", help="Only of this tenant: slug or id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command("start")
def start(
    target: Annotated[
        str | None, typer.Argument(help="Your application, as module:variable (a `Stead` object).")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Carry out one batch, and end.")] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serve /healthz and /metrics on this port; 0 takes a free one."
        ),
    ] = None,
) -> None:
    """Carries actions out, and nothing else. Any number of them against one database.

    Example: stead outbox start --metrics-port 9108
    """
    stead = load(target)
    done = run(_start(stead, metrics_port, once=once))
    if done is not None:
        output.say(f"{done} {'action' if done == 1 else 'actions'}")


@app.command("status")
def status(tenant: Which = None, as_json: AsJson = False) -> None:
    """Prints how much waits, and how many dead letters there are. Exits with 1 when these are too many.

    Example: stead outbox status --tenant acme
    """
    depths, limit = run(_status(tenant))
    tenants = sorted({slug for slug, _ in depths})
    if as_json:
        for slug in tenants:
            states = {state: n for (of, state), n in sorted(depths.items()) if of == slug}
            dead = states.pop("dlq", 0)
            sys.stdout.write(line({"tenant": slug, "dlq": dead, "depths": states}))
    elif output.out.is_terminal:
        table = Table("tenant", "state", "envelopes")
        for (slug, state), n in sorted(depths.items()):
            table.add_row(escape(slug), state, str(n))
        output.out.print(table)
    else:
        for (slug, state), n in sorted(depths.items()):
            sys.stdout.write(f"{slug}\t{state}\t{n}\n")
    over = [slug for slug in tenants if depths.get((slug, "dlq"), 0) > limit]
    if over:
        output.err.print(f"more than {limit} dead letters: {escape(', '.join(over))}", style="red")
        raise typer.Exit(1)


@app.command("drain")
def drain(
    tenant: Which = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many at most, of each tenant.")
    ] = 100,
) -> None:
    """Takes dead letters out, the oldest first; the policy judges each anew. All tenants' without --tenant.

    Example: stead outbox drain --tenant acme --limit 20
    """
    drained = run(_drain(tenant, limit))
    for envelope in drained:
        sys.stdout.write(f"{envelope.id}\t{envelope.status}\t{envelope.tool_slug}\n")
    output.err.print(f"{len(drained)} taken out", style="dim")


@app.command("retry-dlq")
def retry_dlq(
    tenant: Annotated[str, typer.Option(help="Whose: slug or id.")],
    envelope: Annotated[str, typer.Option(help="Its id.")],
) -> None:
    """Takes one dead letter out, once what was wrong is mended; the policy judges it anew.

    Example: stead outbox retry-dlq --tenant acme --envelope 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    revived = run(_retry(tenant, read_id(envelope)))
    output.say(f"{revived.id} is {revived.status}")


@contextlib.asynccontextmanager
async def as_service_of(text: str) -> AsyncGenerator[Opened]:
    """The database as the service of a tenant, by slug or id."""
    from stead.identity import tenant_service  # noqa: PLC0415

    async with opened_database() as (settings, access, db):
        tenant = await _tenant(db, text)
        yield Opened(settings=settings, access=access, db=db, principal=tenant_service(tenant))


async def _tenant(db: Database, text: str) -> Tenant:
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenants  # noqa: PLC0415

    tenant_id = parse_id(text)
    async with db.transaction(NOBODY, read_only=True) as tx:
        known = await tenants.find_by_id(tx, tenant_id) if tenant_id is not None else None
        return known or await tenants.find(tx, text)


async def _start(stead: Stead, metrics_port: int | None, *, once: bool) -> int | None:
    from stead.assembly.database import reach, require_migrated  # noqa: PLC0415
    from stead.assembly.maintenance import act  # noqa: PLC0415

    listening = None if metrics_port is None else _bind(stead.settings.host, metrics_port)
    access = await reach(stead.settings)
    await require_migrated(access)
    async with stead.open(access, "worker", delivers=False) as parts:
        if once:
            return await parts.outbox.run_once()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, parts.outbox.stop)
        token = stead.settings.metrics_token
        async with _telling(parts, listening, token.get_secret_value() if token else None):
            output.err.print("working", style="dim")
            await act(parts)
    return None


@contextlib.asynccontextmanager
async def _telling(
    parts: Parts, listening: socket.socket | None, token: str | None
) -> AsyncGenerator[None]:
    """Serves health and metrics meanwhile."""
    if listening is None:
        yield
        return
    import uvicorn  # noqa: PLC0415

    from stead.http.acting import acting_app  # noqa: PLC0415

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None]:
            # Signals are for the outbox, which lets its actions end first.
            yield

    server = Server(
        uvicorn.Config(acting_app(parts, token), log_config=None, access_log=False, lifespan="off")
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    host, port = listening.getsockname()[:2]
    output.err.print(f"health and metrics on http://{host}:{port}", style="dim")
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise PortTaken(
            f"cannot listen on {host}:{port}: {reason}", hint="Choose another: --metrics-port 0"
        ) from error


async def _status(text: str | None) -> tuple[dict[tuple[str, str], int], int]:
    from stead import outbox  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415

    async with opened_database() as (settings, _, db):
        tenant = None if text is None else await _tenant(db, text)
        async with db.transaction(NOBODY, read_only=True) as tx:
            found = await outbox.upkeep.depths(tx, None if tenant is None else tenant.id)
    return found, settings.outbox_dlq_limit


async def _drain(text: str | None, limit: int) -> list[Envelope]:
    from stead import outbox  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenant_service  # noqa: PLC0415

    drained: list[Envelope] = []
    async with opened_database() as (_, _, db):
        if text is None:
            async with db.transaction(NOBODY, read_only=True) as tx:
                depths = await outbox.upkeep.depths(tx)
            slugs = sorted(slug for slug, state in depths if state == "dlq")
        else:
            slugs = [text]
        for slug in slugs:
            service = tenant_service(await _tenant(db, slug))
            async with db.transaction(service) as tx:
                drained += await _drain_in(tx, service, limit)
    return drained


async def _drain_in(tx: Transaction, service: Principal, limit: int) -> list[Envelope]:
    from stead.actions import redriving  # noqa: PLC0415

    return await redriving.drain(tx, service, limit)


async def _retry(text: str, envelope_id: UUID) -> Envelope:
    from stead.actions import redriving  # noqa: PLC0415

    async with as_service_of(text) as opened, opened.db.transaction(opened.principal) as tx:
        return await redriving.redrive(tx, opened.principal, envelope_id)
