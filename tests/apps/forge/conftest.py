"""Agents at work: real workers, a real database, and models over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from stead import jobs
from stead.agents import LoopConfig
from stead.agents.loading import EngineLoader
from stead.apps import forge
from stead.apps.forge import ForgeServices, Project, projects
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.jobs import Answer, Job, JobRegistry, NewJob, Worker, WorkerConfig
from stead.processes import Heartbeat
from stead.providers.embedders import EmbedderConfig, build_embedder
from stead.providers.models import ModelConfig, PriceList
from stead.realtime import Hub
from tests.servers.anthropic import AnthropicServer
from tests.servers.openai import OpenAIServer
from tests.support.forge import ForgeModel
from tests.support.people import Person


class Shop:
    """A worker with Forge's agents.

    Args:
        model: What answers; None: the offline model.
    """

    def __init__(
        self, access: DatabaseAccess, db: Database, registry: JobRegistry, model: ForgeModel | None
    ) -> None:
        self.access = access
        self.db = db
        self.registry = registry
        self._model = model

    @property
    def model(self) -> ForgeModel:
        assert self._model is not None
        return self._model

    async def project(self, person: Person, **fields: Any) -> Project:
        """A project of that person."""
        values: dict[str, Any] = {"title": "Pawlog", "mode": "builder", **fields}
        specs = {
            k: values.pop(k) for k in ("requirements_spec", "architecture_spec", "status") if k in values
        }
        principal = person.principal
        async with self.db.transaction(principal.served()) as tx:
            made = await projects.create(tx, principal, **values)
            return await projects.update(tx, principal, made.id, specs)

    async def read(self, person: Person, project_id: UUID) -> Project:
        async with self.db.transaction(person.principal, read_only=True) as tx:
            return await projects.get(tx, person.principal, project_id)

    async def files(self, person: Person, project_id: UUID) -> dict[str, str]:
        async with self.db.transaction(person.principal, read_only=True) as tx:
            found = await forge.files.contents(tx, person.principal, project_id)
        return {file.path: file.content or "" for file in found}

    async def enqueue(self, person: Person, kind: str, project_id: UUID | None, **context: Any) -> UUID:
        principal = person.principal.served()
        async with self.db.transaction(principal) as tx:
            job = NewJob(kind=kind, input=context, project_id=project_id, max_attempts=1)
            return (await jobs.enqueue(tx, principal, job, registry=self.registry)).id

    async def until(self, person: Person, job_id: UUID, *statuses: str) -> Job:
        """The job as soon as it has one of these statuses."""
        async with asyncio.timeout(60):
            while True:
                async with self.db.transaction(person.principal.served(), read_only=True) as tx:
                    job = await jobs.jobs.get(tx, person.principal, job_id)
                if job.status in statuses:
                    return job
                await asyncio.sleep(0.02)

    async def run(self, person: Person, kind: str, project_id: UUID | None, **context: Any) -> Job:
        """The job at its end, or where it waits for a person."""
        job_id = await self.enqueue(person, kind, project_id, **context)
        return await self.until(person, job_id, "completed", "failed", "cancelled", "waiting_for_input")

    async def respond(self, person: Person, job_id: UUID, **answers: str) -> Job:
        """The job at its end, after these answers."""
        principal = person.principal.served()
        async with self.db.transaction(principal) as tx:
            given = [Answer(question_id=key, answer=value) for key, value in answers.items()]
            await jobs.jobs.respond(tx, principal, job_id, given)
        return await self.until(person, job_id, "completed", "failed")

    async def again(self, person: Person, job_id: UUID) -> Job:
        """The job at its end, after it was retried."""
        principal = person.principal.served()
        async with self.db.transaction(principal) as tx:
            await jobs.jobs.try_again(tx, principal, job_id)
        return await self.until(person, job_id, "completed", "failed")

    async def admin(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """A statement as the owner."""
        connection = await asyncpg.connect(self.access.admin_url)
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()


@asynccontextmanager
async def shop_of(
    access: DatabaseAccess, db: Database, models: ModelConfig, name: str, model: ForgeModel | None
) -> AsyncGenerator[Shop]:
    """A worker whose agents ask that model."""
    embedder = build_embedder("static", EmbedderConfig())
    engine = EngineLoader(models, PriceList(), LoopConfig(model=name), embedder)
    registry = JobRegistry()
    services = ForgeServices(engine=engine, embedder=embedder, model=name)
    for kind, handler in forge.handlers(services).items():
        registry.add(kind, handler)
    hub = Hub(access.listen_url)
    await hub.start()
    worker_id = new_id()
    beat = Heartbeat(db, worker_id, "worker", 1.0)
    await beat.start()
    worker = Worker(db, hub, registry, worker_id, WorkerConfig(tell_errors=True))
    task = asyncio.create_task(worker.run())
    try:
        yield Shop(access, db, registry, model)
    finally:
        worker.stop()
        await asyncio.wait_for(task, 30)
        await beat.stop()
        await hub.stop()
        await engine.aclose()
        await embedder.aclose()


@pytest_asyncio.fixture(params=["responses", "chat_completions", "anthropic"])
async def shop(request: Any, access: DatabaseAccess, db: Database) -> AsyncIterator[Shop]:
    """Agents on a model, over each of OpenAI's two APIs and Anthropic's."""
    model = ForgeModel()
    if request.param == "anthropic":
        async with AnthropicServer(reply_for=model) as server:
            config = ModelConfig(anthropic_api_key="key", anthropic_base_url=server.base_url)
            async with shop_of(access, db, config, "anthropic/forge", model) as found:
                yield found
        return
    async with OpenAIServer(reply_for=model) as server:
        config = ModelConfig(
            openai_api_key="key", openai_base_url=server.base_url, openai_api=request.param
        )
        async with shop_of(access, db, config, "openai/forge", model) as found:
            yield found


@pytest_asyncio.fixture
async def offline(access: DatabaseAccess, db: Database) -> AsyncIterator[Shop]:
    """Agents by rule."""
    async with shop_of(access, db, ModelConfig(), "offline", None) as found:
        yield found
