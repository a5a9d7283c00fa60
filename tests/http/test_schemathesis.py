"""No request that the OpenAPI document describes, or almost describes, makes the server fail (BARS 16)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.http import HttpConfig, Parts, create_app
from tests.support.people import Person, make_person, make_tenant, service_headers
from tests.support.servers import ServerProcess


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server in a process of its own, and who calls it."""

    base_url: str
    person: Person


@pytest_asyncio.fixture(scope="module")
async def target(access: DatabaseAccess, db: Database) -> AsyncIterator[Target]:
    # In a process of its own, because the calls below block this one's event loop; silent, because nobody
    # reads its log meanwhile.
    server = await ServerProcess(
        access, STEAD_LOG_LEVEL="error", STEAD_ADMIN_DATABASE_URL=access.admin_url or ""
    ).start()
    person = await make_person(db, await make_tenant(access))
    yield Target(base_url=server.base_url, person=person)
    await server.stop()
    assert not any("request_failed" in line or "Traceback" in line for line in server.log), server.log


@asynccontextmanager
async def _closed() -> AsyncGenerator[Parts]:
    raise AssertionError("only the document is asked for")
    yield


EXAMPLES = 3
DOCUMENT = create_app(HttpConfig(version="0"), _closed).openapi()
#: Does not end, so it is not asked for here: tests/http/test_realtime_changes.py does.
ENDLESS = "/v1/changes"
schema = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(generation=GenerationConfig(max_examples=EXAMPLES))
        ),
        seed=1,
    ),
).exclude(path=ENDLESS)


def _call(case: schemathesis.Case, target: Target, headers: dict[str, str]) -> None:
    response = case.call(base_url=target.base_url, headers=headers, timeout=20)
    case.validate_response(response, checks=[not_a_server_error])
    assert response.status_code < 500
    if response.status_code >= 400 and case.method != "HEAD":
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["code"]


LIMITS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@LIMITS
def test_a_service_cannot_make_the_server_fail(case: schemathesis.Case, target: Target) -> None:
    _call(case, target, service_headers(target.person.tenant))


@schema.parametrize()
@LIMITS
def test_a_person_cannot_make_the_server_fail(case: schemathesis.Case, target: Target) -> None:
    _call(case, target, target.person.headers)


def test_the_document_is_the_servers_own(target: Target) -> None:
    assert httpx.get(f"{target.base_url}/openapi.json").json()["paths"] == DOCUMENT["paths"]
