"""Operators of a test's own, each with a browser's cookies, before a server that carries actions out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest_asyncio

from stead import actions, identity, outbox
from stead.actions import ActionExecutor, ActionGate, Proposal, Proposed, approvers
from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.governance import Risk
from stead.identity import Principal, Tenant, tenant_service
from stead.outbox import Envelope, OutboxConfig, OutboxWorker
from stead.processes import Heartbeat
from stead.realtime import Hub
from tests.support.people import Person, make_person, service_headers
from tests.support.servers import Running, running_server

#: What the tools of this server did: orders.
EFFECTS: list[str] = []


@pytest_asyncio.fixture(scope="session")
async def console(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server with guarded tools; envelopes stay where they are."""
    async with running_server(access, _app()) as running:
        yield running


def _app() -> Stead:
    app = Stead()

    @app.tool(name="console_refund", risk="high")
    async def refund(order: str, note: str = "", amount: float = 0) -> dict[str, str]:
        """Pays money back."""
        if order.startswith("cut"):
            raise ConnectionResetError(order)
        EFFECTS.append(order)
        return {"refunded": order}

    return app


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


class Page(HTMLParser):
    """A page as a browser reads it: its elements, with all text below each."""

    _VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in self._VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of that tag with these attributes."""
        return [
            e
            for e in self.elements
            if e.tag == tag and all(e.attributes.get(k) == v for k, v in attributes.items())
        ]

    def hidden(self) -> dict[str, str]:
        """Hidden fields; where forms share one, it is the same."""
        return {e.attributes["name"]: e.attributes["value"] for e in self.all("input", type="hidden")}

    @property
    def text(self) -> str:
        """What is read."""
        return self.all("body")[0].text


@dataclass
class Browser:
    """Somebody's browser."""

    client: httpx.AsyncClient

    async def get(self, path: str, status: int = 200, **headers: str) -> Page:
        """A page."""
        answer = await self.client.get(path, headers={"accept": "text/html", **headers})
        assert answer.status_code == status, answer.text
        return Page(answer.text)

    async def post(
        self, path: str, fields: dict[str, str], *, origin: str | None = "own"
    ) -> httpx.Response:
        """Posts a form, and does not follow."""
        headers = {"accept": "text/html"}
        if origin is not None:
            headers["origin"] = str(self.client.base_url).rstrip("/") if origin == "own" else origin
        return await self.client.post(path, data=fields, headers=headers)

    async def submit(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Loads a page and posts one of its forms, with what is hidden in it."""
        return await self.post(path, {**(await self.get(page)).hidden(), **fields})


@dataclass
class Desk:
    """A tenant with operators."""

    running: Running
    access: DatabaseAccess
    db: Database
    tenant: Tenant
    stack: AsyncExitStack

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker carries out what is ready."""
        parts, worker_id = self.running.parts, new_id()
        hub = Hub(self.access.listen_url)
        await hub.start()
        beat = Heartbeat(self.db, worker_id, "worker", 1.0)
        await beat.start()
        gate = ActionGate()
        executor = ActionExecutor(gate, parts.toolbox, parts.webhooks)
        worker = OutboxWorker(self.db, hub, gate, executor, worker_id, OutboxConfig())
        task = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            worker.stop()
            await asyncio.wait_for(task, 30)
            await beat.stop()
            await hub.stop()

    async def until(self, proposed: Proposed, status: str) -> Envelope:
        """The envelope as soon as it is in that state."""
        async with asyncio.timeout(30):
            while True:
                envelope = await self.envelope(proposed)
                if envelope.status == status:
                    return envelope
                await asyncio.sleep(0.02)

    @property
    def service(self) -> Principal:
        """The tenant's."""
        return tenant_service(self.tenant)

    async def browser(self) -> Browser:
        """A browser without cookies."""
        client = httpx.AsyncClient(base_url=self.running.base_url, timeout=30)
        return Browser(await self.stack.enter_async_context(client))

    async def signed_in(self, token: str) -> Browser:
        """A browser that signed in."""
        browser = await self.browser()
        answer = await browser.post("/console/sign-in", {"token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console"), answer.text
        return browser

    async def as_service(self) -> Browser:
        """The tenant's service."""
        return await self.signed_in(service_headers(self.tenant)["authorization"].split()[1])

    async def key(self, *scopes: str) -> tuple[str, str]:
        """An API key: its id and text."""
        async with self.db.transaction(self.service) as tx:
            key, text = await identity.keys.create(tx, self.service, name="console", scopes=scopes)
        return key.id, text

    async def person(self, *, approves: Risk | None = None) -> Person:
        """Somebody of the tenant, who may approve up to a tier."""
        person = await make_person(self.db, self.tenant)
        if approves is not None:
            async with self.db.transaction(self.service) as tx:
                await approvers.put(tx, self.service, person.id, approves)
        return person

    async def propose(self, by: Principal | None = None, **arguments: Any) -> Proposed:
        """Proposes a refund, which waits for an approval."""
        who = (by or self.service).served()
        proposal = Proposal(tool="console_refund", arguments={"order": "o-1", **arguments})
        async with self.db.transaction(who) as tx:
            proposed = await actions.propose(tx, who, proposal)
        assert isinstance(proposed, Proposed), proposed
        return proposed

    async def envelope(self, proposed: Proposed) -> Envelope:
        """As it stands."""
        async with self.db.transaction(self.service, read_only=True) as tx:
            return await outbox.envelopes.get(tx, self.service, proposed.envelope.id)


@pytest_asyncio.fixture
async def desk(
    console: Running, access: DatabaseAccess, db: Database, tenant: Tenant
) -> AsyncIterator[Desk]:
    """A tenant of the test's own."""
    async with AsyncExitStack() as stack:
        yield Desk(console, access, db, tenant, stack)
