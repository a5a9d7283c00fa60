"""Supabase's own command line and `stead db` are interchangeable on one database."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest_asyncio

from stead.assembly.database import set_passwords
from stead.db import embedded
from stead.db.embedded import EmbeddedServer
from stead.db.migration import all_migrations, bootstrap_sql
from stead.db.migrator import (
    MigrationStatus,
    admin_connection,
    export_migrations,
    migrate,
    read_status,
)

_FIRST_HALF = 4
_OWN = "create table public.notes (id uuid primary key, author uuid references public.profiles (id));"


@dataclass(frozen=True, kw_only=True)
class TcpServer:
    """An embedded PostgreSQL that is reached as any other is."""

    server: EmbeddedServer
    password: str


@pytest_asyncio.fixture(scope="module")
async def postgres() -> AsyncIterator[TcpServer]:
    """A cluster of one's own: roles belong to the whole of it."""
    home = Path(tempfile.mkdtemp(prefix="stead-test-cli-"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    try:
        server = await asyncio.to_thread(
            embedded.ensure_running, home, tcp_port=port, settings={"fsync": "off"}
        )
        password = secrets.token_urlsafe(24)
        await set_passwords(server, password)
        yield TcpServer(server=server, password=password)
    finally:
        await asyncio.to_thread(embedded.stop, home, mode="immediate")
        shutil.rmtree(home, ignore_errors=True)


class Project:
    """A Supabase project's folder and its database, which has what Supabase has and nothing more."""

    def __init__(self, folder: Path, packages: Path, url: str) -> None:
        self.migrations = folder / "supabase" / "migrations"
        self.url = url
        self._folder = folder
        self._supabase = packages / ".bin" / "supabase"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("STEAD_", "SUPABASE_"))}
        self._environment = {
            **kept,
            "HOME": str(folder),
            "DO_NOT_TRACK": "1",
            "SUPABASE_TELEMETRY_DISABLED": "1",
            "SUPABASE_NO_UPDATE_NOTIFIER": "1",
            "STEAD_HOME": str(folder / "home"),
            "STEAD_DATABASE_URL": url,
            "STEAD_ADMIN_DATABASE_URL": url,
        }

    async def supabase(self, *arguments: str, fails: bool = False) -> str:
        """The output of a command of the CLI on the project's database."""
        code, out = await self._run(str(self._supabase), *arguments, f"--remote={self.url}")
        assert (code != 0) == fails, out
        return out

    async def push(self, *flags: str, fails: bool = False) -> str:
        """`supabase db push`."""
        return await self.supabase("db", "push", "--yes", *flags, fails=fails)

    async def listed(self) -> list[tuple[str, str]]:
        """`supabase migration list`: version here and there, empty where it is missing."""
        out = await self.supabase("migration", "list", "--output-format", "json")
        found = json.loads(out[out.index("{") : out.rindex("}") + 1])
        return [(row["local"], row["remote"]) for row in found["migrations"]]

    async def stead(self, *arguments: str, code: int = 0) -> str:
        """The output of `stead db …`."""
        found, out = await self._run(sys.executable, "-m", "stead", "db", *arguments)
        assert found == code, out
        return out

    async def status(self) -> MigrationStatus:
        """What `stead db status` goes by, without the seconds that a process takes to start."""
        async with admin_connection(self.url) as connection:
            return await read_status(connection)

    async def _run(self, *command: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self._folder, env=self._environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await process.communicate()
        assert process.returncode is not None
        # Beside JSON there may be warnings.
        told = errors.decode() if process.returncode or "json" not in " ".join(command) else ""
        return process.returncode, out.decode() + told


@pytest_asyncio.fixture
async def project(postgres: TcpServer, packages: Path, tmp_path: Path) -> Project:
    """A project without migrations."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    admin = await asyncpg.connect(postgres.server.dsn(user="postgres", database="postgres"))
    await admin.execute(f"create database {name}")
    await admin.close()
    owner = await asyncpg.connect(postgres.server.dsn(user="postgres", database=name))
    await owner.execute(bootstrap_sql())
    await owner.close()
    (tmp_path / "supabase" / "migrations").mkdir(parents=True)
    address = f"127.0.0.1:{postgres.server.port}/{name}"
    return Project(tmp_path, packages, f"postgresql://postgres:{postgres.password}@{address}")


def _versions() -> list[str]:
    return [migration.version for migration in all_migrations()]


def _files() -> list[str]:
    return [migration.file_name for migration in all_migrations()]


async def test_exported_migrations_are_pushed(project: Project) -> None:
    await project.stead("export", "supabase/migrations")
    (project.migrations / "20991231000000_notes.sql").write_text(_OWN, encoding="utf-8")
    out = await project.push()
    assert all(name in out for name in [*_files(), "20991231000000_notes.sql"])
    assert json.loads(await project.stead("status", "--json")) == {
        "applied": _files(),
        "pending": [],
        "drifted": [],
        "foreign": ["20991231000000"],
    }
    assert "up to date" in await project.stead("migrate")
    assert await project.listed() == [(v, v) for v in [*_versions(), "20991231000000"]]


async def test_a_migrated_database_is_up_to_date_for_the_cli(project: Project) -> None:
    await project.stead("migrate")
    export_migrations(project.migrations)
    assert "up to date" in await project.push()
    assert await project.listed() == [(version, version) for version in _versions()]


async def test_each_goes_on_where_the_other_ended(project: Project) -> None:
    later = sorted(export_migrations(project.migrations))[_FIRST_HALF:]
    for path in later:
        path.unlink()
    await project.push()
    assert len((await project.status()).pending) == len(later)
    await migrate(project.url)
    assert sorted(export_migrations(project.migrations)) == later
    assert "up to date" in await project.push()
    status = await project.status()
    assert (status.pending, status.drifted) == ((), ())


async def test_a_project_that_was_there_before(project: Project) -> None:
    for version in ("20240101000000", "20991231000000"):
        text = f"create table public.own_{version} (id bigint primary key);"
        (project.migrations / f"{version}_own.sql").write_text(text, encoding="utf-8")
    await project.push()
    export_migrations(project.migrations)
    # Stead's are older than the project's newest: the CLI wants to be told that this is meant.
    assert "--include-all" in await project.push(fails=True)
    await project.push("--include-all")
    status = await project.status()
    assert (status.pending, status.drifted) == ((), ())
    assert status.foreign == ("20240101000000", "20991231000000")


async def test_a_file_that_was_changed_before_it_was_pushed(project: Project) -> None:
    export_migrations(project.migrations)
    changed = all_migrations()[-1]
    path = project.migrations / changed.file_name
    path.write_text(f"{changed.sql}\ncreate table public.slipped_in (id int);\n", encoding="utf-8")
    await project.push()
    assert (await project.status()).drifted == (changed,)
    assert changed.file_name in await project.stead("status", code=3)
