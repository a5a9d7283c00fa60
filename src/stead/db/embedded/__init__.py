"""The embedded PostgreSQL server: nothing to install, one per home folder.

The server belongs to no process: whoever needs it starts or reuses it, and it goes on until ``stop``.
Functions here block (callers run them in a thread) and may be called by several processes at once.

Who can connect. Through the Unix socket: the system user that the server runs as, and root; nobody else
gets into the socket's folder (0700), and ``peer`` authentication makes the kernel vouch for the caller.
Those two may log in as any database role, without a password. Over TCP (only if asked for, only on
127.0.0.1): whoever has the role's password, by SCRAM.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from stead.db.embedded import process
from stead.db.embedded.account import Account, account_for, let_in
from stead.db.embedded.cluster import (
    Home,
    bin_dir,
    check_data,
    environment,
    initialise,
    make_folder,
    rotate_log,
    socket_dir,
    write_configuration,
)
from stead.db.embedded.server import SOCKET_PORT, EmbeddedServer, psql_path, run_sql
from stead.db.errors import EmbeddedServerBusy, EmbeddedServerFailed, EmbeddedServerForbidden

__all__ = [
    "EmbeddedServer",
    "bin_dir",
    "create_database",
    "ensure_running",
    "psql_path",
    "status",
    "stop",
]

_STOP_TIMEOUT_S: Final = 60.0

StopMode = Literal["smart", "fast", "immediate"]


def ensure_running(
    home: Path,
    *,
    tcp_port: int | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> EmbeddedServer:
    """Start the server of this folder, or reuse the one that runs.

    Args:
        home: The folder for the data and everything that belongs to it; made if it is missing.
        tcp_port: Also listen on 127.0.0.1 at this port. A server that runs with another port (or none,
            or one where now there is to be none) is restarted if nobody is connected to it.
        settings: PostgreSQL settings that win over all others, for a server that is started here.

    Raises:
        EmbeddedServerFailed: it does not start; with the end of its log.
        EmbeddedServerBusy: the port would change under its users, or another process holds the folder.
        EmbeddedServerForbidden: the data belongs to another user or lies where the server cannot go.
        EmbeddedDataVersion: another major version of PostgreSQL wrote the data.
    """
    _require_posix()
    paths = Home.at(home)
    make_folder(paths.path)
    account = account_for(paths.data)
    try:
        with process.exclusive(paths.lock, account):
            running = _settled(paths, account)
            if running is not None:
                if running.reachable and _tcp_port(running) == tcp_port:
                    return _server(paths, running, started_here=False)
                _stop_if_idle(paths, account, running, tcp_port)
            return _start(paths, account, tcp_port, settings)
    except PermissionError as error:
        raise _forbidden(paths, error) from error
    except OSError as error:
        raise EmbeddedServerFailed(
            f"the embedded server in {paths.path} cannot be started: {error}",
            hint="Set STEAD_HOME to a folder on a local disk.",
        ) from error


def status(home: Path) -> EmbeddedServer | None:
    """The server of this folder if it runs and accepts connections, whoever started it."""
    _require_posix()
    paths = Home.at(home)
    try:
        running = process.find(paths.data)
        if running is None or not running.reachable:
            return None
    except PermissionError as error:
        raise _forbidden(paths, error) from error
    return _server(paths, running, started_here=False)


def stop(home: Path, *, mode: StopMode = "fast") -> bool:
    """Stop the server of this folder, whoever started it, and wait until all its processes are gone.

    Args:
        home: The folder given to ``ensure_running``.
        mode: ``smart`` waits for clients to leave (up to a minute), ``fast`` ends their transactions,
            ``immediate`` drops everything and leaves recovery to the next start.

    Returns:
        True if there was a server to stop.

    Raises:
        EmbeddedServerBusy: clients did not leave (``smart``), or it did not end within a minute.
        EmbeddedServerForbidden: the server belongs to another user.
    """
    _require_posix()
    paths = Home.at(home)
    try:
        if not paths.data.exists():
            return False
        account = account_for(paths.data)
        with process.exclusive(paths.lock, account):
            running = process.find(paths.data)
            if running is None:
                return False
            _stop(paths, account, running, mode)
            return True
    except PermissionError as error:
        raise _forbidden(paths, error) from error


def create_database(server: EmbeddedServer, name: str) -> None:
    """Create a database owned by the superuser, if there is none of that name."""
    paths = Home(server.data_dir.parent)
    sql = (
        "select format('create database %I', :'name') "
        "where not exists (select from pg_database where datname = :'name') \\gexec\n"
    )
    with process.exclusive(paths.lock, account_for(paths.data)):
        run_sql(server, sql, name=name)


def _start(
    paths: Home, account: Account, tcp_port: int | None, settings: Mapping[str, str]
) -> EmbeddedServer:
    present = check_data(paths.data)
    postgres = bin_dir() / "postgres"
    with process.held(paths.held, account, paths.cluster_name) as held_fd:
        let_in(account, program=postgres, folder=paths.path)
        if not present:
            initialise(paths, account, sync=settings.get("fsync") != "off")
        elif account.switch and paths.data.stat().st_uid == 0:
            account.own_tree(paths.data)
        essential = {
            "listen_addresses": "" if tcp_port is None else "127.0.0.1",
            "port": str(tcp_port or SOCKET_PORT),
            "unix_socket_directories": str(socket_dir(paths, account)),
            "unix_socket_permissions": "0700",
        }
        argv = [str(postgres), "-D", str(paths.data), *write_configuration(paths, account)]
        for setting, value in {**settings, **essential}.items():
            argv += ["-c", f"{setting}={value}"]
        # PostgreSQL will not start while the process id in a left-over postmaster.pid is anyone's, such
        # as after a reboot. It makes an exception for the id named here (meant for pg_ctl's parent) and
        # keeps its other checks. The lock just taken proves that no server of this folder has that id.
        stale = process.stale_pid(paths.data)
        env = environment() | ({} if stale is None else {"PG_GRANDPARENT_PID": str(stale)})
        log_from = rotate_log(paths.log)
        pid = process.spawn(argv, account=account, cwd=paths.data, env=env, log=paths.log, fd=held_fd)
        started = process.wait_ready(paths.data, pid, paths.log, log_from)
    return _server(paths, started, started_here=True)


def _settled(paths: Home, account: Account) -> process.Postmaster | None:
    """The running server, once it has started; ``None`` if none runs, once it has stopped."""
    running = process.find(paths.data)
    if running is not None and running.status == "starting":
        return process.wait_ready(paths.data, running.pid, paths.log)
    if running is not None and running.status == "stopping":
        _await_end(paths, account, running)
        return None
    return running


def _stop_if_idle(
    paths: Home, account: Account, running: process.Postmaster, tcp_port: int | None
) -> None:
    if running.reachable:
        sql = (
            "select count(*) from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        clients = int(run_sql(_server(paths, running, started_here=False), sql))
        if clients:
            has, wanted = (
                f"TCP port {p}" if p else "no TCP port" for p in (_tcp_port(running), tcp_port)
            )
            raise EmbeddedServerBusy(
                f"the embedded server in {paths.path} runs with {has} and has {clients} connections, "
                f"but {wanted} was asked for",
                hint="Stop what is connected to it (or the server), or ask for the port that it has.",
            )
    _stop(paths, account, running, "fast")


def _stop(paths: Home, account: Account, running: process.Postmaster, mode: StopMode) -> None:
    signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signals[mode])
    _await_end(paths, account, running)
    if running.socket_dir is not None:
        with contextlib.suppress(OSError):  # it may lie in /tmp, where nothing is left behind
            running.socket_dir.rmdir()


def _await_end(paths: Home, account: Account, running: process.Postmaster) -> None:
    if not process.wait_gone(paths.held, paths.data, running.pid, account, _STOP_TIMEOUT_S):
        raise EmbeddedServerBusy(
            f"the embedded server (process {running.pid}) has not ended after {_STOP_TIMEOUT_S:.0f} s",
            hint="Stop it in mode `fast`, which ends its clients' transactions, or in mode `immediate`.",
        )


def _server(paths: Home, running: process.Postmaster, *, started_here: bool) -> EmbeddedServer:
    return EmbeddedServer(
        data_dir=paths.data,
        socket_dir=running.socket_dir or paths.path,
        port=_tcp_port(running),
        pid=running.pid,
        started_here=started_here,
    )


def _tcp_port(running: process.Postmaster) -> int | None:
    return running.port if running.tcp else None


def _forbidden(paths: Home, error: PermissionError) -> EmbeddedServerForbidden:
    return EmbeddedServerForbidden(
        f"the embedded server in {paths.path} belongs to another user: {error}",
        hint="Run Stead as that user or as root, or set STEAD_HOME to a folder of your own.",
    )


def _require_posix() -> None:
    if sys.platform == "win32":
        raise EmbeddedServerFailed(
            "the embedded server runs on Linux and macOS, not on Windows",
            hint="Use WSL, or set STEAD_DATABASE_URL to a PostgreSQL server.",
        )
