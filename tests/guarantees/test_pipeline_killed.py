"""A pipeline whose worker is killed: finished steps are not repeated, and the result is the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from stead import jobs
from stead.apps.forge import files, projects
from stead.assembly.database import DatabaseAccess
from stead.jobs import NewJob
from tests.guarantees.jobs import Plant, plant
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply
from tests.support import forge
from tests.support.forge import IDEA, PLANNED, ForgeModel
from tests.support.people import make_person
from tests.support.servers import ServerProcess

SEED = 20261121
PIPELINES = 5
KILLS_EACH = 2
ONCE = {
    "Clarifications": 1,
    "RequirementsDoc": 1,
    "WireframeSpec": 1,
    "QAResult": 1,
    **{f"CodeGenerationResult {path}": 1 for path in PLANNED},
}
CALLS = sum(ONCE.values())


@pytest_asyncio.fixture
async def works(fresh: DatabaseAccess, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(fresh, tmp_path) as found:
        yield found


class Slow(ForgeModel):
    """A model that takes a moment for each answer, so that there is one to be killed in."""

    def __call__(self, body: object) -> Reply:
        return replace(super().__call__(body), delay_first_s=0.05)


@pytest.mark.timeout(300)
async def test_ten_kills_repeat_no_finished_step(works: Plant) -> None:
    chance = random.Random(SEED)
    person = await make_person(works.db, works.service.tenant)
    again = 0
    for _ in range(PIPELINES):
        model = Slow()
        async with OpenAIServer(reply_for=model) as server:

            def worker(url: str = server.base_url) -> ServerProcess:
                return ServerProcess(
                    works.access,
                    "worker",
                    STEAD_ADMIN_DATABASE_URL=works.access.admin_url or "",
                    STEAD_MODEL="openai/forge",
                    STEAD_OPENAI_API_KEY="key",
                    STEAD_OPENAI_BASE_URL=url,
                    STEAD_OPENAI_API="responses",
                )

            principal = person.principal.served()
            async with works.db.transaction(principal) as tx:
                project = await projects.create(tx, principal, title="Pawlog", mode="builder")
                made = await jobs.enqueue(
                    tx,
                    principal,
                    NewJob(kind="pipeline", input={"user_idea": IDEA}, project_id=project.id),
                )
            moments = sorted(chance.sample(range(1, CALLS), KILLS_EACH))
            for moment in moments:
                victim = await worker().start()
                async with asyncio.timeout(60):
                    while sum(model.calls.values()) < moment:  # noqa: ASYNC110 - the model counts
                        await asyncio.sleep(0.002)
                await asyncio.sleep(chance.uniform(0, 0.08))
                await victim.kill()
                await works.bury()
            last = await worker().start()
            await works.all_ended()
            assert await last.stop() == 0

            ended = await works.get(made.id)
            assert ended.status == "completed", ended.error
            extra = {call: n - 1 for call, n in model.calls.items() if n > 1}
            # What was in flight when its worker died is asked again; nothing else is.
            assert sum(extra.values()) <= KILLS_EACH, extra
            assert set(model.calls) == set(ONCE)
            again += sum(extra.values())
            async with works.db.transaction(principal, read_only=True) as tx:
                after = await projects.get(tx, principal, project.id)
                listed, _ = await files.listing(tx, principal, project.id)
            assert after.requirements_spec == forge.REQUIREMENTS
            assert after.architecture_spec == forge.WIREFRAME
            assert after.status == "completed"
            assert sorted(file.path for file in listed) == sorted(PLANNED)
            assert [file.version for file in listed] == [1] * len(PLANNED)
    assert again <= PIPELINES * KILLS_EACH
