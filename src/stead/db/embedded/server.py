"""A running embedded server, and how to talk to it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from stead.db.embedded.cluster import SUPERUSER, bin_dir, environment
from stead.db.errors import EmbeddedServerFailed

#: The number in the socket's name where there is no TCP port.
SOCKET_PORT: Final = 5432


@dataclass(frozen=True, kw_only=True)
class EmbeddedServer:
    """A running embedded server.

    Args:
        data_dir: Its data, ``<home>/postgres``.
        socket_dir: The folder of its Unix socket.
        port: The TCP port on 127.0.0.1, or ``None`` if it listens on the socket only.
        pid: The process id of its first process.
        started_here: True if the call that returned this started it, False if it was running.
    """

    data_dir: Path
    socket_dir: Path
    port: int | None
    pid: int
    started_here: bool

    def dsn(self, *, user: str, database: str = "stead") -> str:
        """A connection string through the Unix socket, for libpq (psql) and asyncpg alike."""
        # The port is always named: a PGPORT in the environment would otherwise choose another socket.
        where = urlencode(
            {"host": str(self.socket_dir), "port": self.port or SOCKET_PORT}, quote_via=quote
        )
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?{where}"


def psql_path() -> Path:
    """The ``psql`` that fits the embedded server."""
    return bin_dir() / "psql"


def run_sql(server: EmbeddedServer, sql: str, **variables: str) -> str:
    """Run SQL as the superuser and return its unaligned output; ``:'name'`` in it is a variable.

    Raises:
        EmbeddedServerFailed: the server refused it.
    """
    argv = [str(psql_path()), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    for name, value in variables.items():
        argv += ["-v", f"{name}={value}"]
    ran = subprocess.run(  # noqa: S603
        [*argv, "-d", server.dsn(user=SUPERUSER, database="postgres")],
        input=sql,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if ran.returncode != 0:
        raise EmbeddedServerFailed(f"the embedded server refused a statement: {ran.stderr.strip()}")
    return ran.stdout.strip()
