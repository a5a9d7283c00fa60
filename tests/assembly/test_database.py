"""Which login the server uses: derived from the owner's URL, and refused when it is too powerful."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from stead.assembly import load_settings
from stead.assembly.database import (
    DatabaseAccess,
    check_login,
    login_of,
    prepare_login,
    reach,
    runtime_url,
    set_passwords,
)
from stead.db import embedded
from stead.db.errors import DatabaseUnavailable, RoleTooPowerful
from stead.db.migrator import migrate


@pytest.mark.parametrize(
    ("admin", "expected"),
    [
        ("postgresql://postgres:a@db.example.com:5432/postgres", "postgresql://stead_api:p%40ss@db.example.com:5432/postgres"),
        (
            "postgresql://postgres.abcd:a@pooler.example.com:6543/postgres?sslmode=require",
            "postgresql://stead_api.abcd:p%40ss@pooler.example.com:6543/postgres?sslmode=require",
        ),
        ("postgresql://postgres@/d?host=/tmp", "postgresql://stead_api:p%40ss@/d?host=/tmp"),
    ],
)  # fmt: skip
def test_the_servers_url_is_the_owners_with_another_login(admin: str, expected: str) -> None:
    assert runtime_url(admin, "p@ss") == expected
    assert login_of(expected) == "stead_api"


@pytest_asyncio.fixture(scope="module")
async def owner_url() -> AsyncIterator[str]:
    """A database over TCP, of which only the owner's URL is known, as with a hosted one."""
    home = Path(tempfile.mkdtemp(prefix="stead-owner-"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = embedded.ensure_running(home, tcp_port=port, settings={"fsync": "off"})
    embedded.create_database(server, "stead")
    await set_passwords(server, "owner-password")
    yield f"postgresql://postgres:owner-password@127.0.0.1:{port}/stead"
    embedded.stop(home, mode="immediate")
    shutil.rmtree(home, ignore_errors=True)


async def test_one_url_is_enough(owner_url: str) -> None:
    settings = load_settings(database_url=owner_url, jwt_secret="s" * 40)
    access = await reach(settings)
    assert access.admin_url == owner_url
    assert login_of(access.runtime_url) == "stead_api"
    assert access.server is None
    await migrate(owner_url)
    with pytest.raises(DatabaseUnavailable):
        await check_login(access)
    await prepare_login(access)
    await prepare_login(access)
    await check_login(access)
    connection = await asyncpg.connect(access.runtime_url)
    try:
        assert await connection.fetchval("select current_user") == "stead_api"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("select * from agent_memories")
    finally:
        await connection.close()
    # Another host with the same secret comes to the same password.
    again = await reach(load_settings(database_url=owner_url, jwt_secret="s" * 40))
    assert urlsplit(again.runtime_url).password == urlsplit(access.runtime_url).password
    other = await reach(load_settings(database_url=owner_url, jwt_secret="t" * 40))
    assert urlsplit(other.runtime_url).password != urlsplit(access.runtime_url).password


async def test_a_login_that_bypasses_policies_is_refused(owner_url: str) -> None:
    await migrate(owner_url)
    with pytest.raises(RoleTooPowerful, match="superuser"):
        await check_login(DatabaseAccess(runtime_url=owner_url, admin_url=None, listen_url=None))


async def test_behind_a_transaction_pooler_nothing_listens() -> None:
    settings = load_settings(
        database_url="postgresql://stead_api:p@h:6543/d",
        listen_database_url="postgresql://stead_api:p@h:5432/d",
    )
    assert (await reach(settings)).listen_url == "postgresql://stead_api:p@h:5432/d"
    pooled = await reach(load_settings(database_url="postgresql://stead_api:p@h/d?pgbouncer=true"))
    assert pooled.listen_url is None
    assert pooled.admin_url is None
