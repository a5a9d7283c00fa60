"""``stead memory forget``: asks a person, does what a program says, refuses what is not clear."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from stead import memory
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.memory import NewMemory
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.cli.conftest import Cli
from tests.support.people import Person

AT = datetime(2026, 5, 7, 12, tzinfo=UTC)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def stead(cli: Cli, access: DatabaseAccess, person: Person) -> Run:
    """``stead memory forget …`` in the tenant of the test."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return cli.run(
            "memory", "forget", "--tenant", person.tenant.slug, *arguments,
            STEAD_DATABASE_URL=access.runtime_url,
        )  # fmt: skip

    return run


@pytest_asyncio.fixture
async def known(db: Database, person: Person) -> list[UUID]:
    """Two memories."""
    async with db.transaction(person.principal.served()) as tx:
        done = await memory.remember(
            tx, person.principal, session_id=None, profile_id=person.id,
            memories=[NewMemory(content=c, happened_at=AT) for c in ("I live in Lisbon.", "I play the harp.")],
            embedder=build_embedder("static", EmbedderConfig()),
        )  # fmt: skip
    return done.stored


async def left(db: Database, person: Person) -> int:
    async with db.transaction(person.principal.served(), read_only=True) as tx:
        return await tx.value("select count(*) from agent_memories")


async def test_a_program_forgets_a_memory_then_a_person(
    stead: Run, db: Database, person: Person, known: list[UUID]
) -> None:
    one = stead("--memory", str(known[0]), "--yes")
    assert (one.returncode, json.loads(one.stdout)["erased"]["memories"]) == (0, 1), one.stderr
    assert await left(db, person) == 1
    two = stead("--profile", person.email, "--yes", "--json")
    assert (two.returncode, json.loads(two.stdout)["erased"]["profiles"]) == (0, 1), two.stderr
    again = stead("--profile", str(person.id), "--yes")
    assert again.returncode == 1
    assert "memory_owner_unknown" in again.stderr


async def test_without_yes_nobody_is_there_to_confirm(
    stead: Run, db: Database, person: Person, known: list[UUID]
) -> None:
    for arguments, words in (
        (["--memory", str(known[0])], "--yes"),
        ([], "--memory, --session and --profile"),
        (["--memory", str(known[0]), "--profile", person.email, "--yes"], "--memory, --session"),
        (["--profile", person.email, "--keep-sources", "--yes"], "--keep-sources"),
        (["--memory", "x", "--yes"], "no id"),
        (["--session", str(new_id()), "--yes"], "memory_owner_unknown"),
        (["--profile", "nobody@example.com", "--yes"], "nobody with the address"),
    ):
        ended = stead(*arguments)
        assert ended.returncode == 1, arguments
        assert words in ended.stderr.replace("\n", " "), ended.stderr
    assert await left(db, person) == len(known)


@pytest.mark.parametrize(("answer", "code", "remaining"), [("n", 1, 2), ("y", 0, 0)])
async def test_a_person_is_asked(
    cli: Cli, access: DatabaseAccess, db: Database, person: Person, known: list[UUID],
    answer: str, code: int, remaining: int, tmp_path: Path,
) -> None:  # fmt: skip
    here, there = pty.openpty()
    command = ["memory", "forget", "--tenant", person.tenant.slug, "--profile", str(person.id)]
    os.write(here, f"{answer}\n".encode())
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "stead", *command], stdin=there,
        capture_output=True, text=True, timeout=60,
        env={**cli.env, "STEAD_DATABASE_URL": access.runtime_url}, cwd=tmp_path, check=False,
    )  # fmt: skip
    os.close(here)
    os.close(there)
    assert ended.returncode == code, ended.stderr
    assert f"Forget the profile {person.id} of {person.tenant.slug} for good?" in ended.stderr
    assert await left(db, person) == remaining
