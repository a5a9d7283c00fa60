"""Applying an organisation's files to its tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stead import agents
from stead.agents import AgentSummary, AgentVersion
from stead.apps.mentor.files import AgentFile
from stead.db import Transaction
from stead.identity import Principal


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of one agent.

    Args:
        version: The number of the version that runs from now on.
        changed: Whether anything was written.
    """

    slug: str
    version: int
    changed: bool


async def apply(
    tx: Transaction, principal: Principal, files: Sequence[AgentFile], *, only_missing: bool = False
) -> list[Applied]:
    """Makes the tenant's agents as the files say; agents without a file stay as they are.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        files: The agents.
        only_missing: Agents that are there stay as they are too, whatever became of them.

    Raises:
        GenerationTaken: An agent without a file generates a type of one of these.
    """
    known = {agent.slug: agent for agent in await agents.listing(tx, principal) if not agent.shared}
    return [
        await _apply(tx, principal, file, known.get(file.slug), only_missing=only_missing)
        for file in files
    ]


async def _apply(
    tx: Transaction,
    principal: Principal,
    file: AgentFile,
    known: AgentSummary | None,
    *,
    only_missing: bool,
) -> Applied:
    if only_missing and known is not None and known.version is not None:
        return Applied(slug=file.slug, version=known.version, changed=False)
    listed = known is not None and _is_listed_so(known, file)
    if listed and (latest := await _latest(tx, principal, file)) and _runs_so(latest, file):
        return Applied(slug=file.slug, version=latest.version, changed=False)
    # Saving locks it: of two who apply the same files at once the second finds the first one's version.
    await agents.save_agent(
        tx,
        principal,
        slug=file.slug,
        name=file.name,
        tagline=file.tagline,
        description=file.description,
        visibility=file.visibility,
        generates=file.generates,
    )
    latest = await _latest(tx, principal, file)
    if latest is not None and _runs_so(latest, file):
        return Applied(slug=file.slug, version=latest.version, changed=not listed)
    version = await agents.add_version(
        tx,
        principal,
        file.slug,
        instructions=file.instructions,
        model=file.model,
        temperature=file.temperature,
        max_tokens=file.max_tokens,
        tools=file.tools,
        output_schema=file.output_schema,
    )
    return Applied(slug=file.slug, version=version.version, changed=True)


async def _latest(tx: Transaction, principal: Principal, file: AgentFile) -> AgentVersion | None:
    return next(iter(await agents.versions(tx, principal, file.slug)), None)


def _is_listed_so(known: AgentSummary, file: AgentFile) -> bool:
    return (known.name, known.tagline, known.description, known.visibility, known.generates) == (
        file.name,
        file.tagline,
        file.description,
        file.visibility,
        file.generates,
    )


def _runs_so(latest: AgentVersion, file: AgentFile) -> bool:
    return (
        latest.instructions,
        latest.model,
        latest.temperature,
        latest.max_tokens,
        latest.tools,
        latest.output_schema,
    ) == (
        file.instructions,
        file.model,
        file.temperature,
        file.max_tokens,
        file.tools,
        file.output_schema,
    )
