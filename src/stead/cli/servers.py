"""Processes: ``up``, ``serve``, ``worker``, ``down``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from stead.assembly import Settings, load_settings
from stead.assembly.collector import calm_collector
from stead.assembly.database import (
    DatabaseAccess,
    prepare_login,
    reach,
    require_migrated,
    set_passwords,
)
from stead.assembly.logs import configure_logging
from stead.cli import output
from stead.cli.access import run
from stead.cli.errors import JobNotClaimable, PortTaken
from stead.core.errors import SteadError
from stead.db import embedded
from stead.db.migrator import migrate

if TYPE_CHECKING:
    from stead.assembly import Stead
    from stead.http import Parts

Target = Annotated[
    str | None, typer.Argument(help="Your application, as module:variable (a `Stead` object).")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")]


def up(
    target: Target = None,
    host: Host = None,
    port: Port = None,
    db_port: Annotated[
        int | None,
        typer.Option(help="Also open the embedded database on this port of 127.0.0.1, with a password."),
    ] = None,
) -> None:
    """Database, migrations, demo tenant, API and worker in one process, for development.

    Example: stead up myproject.agents:app --port 9000
    """
    stead = load(target, host=host, port=port)
    run(_up(stead, db_port, target))


def serve(target: Target = None, host: Host = None, port: Port = None) -> None:
    """The API. Any number of them against one database.

    Example: STEAD_DATABASE_URL=postgresql://… stead serve --host 0.0.0.0
    """
    stead = load(target, host=host, port=port)
    run(_serve(stead))


def worker(
    target: Target = None,
    job: Annotated[
        UUID | None, typer.Option(help="Run exactly this job, in this process, and end with it.")
    ] = None,
) -> None:
    """Background work: jobs, rescue, embedding, sweeping. Any number of them against one database.

    Example: stead worker myproject.agents:app
    """
    stead = load(target)
    run(_work(stead, target) if job is None else _work_one(stead, job))


def down() -> None:
    """Stops the embedded database, if one is running."""
    settings = load_settings()
    stopped = embedded.stop(settings.home)
    output.say("stopped" if stopped else "no embedded database was running")


def load(target: str | None, **overrides: Any) -> Stead:
    """The application of a command line, or one of the settings alone; logs go where it says."""
    from stead.assembly import Stead  # noqa: PLC0415 - every part, which `stead --help` need not load
    from stead.assembly.target import load_target  # noqa: PLC0415

    stead = load_target(target) if target else Stead()
    given = {name: value for name, value in overrides.items() if value is not None}
    stead = stead.with_settings(**given) if given else stead
    configure_logging(stead.settings)
    calm_collector()
    return stead


async def _up(stead: Stead, db_port: int | None, target: str | None) -> None:
    from stead.apps import mentor  # noqa: PLC0415
    from stead.assembly import demo, organisations, secrets  # noqa: PLC0415
    from stead.assembly.maintenance import maintain  # noqa: PLC0415

    settings = stead.settings
    listening = _bind(settings)
    access = await reach(settings, tcp_port=db_port)
    try:
        if access.admin_url is not None:
            await migrate(access.admin_url, report=lambda name: output.say(f"migrating {name}", "dim"))
            await prepare_login(access)
        if access.server is not None and db_port is not None:
            await set_passwords(access.server, secrets.database_password(settings.home))

        async def after_start(parts: Parts) -> None:
            if access.admin_url is not None and not settings.is_production:
                tenant = await demo.seed(access.admin_url, parts.db)
                for folder in mentor.shipped().values():
                    await organisations.seed(
                        access.admin_url, parts.db, mentor.read_organisation(folder), only_missing=True
                    )
                profile = await demo.ensure_profile(parts.db, tenant, "you@example.com")
                token = _development_token(settings, str(tenant.id), profile)
                _welcome(settings, listening, token, access)

        async def work(parts: Parts) -> None:
            await maintain(parts, access.admin_url)

        await _run_server(stead, access, listening, after_start, work, solitary_command=_alone(target))
    finally:
        if access.server is not None and access.server.started_here:
            await asyncio.to_thread(embedded.stop, settings.home)


async def _serve(stead: Stead) -> None:
    listening = _bind(stead.settings)
    access = await reach(stead.settings)
    await require_migrated(access)

    async def after_start(parts: Parts) -> None:
        del parts
        output.err.print(f"serving on {_address(listening)}", style="dim")

    await _run_server(stead, access, listening, after_start, None)


async def _work(stead: Stead, target: str | None) -> None:
    from stead.assembly.maintenance import maintain  # noqa: PLC0415

    access = await reach(stead.settings)
    await require_migrated(access)
    async with stead.open(access, "worker", solitary_command=_alone(target)) as parts:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, parts.stop_working)
        output.err.print("working", style="dim")
        await maintain(parts, access.admin_url)


async def _work_one(stead: Stead, job: UUID) -> None:
    access = await reach(stead.settings)
    await require_migrated(access)
    async with stead.open(access, "worker", delivers=False) as parts:
        if not await parts.worker.run_one(job):
            raise JobNotClaimable(
                f"job {job} is not there, has ended, waits, or runs elsewhere",
                hint=f"stead jobs show {job}",
            )


def _alone(target: str | None) -> list[str]:
    """The command that runs one job in a process of its own, of the same application."""
    return [sys.executable, "-m", "stead", "worker", *([target] if target else []), "--job"]


async def _run_server(
    stead: Stead,
    access: DatabaseAccess,
    listening: socket.socket,
    after_start: Callable[[Parts], Awaitable[None]],
    maintain: Callable[[Parts], Awaitable[None]] | None,
    *,
    solitary_command: Sequence[str] | None = None,
) -> None:
    import uvicorn  # noqa: PLC0415

    from stead.http.serving import server_options  # noqa: PLC0415

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Parts]:
        async with stead.open(
            access, "up" if maintain else "serve", solitary_command=solitary_command
        ) as parts:
            await after_start(parts)
            chores = asyncio.ensure_future(maintain(parts)) if maintain else None
            try:
                yield parts
            finally:
                if chores is not None:
                    parts.stop_working()
                    await chores

    failure: list[SteadError] = []

    @asynccontextmanager
    async def telling() -> AsyncGenerator[Parts]:
        # uvicorn turns an exception at start into a log line; the person gets the error itself.
        try:
            async with opened() as parts:
                yield parts
        except SteadError as error:
            failure.append(error)
            raise

    config = uvicorn.Config(
        stead.http(telling),
        **server_options(drain_s=stead.settings.drain_s, stall_s=stead.settings.stall_s),
    )

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None]:
            # uvicorn would raise the signal again when it has stopped, and so end this process before the
            # database is stopped.
            yield

    server = Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.handle_exit, number, None)
    await server.serve(sockets=[listening])
    if failure:
        raise failure[0]


def _bind(settings: Settings) -> socket.socket:
    """Takes the port before anything is started, so that a taken one changes nothing."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise PortTaken(
            f"cannot listen on {settings.host}:{settings.port}: {reason}",
            hint=f"Stop what runs there, or choose another: --port {settings.port + 1}",
        ) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _development_token(settings: Settings, tenant_id: str, profile_id: str) -> str:
    from stead.assembly import secrets  # noqa: PLC0415
    from stead.identity.jwt import SteadTokens  # noqa: PLC0415

    return SteadTokens(secrets.jwt_secret(settings)).issue_development(
        tenant_id, profile_id, "you@example.com", "authenticated", 7 * 24 * 3600
    )


def _command_name() -> str:
    """How this command is called from here: by its name where that finds it, else by its path."""
    me = Path(sys.argv[0]).absolute()
    found = shutil.which("stead")
    if found is not None and Path(found).absolute() == me:
        return "stead"
    return os.path.relpath(me) if me.is_relative_to(Path.cwd()) else str(me)


def _welcome(settings: Settings, listening: socket.socket, token: str, access: DatabaseAccess) -> None:
    address = _address(listening)
    stead = _command_name()
    # Another port than the settings say is known to this process only.
    there = "" if load_settings().port == listening.getsockname()[1] else f" --url {address}"
    lines = [
        f"Stead is up on {address}   (API: {address}/docs, console: {address}/console)",
        f"model: {settings.model}"
        + (
            "   no language model is configured: answers are made by rule"
            if settings.model == "offline"
            else ""
        ),
        f"development token (tenant demo, you@example.com, 7 days):\n  {token}",
    ]
    if access.server is not None and access.server.port is not None:
        from stead.assembly import secrets  # noqa: PLC0415

        password = secrets.database_password(settings.home)
        lines.append(f"database: postgresql://postgres:{password}@127.0.0.1:{access.server.port}/stead")
    lines += [
        "three things to try:",
        f"  {stead} chat{there}   talk, tell it something about yourself, leave with Ctrl-D",
        f"  {stead} chat{there}   come back in a new session: ask what it knows about you",
        f'  curl -s {address}/api/sessions -H "Authorization: Bearer $({stead} token)"',
        "stop with Ctrl-C",
    ]
    for line in lines:
        output.say(line)
    sys.stdout.flush()
