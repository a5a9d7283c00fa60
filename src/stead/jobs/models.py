"""Jobs as values, and what a handler is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

from stead.db import Transaction
from stead.identity import Principal

R = TypeVar("R")

JobStatus = Literal["queued", "running", "completed", "failed", "waiting_for_input", "cancelled"]
TERMINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something that a job wants a person to answer.

    Args:
        id: Unique among the questions that are asked together.
        question: In words.
        options: Answers to choose from; None: free text.
    """

    id: str
    question: str
    options: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person answered."""

    question_id: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job to be enqueued.

    Args:
        kind: The name that a handler is registered under; 004's ``agent_type``.
        input: Arguments of the handler, by name; JSON.
        project_id: 004's project, for jobs that belong to one.
        queue: Which queue; queues are paused and limited on their own.
        priority: Higher runs first among the jobs of one tenant.
        run_at: Not before this; None: now.
        dedupe_key: While a job of this tenant, kind and key has not ended, another is not made.
        max_attempts: How often it is tried; None: what its handler says.
        timeout_s: How long an attempt may take; None: what its handler says.
        parent_id: The job that spawned it.
        user_id: For services: in whose name it runs; None: the tenant's service, or the person who makes it.
    """

    kind: str
    input: Mapping[str, Any] = field(default_factory=dict[str, Any])
    project_id: UUID | None = None
    queue: str = "default"
    priority: int = 0
    run_at: datetime | None = None
    dedupe_key: str | None = None
    max_attempts: int | None = None
    timeout_s: float | None = None
    parent_id: UUID | None = None
    user_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it stands.

    Args:
        kind: 004's ``agent_type``.
        progress: 0 to 100.
        error: Why the latest attempt failed.
        error_code: A stable code of it.
        attempts: How many attempts were begun, without those that only resumed after a wait.
    """

    id: UUID
    tenant_id: UUID
    project_id: UUID | None
    user_id: UUID | None
    kind: str
    status: JobStatus
    progress: float
    result: Any
    error: str | None
    error_code: str | None
    questions: list[Question]
    queue: str
    priority: int
    attempts: int
    max_attempts: int
    run_at: datetime
    parent_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """How a spawned job ended."""

    id: UUID
    kind: str
    status: JobStatus
    result: Any
    error: str | None


class JobContext(Protocol):
    """What a handler gets as its first argument.

    A handler runs again from its start after a crash, a retry or an answer; whatever was a step returns its stored
    result then. So everything that is not to happen twice is a step, and steps come in the same order each time.
    """

    @property
    def id(self) -> UUID:
        """The job."""
        ...

    @property
    def principal(self) -> Principal:
        """In whose name it works: the person who enqueued it, or the tenant's service; as the server."""
        ...

    @property
    def project_id(self) -> UUID | None:
        """004's project."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        ...

    async def step(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Runs ``await function(*args)`` once and stores its result under ``name``; later only returns it.

        No transaction is open. The result must be JSON, or a pydantic model or dataclass that the function's
        return annotation names (it is read back as that).
        """
        ...

    async def write(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Like a step, in one transaction: ``await function(tx, *args)`` and its checkpoint commit together."""
        ...

    async def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Asks a person, and frees the worker until all is answered."""
        ...

    async def progress(self, percent: float, message: str | None = None) -> None:
        """Tells how far it is, 0 to 100; cheap to call often."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Frees the worker until then."""
        ...

    async def spawn(self, kind: str, input: Mapping[str, Any]) -> UUID:  # noqa: A002
        """Enqueues a child in the same project and name, once."""
        ...

    async def wait(self, jobs: Sequence[UUID]) -> list[JobResult]:
        """Frees the worker until these children have ended; how they ended, in the order given."""
        ...

    def transaction(self, *, read_only: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A transaction in the name of the job's principal."""
        ...


JobFunction = Callable[..., Awaitable[Any]]
