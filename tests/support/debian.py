"""A PostgreSQL 15 as Debian ships it, without pgvector: what "any PostgreSQL" means at the least."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg

from stead.assembly.database import DatabaseAccess
from stead.db.embedded.account import Account, account_for

_OLDEST = 15


@dataclass(frozen=True, kw_only=True)
class PlainPostgres:
    """A running server, reached through a Unix socket that only root and its account can open."""

    folder: Path
    version: str

    def dsn(self, *, user: str, database: str) -> str:
        """A connection string."""
        where = urlencode({"host": str(self.folder), "port": 5432}, quote_via=quote)
        return f"postgresql://{user}@/{database}?{where}"

    @asynccontextmanager
    async def database(self) -> AsyncIterator[DatabaseAccess]:
        """An empty database of one's own, dropped afterwards."""
        name = f"t_{uuid.uuid4().hex[:16]}"
        admin = await asyncpg.connect(self.dsn(user="postgres", database="postgres"))
        try:
            await admin.execute(f"create database {name}")
            runtime = self.dsn(user="stead_api", database=name)
            yield DatabaseAccess(
                runtime_url=runtime,
                admin_url=self.dsn(user="postgres", database=name),
                listen_url=runtime,
            )
            await admin.execute(f"drop database if exists {name} with (force)")
        finally:
            await admin.close()


def programs() -> Path | None:
    """The folder of the oldest PostgreSQL that will do, or None."""
    candidates = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        candidates.append(Path(asked.stdout.strip()))
    found = {_major(folder): folder for folder in candidates if (folder / "initdb").exists()}
    return min(((n, folder) for n, folder in found.items() if n >= _OLDEST), default=(0, None))[1]


def _major(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[2].split(".")[0])


@contextmanager
def running(bin_dir: Path) -> Iterator[PlainPostgres]:
    """A server for as long as the block runs. Durability is off: nothing of it outlives the run."""
    # Not below pytest's own temporary folder, which is closed to the server's system user.
    folder = Path(tempfile.mkdtemp(prefix="stead-plain-"))
    account = account_for(folder / "data")
    account.own(folder)
    try:
        _run(account, bin_dir / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")  # fmt: skip
        (folder / "data" / "postgresql.auto.conf").write_text(
            f"unix_socket_directories = '{folder}'\nlisten_addresses = ''\nport = 5432\nfsync = off\n"
            "synchronous_commit = off\nfull_page_writes = off\njit = off\nmax_connections = 60\n"
        )
        control = (account, bin_dir / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w")
        _run(*control, "start")
        try:
            yield PlainPostgres(
                folder=folder, version=(folder / "data" / "PG_VERSION").read_text().strip()
            )
        finally:
            _run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(account: Account, program: Path, *arguments: Path | str) -> None:
    ran = account.run([str(program), *map(str, arguments)])
    assert ran.returncode == 0, f"{program.name}: {ran.stderr or ran.stdout}"
