"""`Stead`: what a user's own program defines its agents and tools on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from fastapi import FastAPI

from stead.adapters import MemorySpace, open_space
from stead.agents import AgentContext, AgentRegistry
from stead.assembly.database import DatabaseAccess, check_login, reach
from stead.assembly.settings import Settings, load_settings
from stead.assembly.wiring import embedder_config, http_config, open_parts
from stead.console import router as console
from stead.http import Parts, create_app
from stead.jobs import JobFunction, JobRegistry
from stead.processes import ProcessKind
from stead.providers.embedders import build_embedder
from stead.scheduling import Missed, ScheduleRegistry
from stead.scheduling.registry import kind_of
from stead.tools import Risk, ToolRegistry

P = ParamSpec("P")
R = TypeVar("R")
Instructions = TypeVar("Instructions", bound=Callable[[AgentContext], str])


class Stead:
    """An application: its settings, its agents, its tools.

    Run it with ``stead up module:app``.

    Args:
        settings: Field names of the settings; they win over the environment.
    """

    def __init__(self, **settings: Any) -> None:
        self._overrides = settings
        self._settings: Settings | None = None
        self.registry = AgentRegistry()
        self.jobs = JobRegistry()
        self.schedules = ScheduleRegistry()
        self.tools = ToolRegistry()

    @property
    def settings(self) -> Settings:
        """The settings, read at first use.

        Raises:
            SettingsInvalid: A value does not fit.
        """
        if self._settings is None:
            self._settings = load_settings(**self._overrides)
        return self._settings

    def with_settings(self, **settings: Any) -> Stead:
        """This application with other settings (of the command line)."""
        self._overrides = {**self._overrides, **settings}
        self._settings = None
        return self

    def agent(
        self,
        slug: str,
        *,
        model: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        tools: Sequence[str | Callable[..., Any]] = (),
        name: str | None = None,
        history: bool = False,
        generates: str | None = None,
    ) -> Callable[[Instructions], Instructions]:
        """Defines an agent by the function that makes its instructions, run by run.

        Args:
            slug: What callers name it.
            model: A model's name; None: the configured one.
            temperature: 0 to 2.
            max_tokens: Of one answer.
            tools: Names of tools, or functions.
            name: What people read.
            history: Whether it is given past proposals and outcomes, as ``context.history``. Agents with guarded
                tools are in any case.
            generates: The type of ``POST /api/generate/{type}`` that it answers.

        Raises:
            AgentInvalid: The slug or the type is malformed or taken, or a tool is not known.
        """

        def register(instructions: Instructions) -> Instructions:
            self.registry.add_agent(
                slug,
                instructions,
                name=name,
                tagline=(instructions.__doc__ or "").strip().partition("\n")[0],
                model=model,
                temperature=temperature,
                max_tokens=max_tokens,
                tools=tools,
                history=history,
                generates=generates,
            )
            return instructions

        return register

    def tool(
        self,
        *,
        name: str | None = None,
        risk: Risk = "low",
        scopes: Sequence[str] = (),
        idempotent: bool = False,
        amount: str | None = None,
        timeout_s: float = 30.0,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Registers a function as a tool. Its docstring and annotations are what a model reads.

        Args:
            name: What models call it; the function's name when None.
            risk: ``low``, without scopes and amount: anybody may use it, and it runs within the agent's own run.
                All others are judged by the tenant's policy, approved where it says so, and run by workers.
            scopes: What a connected account must have been granted.
            idempotent: Whether two calls with one key have one effect.
            amount: The parameter that says what it spends.
            timeout_s: How long a call may take.

        Raises:
            AgentInvalid: The name is taken.
            ToolInvalid: Its parameters cannot be written as JSON Schema.
        """

        def register(function: Callable[P, R]) -> Callable[P, R]:
            if risk == "low" and not scopes and amount is None:
                self.registry.add_tool(function, name=name)
            else:
                tool = self.tools.add(
                    function,
                    name=name,
                    risk=risk,
                    scopes=scopes,
                    idempotent=idempotent,
                    amount=amount,
                    timeout_s=timeout_s,
                )
                self.registry.add_action(tool.spec.slug, function)
            return function

        return register

    def job(
        self,
        kind: str,
        *,
        queue: str = "default",
        max_attempts: int = 3,
        timeout_s: float = 900.0,
        backoff_s: float = 2.0,
    ) -> Callable[[JobFunction], JobFunction]:
        """Registers an async function as the handler of a kind of job.

        Its first parameter is the `JobContext`; the job's input is its other ones, checked against their
        annotations when the job is made.

        Args:
            kind: The name of these jobs; 004's ``agent_type``.
            queue: Where they go when nobody says otherwise.
            max_attempts: How often one is tried.
            timeout_s: How long an attempt may take, waits not counted.
            backoff_s: Seconds before the second attempt; twice as long before each next, with jitter.

        Raises:
            ValueError: The name is taken, or the function is not async.
        """

        def register(function: JobFunction) -> JobFunction:
            self.jobs.add(
                kind,
                function,
                queue=queue,
                max_attempts=max_attempts,
                timeout_s=timeout_s,
                backoff_s=backoff_s,
            )
            return function

        return register

    def schedule(
        self,
        cron: str,
        *,
        tz: str = "UTC",
        job: str | None = None,
        tenant: str | None = None,
        missed: Missed = "once",
        name: str | None = None,
        input: Mapping[str, Any] | None = None,  # noqa: A002 - what it is called everywhere else
        tick: str | None = None,
        queue: str | None = None,
    ) -> Callable[[JobFunction], JobFunction]:
        """Makes a job at times of a clock: a call by itself, or a decorator above `job`.

        Args:
            cron: Minute, hour, day of the month, month, day of the week: ``0 7 * * mon-fri``; or ``@daily``.
            tz: IANA name of the time zone whose clock it goes by.
            job: Which kind of job; as a decorator: that of the function below.
            tenant: Slug of the tenant whose job it is; None: a job for every tenant.
            missed: What becomes of ticks at which no worker was there: nothing (``skip``), one job for all of
                them (``once``), a job for each of the latest hundred (``all``).
            name: Its name; that of the jobs when None.
            input: The jobs' input.
            tick: The handler's argument that is given the tick (ISO 8601, UTC).
            queue: Where the jobs go; None: what the handler says.

        Raises:
            ScheduleInvalid: It cannot be read, its name is taken, or the function is no handler.
        """

        def register(kind: str) -> None:
            self.schedules.add(
                cron,
                kind=kind,
                time_zone=tz,
                tenant=tenant,
                missed=missed,
                name=name,
                input=input,
                tick_argument=tick,
                queue=queue,
            )

        def decorate(function: JobFunction) -> JobFunction:
            if job is None:
                register(kind_of(self.jobs, function))
            return function

        if job is not None:
            register(job)
        return decorate

    def open(
        self,
        access: DatabaseAccess,
        kind: ProcessKind = "serve",
        *,
        solitary_command: Sequence[str] | None = None,
        delivers: bool = True,
    ) -> AbstractAsyncContextManager[Parts]:
        """Everything that the server and the worker are served from, open while the block runs.

        Args:
            access: The database.
            kind: What process this is.
            solitary_command: What runs one job, whose id follows, in a process of its own.
            delivers: Whether this process gives jobs to the broker, where Celery delivers them.
        """
        return open_parts(
            self.settings,
            access,
            self.registry,
            self.jobs,
            self.schedules,
            kind,
            tools=self.tools,
            solitary_command=solitary_command,
            delivers=delivers,
        )

    @asynccontextmanager
    async def memory(
        self, tenant: str, profile: str, *, session_id: UUID | None = None
    ) -> AsyncGenerator[MemorySpace]:
        """The memory of one person, for a program beside the server, while the block runs.

        Args:
            tenant: Slug.
            profile: An email address, a profile's id, or the subject at an identity provider. Made at first sight.
            session_id: The session that memories come from.

        Raises:
            DatabaseUnavailable, EmbeddedServerFailed: The database cannot be had.
            RoleTooPowerful: The database login could bypass row-level security.
            TenantUnknown: There is no such tenant.
        """
        access = await reach(self.settings)
        await check_login(access)
        embedder = build_embedder(self.settings.embedder, embedder_config(self.settings))
        try:
            async with open_space(
                access.runtime_url,
                tenant=tenant,
                profile=profile,
                embedder=embedder,
                session_id=session_id,
            ) as space:
                yield space
        finally:
            await embedder.aclose()

    def http(self, open_with: Callable[[], AbstractAsyncContextManager[Parts]]) -> FastAPI:
        """The HTTP application."""
        config = http_config(self.settings, version("stead"))
        return create_app(config, open_with, pages=[console])
