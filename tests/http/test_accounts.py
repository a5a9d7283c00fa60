"""Connected accounts over HTTP, with Composio's own client against a server that speaks its wire format."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from standardwebhooks import Webhook

from stead.assembly.database import DatabaseAccess
from stead.identity import Tenant
from tests.http.conftest import Logs, problem_of
from tests.servers.composio import API_KEY, CREDENTIAL, ComposioServer, Fault, notice, tool
from tests.support.people import Person, make_person, service, service_headers
from tests.support.servers import Running, running_server
from tests.tools.calls import call

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PATH = "/v1/accounts"


@pytest_asyncio.fixture(scope="module")
async def composio() -> AsyncIterator[ComposioServer]:
    async with ComposioServer(tool("GITHUB_CREATE_ISSUE")) as server:
        yield server


@asynccontextmanager
async def _stead(access: DatabaseAccess, composio: ComposioServer, *, worker: bool) -> Any:
    async with running_server(
        access,
        worker=worker,
        composio_api_key=API_KEY,
        composio_base_url=composio.base_url,
        composio_auth_configs=json.dumps({"github": "ac_github", "odd": "nothing"}),
        composio_webhook_secret=SECRET,
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def stead(access: DatabaseAccess, composio: ComposioServer) -> AsyncIterator[Running]:
    """With a worker: jobs are done."""
    async with _stead(access, composio, worker=True) as running:
        yield running


@pytest.fixture
def link(stead: Running) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def begin(headers: dict[str, str], **body: Any) -> dict[str, Any]:
        answer = await stead.client.post(
            f"{PATH}/link", json={"toolkit": "github", **body}, headers=headers
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    return begin


Link = Callable[..., Awaitable[dict[str, Any]]]


async def until(client: httpx.AsyncClient, headers: dict[str, str], account: str, status: str) -> Any:
    """The account, as soon as it is in that status."""
    async with asyncio.timeout(60):
        while True:
            found = (await client.get(f"{PATH}/{account}", headers=headers)).json()
            if found["status"] == status:
                return found
            await asyncio.sleep(0.05)


async def admin(access: DatabaseAccess, sql: str, *args: object) -> Any:
    connection = await asyncpg.connect(access.admin_url)
    try:
        return await connection.fetch(sql, *args)
    finally:
        await connection.close()


def signed(
    body: bytes, message: str, *, at: datetime | None = None, secret: str = SECRET
) -> dict[str, str]:
    """As Standard Webhooks' own library signs."""
    at = at or datetime.now(UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, body.decode()),
        "content-type": "application/json",
    }


async def test_a_person_connects_an_account_and_a_job_waits_for_it(
    stead: Running, composio: ComposioServer, person: Person, link: Link, access: DatabaseAccess
) -> None:
    begun = await link(
        person.headers, callback_url="http://localhost:3000/linked", metadata={"for": "issues"}
    )
    assert begun["redirect_url"].startswith("https://connect.composio.dev/link/")
    assert (begun["status"], begun["provider"], begun["profile_id"]) == (
        "initiated", "composio", str(person.id),
    )  # fmt: skip
    assert begun["expires_at"] is not None
    remote = composio.accounts[begun["external_id"]]
    assert remote["user_id"] == f"{person.tenant.id}:{person.id}"
    # Composio stumbles, and the person takes a while.
    composio.faults.append(Fault(on=begun["external_id"], status=500, body={}))
    asked = len(composio.asked("GET", f".*/{begun['external_id']}"))
    async with asyncio.timeout(30):
        while len(composio.asked("GET", f".*/{begun['external_id']}")) < asked + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    composio.stands(begun["external_id"], "ACTIVE", ["repo", "issues"])
    active = await until(stead.client, person.headers, begun["id"], "active")
    assert (active["scopes"], active["expires_at"], active["metadata"]) == (
        ["repo", "issues"], None, {"for": "issues"},
    )  # fmt: skip
    assert active["linked_at"] is not None
    rows = await admin(
        access,
        "select action, actor_id, subject_profile_id from public.audit_log where subject_id = $1 order by id",
        begun["id"],
    )
    assert [tuple(row) for row in rows] == [
        ("link", str(person.id), person.id),
        ("active", str(person.id), person.id),
    ]
    # What Composio keeps, and what connects an account, is nowhere here.
    for table in (
        "public.connected_accounts",
        "public.agent_jobs",
        "public.agent_job_steps",
        "public.audit_log",
    ):
        found = await admin(access, f"select t::text from {table} t")
        text = "".join(row[0] for row in found)
        assert CREDENTIAL not in text
        assert "connect.composio.dev" not in text


async def test_a_link_that_has_ended(
    stead: Running, composio: ComposioServer, person: Person, link: Link, access: DatabaseAccess
) -> None:
    begun = await link(person.headers)
    await admin(
        access,
        "update public.connected_accounts set expires_at = now() - interval '1 s' where id = $1",
        uuid.UUID(begun["id"]),
    )
    await until(stead.client, person.headers, begun["id"], "expired")
    # It may be connected after all.
    composio.stands(begun["external_id"], "ACTIVE")
    answer = await stead.client.post(f"{PATH}/{begun['id']}/refresh", headers=person.headers)
    assert answer.json()["status"] == "active"


async def test_revoking_holds_at_once_and_composio_is_told(
    stead: Running, composio: ComposioServer, person: Person, link: Link
) -> None:
    begun = await link(person.headers)
    external = begun["external_id"]
    composio.stands(external, "ACTIVE")
    await until(stead.client, person.headers, begun["id"], "active")
    for _ in range(2):
        answer = await stead.client.post(f"{PATH}/{begun['id']}/revoke", headers=person.headers)
        assert answer.json()["status"] == "revoked"
    async with asyncio.timeout(30):
        while external in composio.accounts:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    (told,) = composio.asked("DELETE", f".*/{external}")
    assert told.query == "revoke_on_delete=true"
    # What was revoked stays so, whatever comes later.
    composio.accounts[external] = {"status": "ACTIVE", "is_disabled": False}
    answer = await stead.client.post(f"{PATH}/{begun['id']}/refresh", headers=person.headers)
    assert answer.json()["status"] == "revoked"


async def test_what_composio_no_longer_has_was_revoked(
    stead: Running, composio: ComposioServer, person: Person, link: Link
) -> None:
    begun = await link(person.headers)
    del composio.accounts[begun["external_id"]]
    answer = await stead.client.post(f"{PATH}/{begun['id']}/refresh", headers=person.headers)
    assert answer.json()["status"] == "revoked"


@pytest.mark.parametrize(
    ("status", "shown"),
    [("INACTIVE", "inactive"), ("FAILED", "failed"), ("EXPIRED", "expired"), ("REVOKED", "revoked"),
     ("INITIATED", "expired"), ("INITIALIZING", "expired")],
)  # fmt: skip
async def test_each_status_of_composio(
    stead: Running, composio: ComposioServer, person: Person, link: Link, status: str, shown: str
) -> None:
    begun = await link(person.headers)
    composio.stands(begun["external_id"], "ACTIVE")
    refreshed = await stead.client.post(f"{PATH}/{begun['id']}/refresh", headers=person.headers)
    assert refreshed.json()["status"] == "active"
    composio.stands(begun["external_id"], status)
    refreshed = await stead.client.post(f"{PATH}/{begun['id']}/refresh", headers=person.headers)
    assert refreshed.json()["status"] == shown


async def test_nobody_else_has_it(
    stead: Running,
    person: Person,
    tenant: Tenant,
    other_tenant: Tenant,
    link: Link,
) -> None:
    other_person = await make_person(stead.parts.db, tenant, "bob")
    mine = await link(person.headers)
    theirs = await link(service_headers(tenant))
    assert theirs["profile_id"] is None
    client = stead.client

    async def seen(headers: dict[str, str], **query: Any) -> set[str]:
        page = await client.get(PATH, headers=headers, params=query)
        return {each["id"] for each in page.json()["items"]}

    assert await seen(person.headers) == {mine["id"]}
    assert await seen(service_headers(tenant)) == {mine["id"], theirs["id"]}
    assert await seen(service_headers(tenant), toolkit="gmail") == set()
    abroad = service_headers(other_tenant)
    for headers in (abroad, other_person.headers):
        assert await seen(headers) == set()
        for method, path in (("GET", ""), ("POST", "/refresh"), ("POST", "/revoke")):
            answer = await client.request(method, f"{PATH}/{mine['id']}{path}", headers=headers)
            problem_of(answer, 404, "account_unknown")
    client.cookies.clear()
    problem_of(await client.get(PATH), 401, "credentials_missing")


async def test_pages(stead: Running, person: Person, link: Link) -> None:
    made = [(await link(person.headers))["id"] for _ in range(3)]
    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await stead.client.get(PATH, headers=person.headers, params=params)).json()
        found += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert (found, cursor) == (made[::-1], None)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"toolkit": "gmail"}, 422, "account_not_linkable"),
        ({"toolkit": "odd"}, 422, "link_refused"),
        ({"toolkit": "../x"}, 422, "request_invalid"),
        ({"callback_url": "https://evil.example/"}, 422, "callback_refused"),
        ({"callback_url": "http://localhost:3000@evil.example/"}, 422, "callback_refused"),
        ({"callback_url": "http://localhost:3000\\@evil.example/"}, 422, "callback_refused"),
        ({"callback_url": "javascript:alert(1)"}, 422, "callback_refused"),
        ({"callback_url": "http://[::1"}, 422, "callback_refused"),
        ({"metadata": {"x": "y" * 10_000}}, 422, "request_invalid"),
        ({"metadata": {"x": "\x00"}}, 422, "text_not_storable"),
        ({"external_id": "ca_of_somebody"}, 422, "request_invalid"),
    ],
)
async def test_what_is_not_linked(
    stead: Running,
    composio: ComposioServer,
    person: Person,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    before = len(composio.accounts)
    answer = await stead.client.post(
        f"{PATH}/link", json={"toolkit": "github", **body}, headers=person.headers
    )
    problem_of(answer, status, code)
    assert len(composio.accounts) == before
    assert API_KEY not in answer.text


async def test_composio_fails(stead: Running, composio: ComposioServer, person: Person) -> None:
    odd = {"connected_account_id": "ca_x", "redirect_url": "javascript:x"}
    wait = {"retry-after": "7"}
    for fault, status, code in (
        (Fault(on="/link", status=500, body={}), 503, "tool_provider_unavailable"),
        (Fault(on="/link", drop=True), 503, "tool_provider_unavailable"),
        (Fault(on="/link", body=odd), 503, "tool_provider_unavailable"),
        (Fault(on="/link", status=429, body={}, headers=wait), 429, "tool_provider_busy"),
    ):
        composio.faults.append(fault)
        answer = await stead.client.post(
            f"{PATH}/link", json={"toolkit": "github"}, headers=person.headers
        )
        problem_of(answer, status, code)
    assert answer.headers["retry-after"] == "7"
    assert (await stead.client.get(PATH, headers=person.headers)).json()["items"] == []


async def test_without_composio(edge: Running, person: Person) -> None:
    answer = await edge.client.post(f"{PATH}/link", json={"toolkit": "github"}, headers=person.headers)
    problem_of(answer, 409, "accounts_not_configured")
    body = notice("ca_x")
    answer = await edge.client.post("/v1/webhooks/composio", content=body, headers=signed(body, "msg_0"))
    problem_of(answer, 409, "accounts_not_configured")


async def active(stead: Running, composio: ComposioServer, person: Person, link: Link) -> dict[str, Any]:
    begun = await link(person.headers)
    composio.stands(begun["external_id"], "ACTIVE")
    answer = await stead.client.post(f"{PATH}/{begun['id']}/refresh", headers=person.headers)
    assert answer.json()["status"] == "active"
    return begun


async def test_a_notice_is_believed_where_it_makes_things_stricter_and_then_checked(
    stead: Running,
    composio: ComposioServer,
    person: Person,
    link: Link,
    access: DatabaseAccess,
    logs: Logs,
) -> None:
    account = await active(stead, composio, person, link)
    suspected = partial(REGISTRY.get_sample_value, "stead_http_suspected_total", {"kind": "replay"})
    before = suspected() or 0
    body = notice(account["external_id"])
    composio.stands(account["external_id"], "EXPIRED")
    headers = signed(body, f"msg_{account['id']}")
    answers = await asyncio.gather(
        *(stead.client.post("/v1/webhooks/composio", content=body, headers=headers) for _ in range(5))
    )
    # Sent five times at once, it is done once; it is no error, as Composio sends again what it takes for lost.
    assert sorted(answer.json()["done"] for answer in answers) == [False] * 4 + [True]
    assert all(answer.status_code == 200 for answer in answers)
    assert (suspected() or 0) - before == 4
    told = [line for line in logs.lines if line["event"] == "abuse_suspected"]
    assert [line["kind"] for line in told] == ["replay"]
    assert account["external_id"] not in str(told)
    found = await stead.client.get(f"{PATH}/{account['id']}", headers=person.headers)
    assert found.json()["status"] == "expired"
    jobs = await admin(
        access,
        "select id from public.agent_jobs where agent_type = 'accounts.refresh' and input ->> 'account_id' = $1",
        account["id"],
    )
    assert len(jobs) == 1
    rows = await admin(
        access,
        """
        select actor_type, actor_id, payload ->> 'why' from public.audit_log
        where subject_id = $1 and action = 'expired'
        """,
        account["id"],
    )
    assert [tuple(row) for row in rows] == [("service", "composio", "notice")]


async def test_a_notice_that_is_out_of_date_is_put_right(
    stead: Running, composio: ComposioServer, person: Person, link: Link
) -> None:
    account = await active(stead, composio, person, link)
    body = notice(account["external_id"])
    headers = signed(body, f"msg_{account['id']}")
    answer = await stead.client.post("/v1/webhooks/composio", content=body, headers=headers)
    assert answer.json() == {"done": True}
    # Composio, asked anew, says that it is active.
    await until(stead.client, person.headers, account["id"], "active")


async def test_notices_that_nobody_proves(
    stead: Running, composio: ComposioServer, person: Person, link: Link
) -> None:
    account = await active(stead, composio, person, link)
    body = notice(account["external_id"])
    other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    good = signed(body, "msg_forged")
    for headers, code in (
        (signed(body, "msg_forged", secret=other), "signature_invalid"),
        (signed(body, "msg_forged", at=datetime.now(UTC) - timedelta(minutes=6)), "signature_stale"),
        (signed(body, "msg_forged", at=datetime.now(UTC) + timedelta(minutes=6)), "signature_stale"),
        ({**good, "webhook-id": "msg_other"}, "signature_invalid"),
        ({**good, "webhook-signature": "v1,"}, "signature_invalid"),
        ({"content-type": "application/json"}, "signature_missing"),
        ({"content-type": "application/json", **service_headers(person.tenant)}, "signature_missing"),
    ):
        answer = await stead.client.post("/v1/webhooks/composio", content=body, headers=headers)
        problem_of(answer, 401, code)
    answer = await stead.client.post("/v1/webhooks/composio", content=body + b" ", headers=good)
    problem_of(answer, 401, "signature_invalid")
    found = await stead.client.get(f"{PATH}/{account['id']}", headers=person.headers)
    assert found.json()["status"] == "active"


@pytest.mark.parametrize(
    "body",
    [
        notice("ca_of_nobody"),
        notice("ca_x", "composio.trigger.message"),
        b'{"type": "composio.connected_account.expired"}',
        b'{"type": "composio.connected_account.expired", "data": {"id": 7}}',
        b'{"type": null, "data": []}',
    ],
)
async def test_notices_that_concern_nobody(stead: Running, body: bytes) -> None:
    headers = signed(body, f"msg_{uuid.uuid4()}")
    answer = await stead.client.post("/v1/webhooks/composio", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"done": False})


async def test_a_tool_acts_through_the_tenants_own_active_account_alone(
    stead: Running, composio: ComposioServer, person: Person, other_tenant: Tenant, link: Link
) -> None:
    account = await active(stead, composio, person, link)
    provider = stead.parts.toolbox.provider("composio")
    (spec,) = [spec async for spec in provider.list_tools("github")]  # pyright: ignore

    async def outcome(tenant: Tenant) -> Any:
        wanted = call(spec, tenant=tenant.id, account=account["external_id"], title="Bug")
        return await provider.execute(wanted)

    assert (await outcome(person.tenant)).kind == "succeeded"
    assert (await outcome(other_tenant)).code == "account_unknown"
    await stead.client.post(f"{PATH}/{account['id']}/revoke", headers=person.headers)
    done = len(composio.effects)
    assert (await outcome(person.tenant)).code == "account_revoked"
    assert len(composio.effects) == done


async def test_the_table_holds_the_steps(
    stead: Running, composio: ComposioServer, person: Person, link: Link
) -> None:
    begun = await link(person.headers)
    await stead.client.post(f"{PATH}/{begun['id']}/revoke", headers=person.headers)
    db = stead.parts.db
    changes = (
        "update public.connected_accounts set status = 'active'",
        "update public.connected_accounts set external_id = 'ca_of_somebody_else'",
        "update public.connected_accounts set profile_id = null",
    )
    for change in changes:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            async with db.transaction(service(person.tenant)) as tx:
                await tx.execute(change)  # pyright: ignore
    # Of one's own row one may change what is kept with it, and no more.
    async with db.transaction(person.principal) as tx:
        assert await tx.execute("""update public.connected_accounts set metadata = '{"a": 1}'""") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(person.principal) as tx:
            await tx.execute("update public.connected_accounts set status = 'active'")


async def test_an_account_of_the_provider_is_one_tenants(
    stead: Running, composio: ComposioServer, person: Person, other_tenant: Tenant, link: Link
) -> None:
    begun = await link(person.headers)
    composio.gives = begun["external_id"]
    answer = await stead.client.post(
        f"{PATH}/link", json={"toolkit": "github"}, headers=service_headers(other_tenant)
    )
    composio.gives = None
    problem_of(answer, 422, "link_refused")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with stead.parts.db.transaction(service(other_tenant)) as tx:
            await tx.execute(
                """
                insert into public.connected_accounts (tenant_id, provider, toolkit, external_id)
                values ($1, 'composio', 'github', $2)
                """,
                other_tenant.id,
                begun["external_id"],
            )
