"""What a user's own program is written with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel

import stead
from stead import AgentContext, Stead
from stead.agents import AgentInvalid
from stead.assembly.database import DatabaseAccess
from stead.tools import ToolInvalid
from tests.support.people import Person, open_session
from tests.support.servers import running_server, say, text_of


class Sum(BaseModel):
    """What the tool returns."""

    total: int


def make() -> Stead:
    app = Stead()

    @app.tool()
    async def add(a: int, b: int) -> Sum:
        """Adds two numbers."""
        return Sum(total=a + b)

    @app.agent("counter", tools=["add"], temperature=0)
    def counter(ctx: AgentContext) -> str:
        """Counts."""
        return f"You count for {ctx.session.name or 'somebody'}.\n{ctx.memories}"

    return app


async def test_agents_and_tools_in_code_answer(access: DatabaseAccess, person: Person) -> None:
    async with running_server(access, make()) as server:
        session = await open_session(server.client, person)
        await say(server.client, person.headers, session, "I live in Lisbon.", agentId="counter")
        frames = await say(
            server.client, person.headers, session, '/tool add {"a": 2, "b": 40}', agentId="counter"
        )
        output = next(frame for frame in frames if frame["type"] == "tool-output-available")
        assert output["output"] == {"total": 42}
        assert "42" in text_of(frames)
        listed = (await server.client.get("/v1/agents", headers=person.headers)).json()
        own: dict[str, Any] = next(agent for agent in listed if agent["slug"] == "counter")
        assert own["shared"] is True
        assert own["tagline"] == "Counts."


def test_mistakes_are_said_at_definition() -> None:
    app = make()
    with pytest.raises(AgentInvalid, match="two agents"):
        app.agent("counter")(lambda _: "")
    with pytest.raises(AgentInvalid, match="no slug"):
        app.agent("Not A Slug")(lambda _: "")
    with pytest.raises(AgentInvalid, match="no tool"):
        app.agent("other", tools=["sub tract"])(lambda _: "")
    with pytest.raises(ToolInvalid, match="does not fit"):
        app.tool(risk="high")(lambda: None)
    app.tool(name="transfer", risk="high")(lambda: None)
    with pytest.raises(AgentInvalid, match="two tools"):
        app.tool(name="transfer")(lambda: None)


def test_the_public_surface_is_what_it_says() -> None:
    assert sorted(stead.__all__) == [
        "ActionContext", "AgentContext", "JobContext", "JobFailed", "Question", "Settings", "Stead", "SteadError",
        "ToolContext", "ToolRefused", "ToolRetry",
    ]  # fmt: skip
    for name in stead.__all__:
        assert getattr(stead, name).__doc__
    with pytest.raises(AttributeError):
        _ = stead.nothing


def test_importing_is_light() -> None:
    """Help and small commands must not load a web framework and three SDKs; the server not the SDKs."""
    heavy = "{'agents', 'openai', 'mcp', 'model2vec', 'any_llm'}"
    parts = " | {'fastapi', 'stead.agents', 'stead.http', 'stead.jobs', 'stead.memory', 'stead.tools'}"
    for module, more in (
        ("stead.cli; stead.cli.access.load_settings()", parts),
        ("stead.http", ""),
        ("stead", " | {'fastapi', 'asyncpg'}"),
    ):
        code = f"import sys, {module}; print(sorted(({heavy}{more}) & set(sys.modules)))"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == "[]", module
