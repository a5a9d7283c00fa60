"""Who tells workers of jobs: PostgreSQL itself, or a broker that a fleet runs already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class Delivery(Protocol):
    """Carries ids of jobs to workers; the row stays the truth."""

    async def send(self, jobs: Sequence[tuple[UUID, str, str]]) -> int:
        """Sends ids, each with its queue and its task's id; returns how many were taken, from the first on."""
        ...

    async def revoke(self, tasks: Sequence[str]) -> None:
        """Tells that these need not be run any more."""
        ...

    async def aclose(self) -> None:
        """Closes connections."""
        ...


class PostgresDelivery:
    """Nothing is to be done: a job's INSERT wakes the workers."""

    async def send(self, jobs: Sequence[tuple[UUID, str, str]]) -> int:
        """Nothing."""
        return len(jobs)

    async def revoke(self, tasks: Sequence[str]) -> None:
        """Nothing: whoever runs a job hears of its end."""

    async def aclose(self) -> None:
        """Nothing."""
