"""``stead mcp``: a person's memory for a client of the Model Context Protocol, over standard input and output."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import asyncpg
import typer

from stead.assembly import Settings, load_settings
from stead.assembly.database import DatabaseAccess, check_login, reach, require_migrated
from stead.assembly.logs import configure_logging
from stead.cli import output
from stead.cli.access import read_id, run
from stead.cli.memory import TenantSlug, find_person
from stead.db import CONNECTION_LOST, embedded
from stead.db.migrator import admin_connection

if TYPE_CHECKING:
    from stead.db import Database
    from stead.identity import Principal


def mcp(
    profile: Annotated[str, typer.Option(help="Whose memory: an email address or the profile's id.")],
    tenant: TenantSlug = "demo",
    session: Annotated[
        str | None, typer.Option(help="A session's id: memories are noted as coming from it.")
    ] = None,
) -> None:
    """Offers a person's memory to an MCP client, which starts this and speaks to it over stdin and stdout.

    Example: stead mcp --profile ann@example.com
    """
    settings = load_settings()
    configure_logging(settings)
    session_id = read_id(session) if session is not None else None
    if sys.stdin.isatty():
        output.err.print(
            "speaking MCP on stdin; a client starts this by itself. Ctrl-C ends it", style="dim"
        )
    run(_serve(settings, tenant, profile, session_id))


async def _serve(settings: Settings, slug: str, profile: str, session_id: UUID | None) -> None:
    from stead.adapters.mcp import MemoryTools  # noqa: PLC0415
    from stead.adapters.mcp.server import build_server  # noqa: PLC0415 - a second to import
    from stead.adapters.mcp.stdio import serve  # noqa: PLC0415
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.db import Database, PoolConfig  # noqa: PLC0415
    from stead.http.problems import explain  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with _database(settings) as access:
        await require_migrated(access)
        await check_login(access)
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=5))
        try:
            owner = await _owner(db, slug, profile, session_id)
            embedder = build_embedder(settings.embedder, embedder_config(settings))
            try:
                tools = MemoryTools(db, owner, embedder, session_id=session_id)
                server = build_server(tools, explain=explain, version=version("stead"))
                await serve(server, stop)
            finally:
                await embedder.aclose()
        finally:
            await db.close()


async def _owner(db: Database, slug: str, profile: str, session_id: UUID | None) -> Principal:
    """The person; found and not made, as a misspelt address would be somebody who knows nothing.

    Raises:
        TenantUnknown: There is no such tenant.
        Invalid: Nobody has that address.
        MemoryOwnerUnknown: Nobody has that id, or the session is somebody else's.
    """
    from stead.adapters.people import find_tenant, of_profile  # noqa: PLC0415
    from stead.identity import tenant_service  # noqa: PLC0415
    from stead.memory import scopes  # noqa: PLC0415

    tenant = await find_tenant(db, slug)
    service = tenant_service(tenant)
    async with db.transaction(service, read_only=True) as tx:
        profile_id = await find_person(tx, service, profile)
        await scopes.resolve(tx, service, profile_id=profile_id, session_id=session_id)
    return of_profile(tenant, profile_id)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[DatabaseAccess]:
    """The database. This stays for hours beside others of its kind, each started by another client: of those
    that use an embedded server the last one stops it, whoever started it."""
    access = await reach(settings)
    if access.server is None or access.admin_url is None:
        yield access
        return
    alone = False
    try:
        # Held for as long as this runs: the others see it, even while it is idle.
        async with admin_connection(access.admin_url) as presence:
            try:
                yield access
            finally:
                # Where it does not answer any more, it was stopped already.
                with contextlib.suppress(asyncpg.PostgresError, *CONNECTION_LOST):
                    alone = await presence.fetchval(
                        "select count(*) = 0 from pg_stat_activity "
                        "where backend_type = 'client backend' and pid <> pg_backend_pid()"
                    )
    finally:
        if alone:
            await asyncio.to_thread(embedded.stop, settings.home)
