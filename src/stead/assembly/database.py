"""Which database to use, and as whom: the embedded server, or the one that a URL names."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg
import structlog

from stead.assembly import secrets
from stead.assembly.settings import Settings
from stead.db import embedded
from stead.db.embedded import EmbeddedServer
from stead.db.errors import DatabaseUnavailable, MigrationsPending, RoleTooPowerful
from stead.db.migrator import admin_connection, pending_files
from stead.db.pool import split_pooler_flag

_log = structlog.stdlib.get_logger(__name__)
RUNTIME_ROLE = "stead_api"


@dataclass(frozen=True, kw_only=True)
class DatabaseAccess:
    """How this process reaches its database.

    Args:
        runtime_url: The login of the server: no owner, no superuser, no BYPASSRLS.
        admin_url: The login of migrations and administration; None where it was not given.
        listen_url: A direct connection for LISTEN; None behind a transaction pooler.
        server: The embedded server, if that is it.
    """

    runtime_url: str = field(repr=False)
    admin_url: str | None = field(repr=False)
    listen_url: str | None = field(repr=False)
    server: EmbeddedServer | None = None


async def reach(settings: Settings, *, tcp_port: int | None = None) -> DatabaseAccess:
    """Finds the database; starts the embedded server where no URL is set.

    Args:
        settings: The settings.
        tcp_port: For the embedded server: also listen on this port of 127.0.0.1.

    Raises:
        EmbeddedServerFailed, DatabaseUnavailable: It cannot be had.
    """
    if settings.database_url is None:
        server = await asyncio.to_thread(_start, settings, tcp_port)
        runtime = server.dsn(user=RUNTIME_ROLE)
        return DatabaseAccess(
            runtime_url=runtime, admin_url=server.dsn(user="postgres"), listen_url=runtime, server=server
        )
    url = settings.database_url.get_secret_value()
    admin = settings.admin_database_url.get_secret_value() if settings.admin_database_url else None
    if admin is None and login_of(url) != RUNTIME_ROLE:
        # One URL was given and it is the owner's: the server logs in with a role of its own.
        admin, url = url, runtime_url(url, _derived_password(settings))
    listen: str | None = None
    if settings.listen_database_url is not None:
        listen = settings.listen_database_url.get_secret_value()
    elif not split_pooler_flag(url)[1]:
        listen = url
    return DatabaseAccess(runtime_url=url, admin_url=admin, listen_url=listen)


def _start(settings: Settings, tcp_port: int | None) -> EmbeddedServer:
    running = embedded.status(settings.home) if tcp_port is None else None
    if running is None:
        running = embedded.ensure_running(settings.home, tcp_port=tcp_port)
    if running.started_here:
        embedded.create_database(running, "stead")
    return running


async def prepare_login(access: DatabaseAccess) -> None:
    """Lets the server's role log in, with the password of its URL. After migrations."""
    password = urlsplit(access.runtime_url).password
    if access.admin_url is None or access.server is not None or password is None:
        return
    if access.admin_url == access.runtime_url:
        return
    async with admin_connection(access.admin_url) as connection:
        # Another process may have done it: changing a password breaks nobody's open connection.
        await connection.execute("select set_config('stead.new_password', $1, false)", unquote(password))
        await connection.execute(
            "do $$ begin execute format('alter role stead_api login password %L', "
            "current_setting('stead.new_password')); end $$"
        )


async def set_passwords(server: EmbeddedServer, password: str) -> None:
    """For the TCP port of the embedded server: the passwords of its logins."""
    async with admin_connection(server.dsn(user="postgres", database="postgres")) as connection:
        for role in ("postgres", RUNTIME_ROLE, "authenticator"):
            if await connection.fetchval("select to_regrole($1) is not null", role):
                await connection.execute("select set_config('stead.new_password', $1, false)", password)
                await connection.execute("select set_config('stead.login', $1, false)", role)
                await connection.execute(
                    "do $$ begin execute format('alter role %I login password %L', "
                    "current_setting('stead.login'), current_setting('stead.new_password')); end $$"
                )


async def check_login(access: DatabaseAccess) -> None:
    """Refuses a runtime login that row-level security does not hold.

    Raises:
        RoleTooPowerful: It is a superuser, has BYPASSRLS, owns one of the tables, or inherits rights.
        DatabaseUnavailable: It cannot log in.
    """
    address, _ = split_pooler_flag(access.runtime_url)
    try:
        connection = await asyncpg.connect(address, timeout=10, statement_cache_size=0)
    except (asyncpg.PostgresError, OSError) as error:
        raise DatabaseUnavailable.from_connect(address, error) from error
    try:
        fault = await connection.fetchval(
            """
            select case
              when r.rolsuper then 'is a superuser'
              when r.rolbypassrls then 'has BYPASSRLS'
              when exists (
                select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where c.relowner = r.oid and n.nspname in ('public', 'stead')) then 'owns tables'
            end
            from pg_roles r where r.rolname = current_user
            """
        )
    finally:
        await connection.close()
    if fault:
        raise RoleTooPowerful(
            f"the login {login_of(access.runtime_url)!r} {fault}",
            hint="Let the server log in as stead_api: give the owner's URL as STEAD_ADMIN_DATABASE_URL, or "
            "alone as STEAD_DATABASE_URL.",
        )


async def pending_migrations(url: str) -> list[str]:
    """Files that the database has not seen."""
    async with admin_connection(url) as connection:
        return await pending_files(connection)


async def require_migrated(access: DatabaseAccess) -> None:
    """Refuses a database whose schema is older than this version.

    Raises:
        MigrationsPending: It says how many.
    """
    if access.admin_url is not None:
        await prepare_login(access)
    pending = await pending_migrations(access.admin_url or access.runtime_url)
    if pending:
        raise MigrationsPending(
            f"{len(pending)} migrations are pending, the first is {pending[0]}",
            hint="Run `stead db migrate`.",
        )


def login_of(url: str) -> str:
    """The role that a URL logs in as, without a pooler's project suffix."""
    return unquote(urlsplit(url).username or "").partition(".")[0]


def runtime_url(admin_url: str, password: str) -> str:
    """The same database as ``stead_api``. A pooler's suffix of the user name (``postgres.project``) stays."""
    parts = urlsplit(admin_url)
    _, dot, project = unquote(parts.username or "").partition(".")
    where = parts.netloc.rpartition("@")[2]
    login = f"{quote(RUNTIME_ROLE + dot + project, safe='.')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{where}"))


def _derived_password(settings: Settings) -> str:
    # Derived and not random: every host that has the same secret comes to the same password.
    key = secrets.service_secret(settings) or secrets.jwt_secret(settings)
    return hmac.new(key.encode(), b"stead database login", hashlib.sha256).hexdigest()
