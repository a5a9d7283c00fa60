"""A real PgBouncer in transaction mode, in front of a database of the tests' cluster."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from stead.db.embedded.account import account_for
from stead.db.embedded.server import SOCKET_PORT

_CONFIGURATION = """\
[databases]
* = host={socket_dir} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
admin_users = stead_api
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
server_reset_query =
logfile = {folder}/log
pidfile = {folder}/pid
"""


def program() -> str:
    """Where it is installed; without it the test is skipped, and says so."""
    path = os.environ.get("PATH", os.defpath)
    found = shutil.which("pgbouncer", path=f"{path}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("pgbouncer is not installed")
    return found


@asynccontextmanager
async def transaction_pooler(access: DatabaseAccess, *, size: int) -> AsyncIterator[str]:
    """The URL of a pooler with that many connections to the server, for the login ``stead_api``.

    It runs as the system user of the server, whom the server's socket lets in.
    """
    pgbouncer = program()
    server = access.server
    assert server is not None
    account = account_for(server.data_dir)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="stead-pooler-"))
    configuration = _CONFIGURATION.format(
        socket_dir=server.socket_dir,
        server_port=server.port or SOCKET_PORT,
        port=port,
        folder=folder,
        size=size,
    )
    (folder / "users").write_text('"stead_api" ""\n')
    (folder / "pgbouncer.ini").write_text(configuration)
    if account.switch:
        account.own(folder)
        account.own_tree(folder)
    process = subprocess.Popen(  # noqa: ASYNC220
        [pgbouncer, str(folder / "pgbouncer.ini")],
        user=account.uid if account.switch else None,
        group=account.gid if account.switch else None,
        extra_groups=[] if account.switch else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    database = access.runtime_url.partition("@/")[2].partition("?")[0]
    try:
        await _answers(port, process, folder)
        yield f"postgresql://stead_api@127.0.0.1:{port}/{database}?pgbouncer=true"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 10)
        if process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _answers(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(500):
        if process.poll() is not None:
            break
        try:
            connection = await asyncpg.connect(
                host="127.0.0.1",
                port=port,
                user="stead_api",
                database="pgbouncer",
                statement_cache_size=0,
            )
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.02)
        else:
            await connection.close()
            return
    log = folder / "log"
    raise AssertionError(f"no pooler: {log.read_text() if log.exists() else process.returncode}")
