"""The parts that requests are served from; put together elsewhere, handed in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from stead.agents import AgentRuntime
from stead.db import Database
from stead.identity import Authenticator


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is open while the server runs.

    Args:
        pending_migrations: Names of migrations that the database lacks.
    """

    db: Database
    authenticator: Authenticator
    runtime: AgentRuntime
    pending_migrations: Callable[[], Awaitable[list[str]]]
