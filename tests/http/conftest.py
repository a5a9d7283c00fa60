"""What the tests of the HTTP edge share."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
import structlog

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.assembly.logs import configure_logging
from stead.assembly.settings import load_settings
from tests.support.servers import Running, running_server

SERVICE_SECRET = "signing-secret-signing-secret"
METRICS_TOKEN = "metrics-token"


def from_anywhere() -> dict[str, str]:
    """A header that makes a request come from an address of its own."""
    address = random.getrandbits(24)
    return {"x-forwarded-for": f"10.{address >> 16}.{address >> 8 & 255}.{address & 255}"}


async def _scatter(request: httpx.Request) -> None:
    for name, value in from_anywhere().items():
        request.headers.setdefault(name, value)


@pytest_asyncio.fixture(scope="session")
async def edge(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server behind a trusted proxy: each request of its client comes from another address, so that what
    one test gets wrong is not held against the next."""
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    async with running_server(
        access,
        app,
        trusted_proxies=("127.0.0.1",),
        service_secret=SERVICE_SECRET,
        metrics_token=METRICS_TOKEN,
        cors_origins=("https://app.example.com",),
    ) as running:
        running.client.event_hooks["request"].append(_scatter)
        yield running


class Ledger:
    """What the database holds of a tenant, read past row-level security."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], tables: list[str]) -> None:
        self.connection = connection
        self._tables = tables

    async def of(self, *tenants: UUID) -> dict[str, tuple[int, str]]:
        """Rows and a digest of them, for each table; when a key was last used does not count."""
        row = "to_jsonb(t) - 'last_used_at'"
        digest = f"coalesce(md5(string_agg(({row})::text, '' order by ({row})::text)), '')"
        # Table names come from the catalogue.
        arms = " union all ".join(
            f"select '{name}' as name, count(*) as rows, {digest} as digest from {name} t "
            "where t.tenant_id = any($1)"
            for name in self._tables
        )
        rows = await self.connection.fetch(arms, list(tenants))
        return {row["name"]: (row["rows"], row["digest"]) for row in rows}


@pytest_asyncio.fixture(scope="session")
async def ledger(access: DatabaseAccess) -> AsyncIterator[Ledger]:
    """Looks into the shared database as its owner."""
    assert access.admin_url is not None
    connection = await asyncpg.connect(access.admin_url)
    tables = await connection.fetch(
        """
        select c.oid::regclass::text as name from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where n.nspname in ('public', 'stead') and c.relkind in ('r', 'p') order by 1
        """
    )
    yield Ledger(connection, [row["name"] for row in tables])
    await connection.close()


class Logs:
    """What was logged, as production writes it."""

    def __init__(self, stream: StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        """The access log."""
        return [line for line in self.lines if line["event"] == "request"]


@contextmanager
def captured_logs() -> Iterator[Logs]:
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    levels = {
        name: logger.level
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    stream = StringIO()
    configure_logging(load_settings(log_format="json", log_level="debug"))
    structlog.configure(cache_logger_on_first_use=False)
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        yield Logs(stream)
    finally:
        root.handlers, root.level = handlers, level
        structlog.configure(**before)
        for name, logger in logging.root.manager.loggerDict.items():
            if isinstance(logger, logging.Logger):
                logger.setLevel(levels.get(name, logging.NOTSET))


@pytest.fixture
def logs() -> Iterator[Logs]:
    """The log of this test, in JSON, at every level."""
    with captured_logs() as found:
        yield found


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Asserts that this is the problem document of that status and code, and returns it."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["type"] == f"urn:stead:error:{code}"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == answer.headers["x-request-id"]
    return document
