"""Vendors' servers in front of which Stead runs, and what a request to each of them says."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from stead import agents
from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.identity import Tenant
from tests.servers.anthropic import AnthropicServer
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, Request
from tests.servers.wire import ModelServer
from tests.support.people import Person, service
from tests.support.servers import Running, running_server

KINDS = ("responses", "chat_completions", "anthropic")
PRICES = {"openai/priced": (2.0, 10.0, 0.5), "anthropic/priced": (2.0, 10.0, 0.5)}
SHAPE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


class Forecast(BaseModel):
    """What `forecast` returns."""

    city: str
    degrees: float


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def forecast(city: str) -> Forecast:
    """Tells the weather."""
    return Forecast(city=city, degrees=21.5)


def echo(text: str) -> dict[str, object]:
    """Says the same, and things that no JSON has."""
    return {"said": text, "endless": float("inf"), "n": float("nan")}


def explode() -> str:
    """Never works."""
    raise RuntimeError("the kiln is cold")


@dataclass
class Vendor:
    """A vendor's server, and Stead in front of it."""

    kind: str
    model: str
    models: ModelServer
    running: Running

    def script(self, *replies: Reply) -> None:
        """What the next requests are answered; what was left of another test is forgotten."""
        self.models.replies.clear()
        self.models.requests.clear()
        self.models.script(*replies)

    @property
    def requests(self) -> list[Request]:
        return self.models.requests


def instructions_in(request: Request) -> str:
    """The instructions that a request carries, in whichever vendor's form."""
    body = request.body
    if "instructions" in body:
        return str(body["instructions"])
    if "system" in body:
        return str(body["system"])
    return "\n".join(str(m["content"]) for m in body["messages"] if m["role"] in {"system", "developer"})


def said_in(request: Request) -> list[tuple[str, str]]:
    """Role and words of the conversation that a request carries, in order."""
    items = request.body.get("input", request.body.get("messages"))
    said: list[tuple[str, str]] = []
    for item in items:
        if item.get("role") not in {"user", "assistant"}:
            continue
        content = item.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content)
        if content:
            said.append((item["role"], content))
    return said


def tool_results_in(request: Request) -> list[str]:
    """What tools answered, as a request carries it."""
    items = request.body.get("input", request.body.get("messages"))
    found = [item["output"] for item in items if item.get("type") == "function_call_output"]
    for item in items:
        if item.get("role") == "tool":
            found.append(item["content"])
        if isinstance(item.get("content"), list):
            found += [part["content"] for part in item["content"] if part.get("type") == "tool_result"]
    return [one if isinstance(one, str) else json.dumps(one) for one in found]


@asynccontextmanager
async def vendor_of(
    kind: str, access: DatabaseAccess, *, model_name: str = "priced", **settings: Any
) -> AsyncGenerator[Vendor]:
    """Stead with the agents and tools of these tests, in front of one vendor's server."""
    anthropic = kind == "anthropic"
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    app.registry.add_agent("calculator", "You calculate.", tools=[add, forecast, echo, explode])
    app.registry.add_agent("structured", "You answer in JSON.", output_schema=SHAPE)
    model = f"{'anthropic' if anthropic else 'openai'}/{model_name}"
    async with AnthropicServer() if anthropic else OpenAIServer() as models:
        where: dict[str, Any] = (
            {"anthropic_api_key": "key", "anthropic_base_url": models.base_url}
            if anthropic
            else {"openai_api_key": "key", "openai_base_url": models.base_url, "openai_api": kind}
        )
        prepared = {"model_prices": PRICES, **where, **settings}
        async with running_server(access, app, model=model, **prepared) as running:
            yield Vendor(kind=kind, model=model, models=models, running=running)


async def add_concierge(db: Database, tenant: Tenant, model: str | None = None) -> None:
    """A concierge as a row: what a server without agents in code can run."""
    principal = service(tenant)
    async with db.transaction(principal) as tx:
        await agents.save_agent(tx, principal, slug="concierge", name="Concierge")
        await agents.add_version(
            tx, principal, "concierge", instructions="You are a concierge.", model=model
        )


async def run_of(running: Running, person: Person, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of the run that a stream came from."""
    run_id = frames[0]["messageMetadata"]["runId"]
    answer = await running.client.get(f"/v1/runs/{run_id}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def messages_of(running: Running, person: Person, session: str) -> list[dict[str, Any]]:
    """The stored messages of a session."""
    answer = await running.client.get(f"/api/session/{session}/messages", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def stored_text(message: dict[str, Any]) -> str:
    """The words of a stored message."""
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")
