"""A stage of a job: one agent at work, alone or within the pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from stead.apps.forge import projects
from stead.apps.forge.errors import AgentInputInvalid
from stead.apps.forge.models import ForgeServices, Project
from stead.identity import Principal
from stead.jobs import JobContext

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What an agent works with.

    Args:
        job: The job.
        services: Models and patterns.
        project_id: What it works on.
        name: Stands before the names of its steps, where a job has several stages.
        begins: The progress of the job when it begins, in percent.
        ends: And when it has ended.
    """

    job: JobContext
    services: ForgeServices
    project_id: UUID
    name: str
    begins: float = 0.0
    ends: float = 100.0

    @property
    def principal(self) -> Principal:
        """In whose name it works."""
        return self.job.principal

    async def step(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """A step of the job."""
        return await self.job.step(f"{self.name}: {name}", function, *args)

    async def write(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """A step of the job in a transaction of its own."""
        return await self.job.write(f"{self.name}: {name}", function, *args)

    async def progress(self, share: float, message: str) -> None:
        """Tells how far it is: 0 to 1 of its own part."""
        await self.job.progress(self.begins + share * (self.ends - self.begins), message)

    async def project(self) -> Project:
        """The project as it is now.

        Raises:
            ProjectUnknown, ProjectArchived: There is nothing to work on.
        """
        async with self.job.transaction(read_only=True) as tx:
            return await projects.working_on(tx, self.principal, self.project_id)


def project_of(job: JobContext) -> UUID:
    """The project that a job is about.

    Raises:
        AgentInputInvalid: It is about none.
    """
    if job.project_id is None:
        raise AgentInputInvalid("the job names no project", hint="Say project_id.")
    return job.project_id
