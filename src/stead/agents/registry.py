"""Agents by name: those defined in code, and those that are rows with versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import asyncpg

from stead.agents import queries
from stead.agents.errors import AgentInvalid, AgentUnknown, GenerationTaken, GenerationUnknown
from stead.agents.models import (
    AgentDefinition,
    AgentSummary,
    AgentVersion,
    Instructions,
    ToolFunction,
)
from stead.agents.shared_tools import SHARED_TOOLS
from stead.core.errors import Invalid
from stead.db import NOBODY, Database, Row, Transaction
from stead.identity import Principal

#: What agents are called, and types of what they generate, as JSON Schema has patterns.
SLUG_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$"
TYPE_PATTERN: Final = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
_SLUG: Final = re.compile(SLUG_PATTERN)
_TYPE: Final = re.compile(TYPE_PATTERN)
_TOOL_SLUG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")


class AgentRegistry:
    """What this process can run by name. Filled while a program starts, then only read."""

    def __init__(self) -> None:
        self._agents: dict[str, AgentDefinition] = {}
        self._tools: dict[str, ToolFunction] = {}
        self._actions: dict[str, Callable[..., Any]] = {}

    def add_agent(
        self,
        slug: str,
        instructions: Instructions,
        *,
        name: str | None = None,
        tagline: str = "",
        model: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str | Callable[..., Any]] = (),
        output_schema: dict[str, Any] | None = None,
        history: bool = False,
        generates: str | None = None,
    ) -> AgentDefinition:
        """Defines an agent in code.

        Args:
            slug: What callers name it: lower-case letters, digits and hyphens.
            instructions: Text, or a function of AgentContext.
            name: What people read; made from the slug when None.
            tools: Functions, names of registered ones, or slugs of the catalogue. What a slug means is looked up
                run by run; one that the tenant's catalogue does not have is not offered.
            history: Whether it is given past proposals and outcomes, as ``context.history``.
            generates: The type of ``/api/generate`` that it answers where the tenant has no own agent for it.

        Raises:
            AgentInvalid: The slug or the type is malformed or taken, or a tool's name is none.
        """
        if not _SLUG.fullmatch(slug):
            raise AgentInvalid(
                f"{slug!r} is no slug", hint="Use lower-case letters, digits and hyphens."
            )
        if slug in self._agents:
            raise AgentInvalid(f"two agents in code are called {slug!r}")
        if generates is not None:
            check_type(generates)
            if any(agent.generates == generates for agent in self._agents.values()):
                raise AgentInvalid(f"two agents in code generate {generates!r}")
        direct = [self._tool(tool) for tool in tools]
        definition = AgentDefinition(
            slug=slug,
            name=name or slug.replace("-", " ").title(),
            tagline=tagline,
            instructions=instructions,
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            tools=[tool for tool in direct if isinstance(tool, ToolFunction)],
            actions=[tool for tool in direct if isinstance(tool, str)],
            output_schema=output_schema,
            history=history,
            generates=generates,
        )
        self._agents[slug] = definition
        return definition

    def add_tool(
        self, function: Callable[..., Any], *, name: str | None = None, risk: str = "low"
    ) -> ToolFunction:
        """Registers a function as a tool that anybody may use: it runs within the agent's own run.

        Raises:
            AgentInvalid: The name is taken; or the tool needs guardrails, and here it would run without.
        """
        if risk != "low":
            raise AgentInvalid(
                f"the tool {name or function.__name__!r} is of {risk} risk, and would run unguarded",
                hint="Register it with Stead.tool: it becomes one of the catalogue.",
            )
        tool = ToolFunction(name=name or function.__name__, function=function)
        if tool.name in self._actions or (self._tools.get(tool.name, tool).function is not function):
            raise AgentInvalid(f"two tools are called {tool.name!r}")
        self._tools[tool.name] = tool
        return tool

    def add_action(self, slug: str, function: Callable[..., Any]) -> None:
        """Lets agents name a function that is a tool of the catalogue: it is never run from here.

        Raises:
            AgentInvalid: The name is taken.
        """
        if slug in self._tools or self._actions.get(slug, function) is not function:
            raise AgentInvalid(f"two tools are called {slug!r}")
        self._actions[slug] = function

    def code_agents(self) -> list[AgentDefinition]:
        """Every agent in code."""
        return list(self._agents.values())

    def tool_names(self) -> list[str]:
        """Every registered tool."""
        return sorted(self._tools)

    def known_tools(self) -> list[str]:
        """Every tool that an agent may name, those of the catalogue aside."""
        return sorted({*SHARED_TOOLS, *self._tools})

    async def register(self, db: Database) -> None:
        """Makes agents in code known to the database, so that runs and memories can refer to them."""
        async with db.transaction(NOBODY) as tx:
            for slug, agent in self._agents.items():
                agent_id = await queries.register_code_agent(tx, slug, agent.name, agent.tagline)
                self._agents[slug] = replace(agent, id=agent_id)

    async def resolve(self, tx: Transaction, principal: Principal, slug: str) -> AgentDefinition:
        """The agent of that name for this tenant: its own row, else one in code.

        Raises:
            AgentUnknown: There is none that can run.
        """
        row = await queries.agent_by_slug(tx, principal.tenant.id, slug)
        if row is not None and row["version_id"] is not None:
            return self._from_row(row)
        if (agent := self._agents.get(slug)) is not None:
            later, actions = self._sorted(agent.actions)
            return replace(agent, tools=[*agent.tools, *later], actions=actions)
        listed = await queries.list_agents(tx, principal.tenant.id)
        known = {row["slug"] for row in listed if row["visibility"] == "public"} | set(self._agents)
        raise AgentUnknown(
            "no agent of that name answers here",
            hint=f"There are: {', '.join(sorted(known)[:20]) or 'none yet'}.",
        )

    async def resolve_generator(
        self, tx: Transaction, principal: Principal, generates: str
    ) -> AgentDefinition:
        """The agent that answers ``/api/generate`` of a type for this tenant: its own, else one in code.

        Raises:
            GenerationUnknown: There is none.
            AgentUnknown: It has no version yet.
        """
        known = {agent.generates: slug for slug, agent in self._agents.items() if agent.generates}
        own = await queries.generators(tx, principal.tenant.id)
        known |= {row["generates"]: row["slug"] for row in own}
        if generates not in known:
            raise GenerationUnknown(
                "no agent generates this here",
                hint=f"There are: {', '.join(sorted(known)) or 'none yet'}.",
            )
        return await self.resolve(tx, principal, known[generates])

    def _sorted(self, names: Sequence[str]) -> tuple[list[ToolFunction], list[str]]:
        """Functions, and slugs of the catalogue. What is registered here comes before what is shared."""
        functions: dict[str, ToolFunction] = {**SHARED_TOOLS, **self._tools}
        for name in self._actions:
            functions.pop(name, None)
        return (
            [functions[name] for name in names if name in functions],
            [name for name in names if name not in functions],
        )

    def _from_row(self, row: Row) -> AgentDefinition:
        tools, actions = self._sorted(row["tools"])
        return AgentDefinition(
            id=row["id"],
            version_id=row["version_id"],
            slug=row["slug"],
            name=row["name"],
            tagline=row["tagline"] or "",
            instructions=row["instructions"],
            model=row["model"],
            temperature=row["temperature"],
            max_tokens=row["max_tokens"],
            tools=tools,
            actions=actions,
            output_schema=row["output_schema"],
        )

    def _tool(self, tool: str | Callable[..., Any]) -> ToolFunction | str:
        if callable(tool):
            for slug, function in self._actions.items():
                if function is tool:
                    return slug
            return self.add_tool(tool)
        if tool in self._tools:
            return self._tools[tool]
        if not _TOOL_SLUG.fullmatch(tool):
            raise AgentInvalid(
                f"no tool is called {tool!r}", hint="Letters, digits, '_', '.', ':' and '-'."
            )
        return tool


async def listing(tx: Transaction, principal: Principal) -> list[AgentSummary]:
    """The tenant's agents and the shared ones."""
    rows = await queries.list_agents(tx, principal.tenant.id)
    return [AgentSummary(**dict(row)) for row in rows]


async def save_agent(
    tx: Transaction,
    principal: Principal,
    *,
    slug: str,
    name: str,
    tagline: str | None = None,
    description: str | None = None,
    visibility: str = "public",
    generates: str | None = None,
) -> UUID:
    """Makes or renames one of the tenant's agents.

    Args:
        generates: The type of ``/api/generate`` that it answers.

    Raises:
        GenerationTaken: Another agent of the tenant does.
    """
    if generates is not None:
        check_type(generates)
    try:
        return await queries.upsert_agent(
            tx, principal.tenant.id, slug, name, tagline, description, visibility, generates
        )
    except asyncpg.UniqueViolationError as error:
        # Of the slug there is none: that is an update.
        raise GenerationTaken(
            f"another agent of this organisation generates {generates!r}",
            hint="Save that one without it first.",
        ) from error


def check_type(generates: str) -> None:
    """Raises AgentInvalid where this is no type of something that is generated."""
    if not _TYPE.fullmatch(generates):
        raise AgentInvalid(
            f"{generates!r} is no type", hint="Lower-case letters, digits and hyphens; at most 64."
        )


async def add_version(
    tx: Transaction,
    principal: Principal,
    slug: str,
    *,
    instructions: str,
    model: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    tools: Sequence[str] = (),
    output_schema: dict[str, Any] | None = None,
) -> AgentVersion:
    """Makes the next version of one of the tenant's agents. It runs from the next message on.

    Raises:
        AgentUnknown: The tenant has no such agent of its own.
    """
    agent_id = await queries.lock_agent(tx, principal.tenant.id, slug)
    if agent_id is None:
        raise AgentUnknown(f"no agent of this organisation is called {slug!r}")
    row = await queries.insert_version(
        tx,
        principal.tenant.id,
        agent_id,
        model,
        temperature,
        max_tokens,
        instructions,
        tools,
        output_schema,
        principal.profile_id,
    )
    if row is None:
        raise Invalid("the version was not stored")
    return AgentVersion(**dict(row))


async def versions(tx: Transaction, principal: Principal, slug: str) -> list[AgentVersion]:
    """The versions of an agent, newest first.

    Raises:
        AgentUnknown: There is no such agent.
    """
    row = await queries.agent_by_slug(tx, principal.tenant.id, slug)
    if row is None:
        raise AgentUnknown(f"no agent is called {slug!r} here")
    return [AgentVersion(**dict(version)) for version in await queries.list_versions(tx, row["id"])]
