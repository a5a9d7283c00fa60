"""The example in a browser, on the origin of its own: both journeys, and what they leave in the database."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from stead.apps import mentor
from stead.assembly.database import DatabaseAccess
from stead.identity import Tenant, tenant_service
from tests.browser.conftest import EXAMPLE
from tests.servers.clerk import ClerkServer
from tests.servers.jwks import rsa_key
from tests.support import node
from tests.support.people import make_tenant, service_headers
from tests.support.servers import Running, running_server, say, served

#: A telephone's.
NARROW: Final = {"width": 375, "height": 740}
#: What PostHog's snippet puts on a page.
_POSTHOG: Final = "window.fired = []; window.posthog = { capture: name => window.fired.push(name) };"
NOTICE: Final = "(set STEAD_MODEL to use a real one)."


@dataclass(kw_only=True)
class Device:
    """Somebody's browser, used by its keyboard."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])

    def heard(self, kind: str, text: str) -> None:
        """What the browser says of the page."""
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    async def reach(self, target: Locator) -> None:
        """Goes there by the tabulator."""
        await expect(target).to_be_visible()
        for _ in range(100):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")

    async def press(self, name: str, within: Locator | None = None, key: str = "Enter") -> None:
        """Presses a button."""
        target = (within or self.page).get_by_role("button", name=name, exact=True)
        await self.reach(target)
        await self.page.keyboard.press(key)

    async def type(self, label: str, text: str) -> None:
        """Types into a field."""
        await self.reach(self.page.get_by_label(label))
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def choose(self, role: Literal["checkbox", "radio"], name: str) -> None:
        """Ticks a box."""
        target = self.page.get_by_role(role, name=name)
        await self.reach(target)
        await self.page.keyboard.press("Space")
        await expect(target).to_be_checked()

    async def sign_in(self, email: str) -> None:
        await self.type("Email", email)
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()

    async def ask(self, name: str, text: str) -> Locator:
        """Says something after the answer before, and gives the next one as soon as it has begun."""
        await self.answered()
        answers = self.page.get_by_role("log").get_by_role("article").filter(has_text=name)
        before = await answers.count()
        await self.type(f"Message to {name}", text)
        await self.page.keyboard.press("Enter")
        await expect(answers).to_have_count(before + 1)
        return answers.nth(before)

    async def answered(self) -> None:
        """Waits for the end of the answer."""
        await expect(self.page.get_by_role("log")).to_have_attribute("data-status", "ready")

    async def fits(self) -> None:
        """Nothing is beside the screen."""
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"]


@dataclass(kw_only=True)
class Product:
    """The example as it is deployed: pages, API and identity provider on three origins."""

    url: str
    api: Running
    clerk: ClerkServer
    tenant: Tenant
    chromium: Browser
    db: asyncpg.Connection[asyncpg.Record]

    @property
    def org(self) -> str:
        """The organisation at the identity provider."""
        assert self.tenant.external_org_id is not None
        return self.tenant.external_org_id

    @asynccontextmanager
    async def device(self, **planted: object) -> AsyncIterator[Device]:
        """A browser with storage and cookies of its own, and with what somebody has put there."""
        context = await self.chromium.new_context(base_url=self.url, viewport=NARROW)
        device = Device(page=await context.new_page())
        device.page.on("console", lambda said: device.heard(said.type, said.text))
        device.page.on("pageerror", lambda error: device.heard("error", str(error)))
        await context.add_init_script(_POSTHOG)
        for name, value in planted.items():
            line = f"localStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(value))})"
            await context.add_init_script(line)
        try:
            yield device
        finally:
            await context.close()

    async def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """What the database holds, past row-level security."""
        return [tuple(row) for row in await self.db.fetch(query, *given)]

    async def profile(self, email: str) -> uuid.UUID:
        """Who somebody is."""
        ((found,),) = await self.rows(
            "select id from public.profiles where tenant_id = $1 and external_id = $2",
            self.tenant.id,
            subject_of(email),
        )
        return found


def subject_of(email: str) -> str:
    """Whom the identity provider knows by that address."""
    return f"user_{hashlib.sha256(email.encode()).hexdigest()[:24]}"


def _tokens(clerk: ClerkServer) -> Starlette:
    """What ``getToken()`` gives a page. That somebody is who they say is not its business here."""

    async def token(request: Request) -> JSONResponse:
        email, org = request.query_params["user"], request.query_params["org"]
        # The party is the page that asks: its browser says which, and no script has a say in it.
        origin = request.headers["origin"]
        header = clerk.token(subject_of(email), org, azp=origin, email=email, email_verified=True)
        signed = header["authorization"].removeprefix("Bearer ")
        return JSONResponse({"token": signed}, headers={"access-control-allow-origin": origin})

    return Starlette(routes=[Route("/token", token)])


def _site(built: Path, config: dict[str, Any]) -> Starlette:
    async def page(_: Request) -> FileResponse:
        return FileResponse(built / "index.html")

    async def configuration(_: Request) -> JSONResponse:
        return JSONResponse(config)

    return Starlette(
        routes=[
            Route("/config.json", configuration),
            Route("/", page),
            Route("/mentor", page),
            Mount("/", StaticFiles(directory=built)),
        ]
    )


@asynccontextmanager
async def _product(
    access: DatabaseAccess, built: Path, chromium: Browser, delay_s: float = 0.0
) -> AsyncIterator[Product]:
    tenant = await make_tenant(access, f"org_{uuid.uuid4().hex}")
    config = dict[str, Any]()
    assert access.admin_url is not None
    db = await asyncpg.connect(access.admin_url)
    async with (
        ClerkServer(rsa_key("ins_1").jwk()) as clerk,
        served(_tokens(clerk)) as tokens,
        served(_site(built, config)) as url,
        running_server(
            access, worker=True, offline_delay_s=delay_s, cors_origins=(url,), clerk_issuer=clerk.issuer
        ) as api,
    ):
        config |= {
            "apiUrl": api.base_url,
            "tokenUrl": f"{tokens}/token",
            "marketplace": {"orgId": tenant.external_org_id},
            "mentor": {"orgId": tenant.external_org_id, "agent": "rafael-chat", "name": "Rafael"},
        }
        yield Product(url=url, api=api, clerk=clerk, tenant=tenant, chromium=chromium, db=db)
    await db.close()


@pytest_asyncio.fixture(scope="module")
async def product(access: DatabaseAccess, built: Path, chromium: Browser) -> AsyncIterator[Product]:
    """The example, with three agents for hire and a mentor."""
    async with _product(access, built, chromium) as product:
        service = service_headers(product.tenant)
        token = service["authorization"].removeprefix("Bearer ")
        seeding = await asyncio.create_subprocess_exec(
            "node", "seed.mjs",
            cwd=EXAMPLE, env=node.environment(STEAD_URL=product.api.base_url, STEAD_TOKEN=token),
        )  # fmt: skip
        assert await seeding.wait() == 0
        await _add_mentor(product)
        yield product


async def _add_mentor(product: Product) -> None:
    organisation = mentor.read_organisation(mentor.shipped()["rafael-tatts"])
    service = tenant_service(product.tenant)
    async with product.api.parts.db.transaction(service) as tx:
        await mentor.apply(tx, service, organisation.agents)


async def test_compares_agents_chats_and_joins_the_waitlist(product: Product) -> None:
    email = "ann@example.com"
    async with product.device() as device:
        page = device.page
        await page.goto("/")
        await expect(page.get_by_text("Sign in to see who is for hire.")).to_be_visible()
        await device.sign_in(email)
        await expect(page.get_by_role("status")).to_have_text("4 agents")
        await device.fits()

        await device.type("Industry", "fintech")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("1 agent")
        await device.type("Industry", " ")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("4 agents")

        await device.choose("checkbox", "Compare Hanna")
        await device.choose("checkbox", "Compare Berta")
        await device.type("What are you looking for?", "Hire two backend engineers")
        await device.type("Your budget, in dollars", "250")
        await device.press("Compare these 2")
        comparison = page.get_by_role("region", name="Comparison")
        await expect(comparison.get_by_role("heading", level=3)).to_have_text(["Hanna", "Berta"])
        await expect(comparison.get_by_text("of 100")).to_have_count(2)
        assert await comparison.locator("ul").first.get_by_role("listitem").count() > 0
        await device.fits()

        await device.press("Chat with Hanna", comparison)
        answer = await device.ask("Hanna", "I need two backend engineers in Lisbon by May.")
        await expect(answer).to_contain_text("Noted: I need two backend engineers in Lisbon by May.")
        await device.answered()

        await device.press("Ask for Hanna", comparison)
        await device.type("Anything to add?", "From May on")
        await device.press("Join the waitlist")
        await expect(page.get_by_text("You are on the waitlist for Hanna.")).to_be_visible()
        await device.fits()

        # Whoever comes back finds everything where it was.
        await page.reload()
        await expect(comparison.get_by_role("heading", level=3)).to_have_text(["Hanna", "Berta"])
        await expect(page.get_by_role("log")).to_contain_text("by May.")
        assert device.complaints == []

    person = await product.profile(email)
    ((session, context, closed),) = await product.rows(
        "select id, agent_context, closed_at from public.agent_sessions where profile_id = $1", person
    )
    assert "Hire two backend engineers" in context
    assert closed is None
    candidates = await product.rows(
        "select a.slug, c.rank, c.fit_score between 0 and 100, cardinality(c.rationale) > 0 "
        "from public.session_candidates c join public.agents a on a.id = c.agent_id "
        "where c.session_id = $1 order by c.rank",
        session,
    )
    assert candidates == [("hanna", 1, True, True), ("berta", 2, True, True)]
    remembered = await product.rows(
        "select source::text, content from public.agent_memories where profile_id = $1", person
    )
    assert ("chat", "I need two backend engineers in Lisbon by May.") in remembered
    assert {source for source, _ in remembered} == {"chat", "comparison"}
    waiting = await product.rows(
        "select a.slug, w.profile_id, w.message, w.status::text from public.waitlist_entries w "
        "join public.agents a on a.id = w.agent_id where w.session_id = $1",
        session,
    )
    assert waiting == [("hanna", person, "From May on", "new")]


#: 003's events of the journey below, on its first device.
FIRED: Final = [
    "session.created",
    "phase.started",
    *["step.viewed", "step.completed"] * 3,
    "phase.completed",
    "content.served",
    "chat.message_sent",
    "session.authenticated",
    "chat.message_sent",
]


async def test_a_visitor_signs_in_and_is_remembered_on_another_device(product: Product) -> None:
    email = "vera@example.com"
    async with product.device() as device:
        page = device.page
        await page.goto("/mentor")
        await device.press("Begin")
        await device.type("What do you charge for a day?", "$300")
        await page.keyboard.press("Enter")
        await device.type("How many days a month are you booked?", "8")
        await page.keyboard.press("Enter")
        await device.choose("radio", "I might lose clients")
        await device.press("Next")
        await expect(page.get_by_role("region", name="Diagnosis")).to_contain_text("$300")
        await device.fits()
        answer = await device.ask("Rafael", "I have my studio in Lisbon.")
        await expect(answer).to_contain_text("Noted: I have my studio in Lisbon.")
        await device.answered()
        held = json.loads(await page.evaluate("localStorage.getItem('mentor')"))
        session = uuid.UUID(held["sessionId"])
        assert await _owners(product, session) == {"session": {None}, "memories": {None}}
        # Nothing that opens the session is where scripts can read it.
        assert await page.evaluate("document.cookie") == ""

        await device.sign_in(email)
        await expect(page.get_by_role("button", name="Your sessions")).to_be_visible()
        await expect(page.get_by_role("log")).to_contain_text("I have my studio in Lisbon.")
        person = await product.profile(email)
        assert await _owners(product, session) == {"session": {person}, "memories": {person}}
        answer = await device.ask("Rafael", "Where is my studio?")
        await expect(answer).to_contain_text("Lisbon")
        await device.answered()
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate("window.fired") == FIRED
        recorded = await product.rows(
            "select distinct name from public.analytics_events where session_id = $1", session
        )
        assert {name for (name,) in recorded} == {*FIRED, "chat.message_received"}
        await device.press("Sign out")
        await expect(page.get_by_role("log")).to_have_count(0)
        assert device.complaints == []

    async with product.device() as device:
        page = device.page
        await page.goto("/mentor")
        await device.sign_in(email)
        before = page.get_by_role("region", name="Your sessions")
        await expect(before.get_by_text("$300")).to_be_visible()
        await device.fits()
        await device.press("Begin")
        await device.press("Go straight to the chat")
        await expect(page.get_by_text("Nothing has been said yet.")).to_be_visible()
        answer = await device.ask("Rafael", "What is my day rate?")
        await expect(answer).to_contain_text("$300")
        answer = await device.ask("Rafael", "Where is my studio?")
        await expect(answer).to_contain_text("Lisbon")
        await device.answered()
        assert device.complaints == []
    linked = await product.rows("select id from public.sessions where profile_id = $1", person)
    assert len(linked) == 2
    assert (session,) in linked


async def _owners(product: Product, session: uuid.UUID) -> dict[str, set[uuid.UUID | None]]:
    sessions = await product.rows("select profile_id from public.sessions where id = $1", session)
    memories = await product.rows(
        "select profile_id from public.agent_memories where session_id = $1", session
    )
    return {"session": {row[0] for row in sessions}, "memories": {row[0] for row in memories}}


async def test_a_reload_takes_the_answer_up_and_stop_ends_it(
    access: DatabaseAccess, built: Path, chromium: Browser
) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    said = f"It is {hostile} and so " + "on " * 100 + "."
    async with _product(access, built, chromium, delay_s=0.1) as product:
        await _add_mentor(product)
        async with product.device() as device:
            page = device.page
            await page.goto("/mentor")
            await device.press("Begin")
            await device.press("Go straight to the chat")
            answer = await device.ask("Rafael", said)
            await expect(answer).to_contain_text(f"Noted: It is {hostile}")
            async with page.expect_response("**/api/chat/*/stream") as resumed:
                await page.reload()
            assert (await resumed.value).status == 200
            before = len(await answer.inner_text())
            await page.wait_for_function(
                "least => document.querySelector('article.assistant')?.innerText.length > least",
                arg=before,
            )
            await device.press("Stop")
            await device.answered()
            shown = await answer.get_by_role("paragraph").inner_text()
            assert "owned" not in await page.title()
            assert device.complaints == []
        assert shown.startswith("[offline model] Noted: It is")
        assert NOTICE not in shown
        runs = await product.rows(
            "select r.status::text from public.agent_runs r where r.tenant_id = $1", product.tenant.id
        )
        assert runs == [("cancelled",)]
        ((kept,),) = await product.rows(
            "select jsonb_path_query_first(parts, '$[*] ? (@.type == \"text\").text') #>> '{}' "
            "from public.messages where tenant_id = $1 and role = 'assistant'",
            product.tenant.id,
        )
        assert kept.split() == shown.split()


async def test_nobody_sees_what_is_anothers(product: Product) -> None:
    secret, slug = "My piano is in Porto.", "rafael-chat"
    headers = product.clerk.token(subject_of("owner@example.com"), product.org, azp=product.url)
    opened = await product.api.client.post(
        "/api/session", json={"orgId": product.org, "context": {"home": secret}}, headers=headers
    )
    session = opened.json()["sessionId"]
    await say(product.api.client, headers, session, secret, agentId=slug)

    async with product.device(mentor={"sessionId": session, "owner": None}) as device:
        await device.page.goto("/mentor")
        await expect(device.page.get_by_role("alert")).to_be_visible()
        await expect(device.page.get_by_role("log")).to_have_count(0)
        assert "Porto" not in await device.page.content()
    eve = "eve@example.com"
    async with product.device(
        **{
            "signed-in-as": eve,
            "mentor": {"sessionId": session, "owner": eve, "skipped": True},
            f"market:{eve}": {"sessionId": session, "chatting": {"slug": slug, "name": "Rafael"}},
        }
    ) as device:
        for path in ("/mentor", "/"):
            await device.page.goto(path)
            await expect(device.page.get_by_role("alert").first).to_be_visible()
            await expect(device.page.get_by_role("log")).to_have_count(0)
            assert "Porto" not in await device.page.content()
    async with product.device(**{"signed-in-as": eve}) as device:
        await device.page.goto("/mentor")
        await expect(device.page.get_by_text("There is nothing yet.")).to_be_visible()
        await device.press("Begin")
        await device.press("Go straight to the chat")
        answer = await device.ask("Rafael", "Where is my piano?")
        await expect(answer).to_contain_text("Nothing is remembered about that yet.")
        assert device.complaints == []
