"""From an idea to reviewed code: stages, repairs, and what a restart does not do again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from stead.apps import forge as app
from stead.apps.forge.agents.qa import concerned
from stead.apps.forge.protocol import QAIssue, QAIssueSeverity
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.providers.models import ModelConfig
from tests.apps.forge.conftest import Shop, shop_of
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply
from tests.support import forge
from tests.support.forge import IDEA, PLANNED, ForgeModel
from tests.support.people import Person

ONCE = {
    "Clarifications": 1,
    "RequirementsDoc": 1,
    "WireframeSpec": 1,
    "QAResult": 1,
    **{f"CodeGenerationResult {path}": 1 for path in PLANNED},
}


async def test_an_idea_becomes_a_project_that_is_completed(shop: Shop, person: Person) -> None:
    project = await shop.project(person)

    job = await shop.run(person, "pipeline", project.id, user_idea=IDEA)

    assert job.status == "completed", job.error
    assert job.progress == 100
    assert (job.result["app_name"], job.result["pages"], job.result["repairs"]) == ("Pawlog", 2, 0)
    assert job.result["qa"] == forge.PASSED
    after = await shop.read(person, project.id)
    assert after.status == job.result["status"] == "completed"
    assert after.requirements_spec == forge.REQUIREMENTS
    assert after.architecture_spec == forge.WIREFRAME
    assert sorted(await shop.files(person, project.id)) == sorted(PLANNED)
    assert shop.model.calls == ONCE


async def test_the_project_moves_on_stage_by_stage(
    access: DatabaseAccess, db: Database, person: Person
) -> None:
    """Each status is seen while the next stage's model is asked."""
    seen: dict[str, str] = {}
    model = ForgeModel()
    gates = {shape: asyncio.Event() for shape in ("RequirementsDoc", "WireframeSpec", "QAResult")}
    async with OpenAIServer(reply_for=model) as server:
        config = ModelConfig(openai_base_url=server.base_url, openai_api="responses")
        async with shop_of(access, db, config, "openai/forge", model) as shop:
            project = await shop.project(person)
            # A model that is slow to answer: there is time to look.
            for shape in gates:
                model.script(shape, Reply(text=[lambda s=shape: _document(s)], delay_first_s=0.5))
            job_id = await shop.enqueue(person, "pipeline", project.id, user_idea=IDEA)
            while len(seen) < 3:
                for shape, _ in model.bodies:
                    if shape in gates and shape not in seen:
                        seen[shape] = (await shop.read(person, project.id)).status
                await asyncio.sleep(0.01)
            await shop.until(person, job_id, "completed")
            assert (await shop.read(person, project.id)).status == "completed"
    assert seen == {
        "RequirementsDoc": "planning",
        "WireframeSpec": "in-progress",
        "QAResult": "building",
    }


def _document(shape: str) -> str:
    import json  # noqa: PLC0415

    documents = {
        "RequirementsDoc": forge.REQUIREMENTS,
        "WireframeSpec": forge.WIREFRAME,
        "QAResult": forge.PASSED,
    }
    return json.dumps(documents[shape])


async def test_what_qa_finds_is_mended_in_the_files_that_it_is_about(shop: Shop, person: Person) -> None:
    shop.model.script("QAResult", forge.broken(PLANNED[1]))
    project = await shop.project(person)

    job = await shop.run(person, "pipeline", project.id, user_idea=IDEA)

    assert (job.status, job.result["repairs"]) == ("completed", 1), job.error
    assert job.result["status"] == "completed"
    assert shop.model.calls == Counter(ONCE) + Counter(
        {"QAResult": 1, f"CodeGenerationResult {PLANNED[1]}": 1}
    )
    versions = {file["file_path"]: file["version"] for file in job.result["files"]}
    assert versions == {**dict.fromkeys(PLANNED, 1), PLANNED[1]: 2}
    said = forge.said_in([b for s, b in shop.model.bodies if s == "CodeGenerationResult"][-1])
    assert forge.block(said, "code").startswith(f"// {PLANNED[1]}\n")
    assert forge.block(said, "issues")[0]["suggestion"] == "Mend it."
    # What was there before is still to be read.
    async with shop.db.transaction(person.principal, read_only=True) as tx:
        before = await app.files.get(tx, person.principal, project.id, PLANNED[1], version=1)
        now = await app.files.get(tx, person.principal, project.id, PLANNED[1])
    assert " mended" not in (before.content or "")
    assert " mended" in (now.content or "")


async def test_repairs_come_to_an_end(shop: Shop, person: Person) -> None:
    shop.model.script("QAResult", *([forge.broken(PLANNED[0])] * 5))
    project = await shop.project(person)

    job = await shop.run(person, "pipeline", project.id, user_idea=IDEA)

    assert (job.status, job.result["repairs"], job.result["status"]) == ("completed", 2, "building")
    assert job.result["qa"]["passed"] is False
    assert (await shop.read(person, project.id)).status == "building"
    assert shop.model.calls["QAResult"] == 3
    assert shop.model.calls[f"CodeGenerationResult {PLANNED[0]}"] == 3


async def test_a_pipeline_that_failed_goes_on_where_it_was(shop: Shop, person: Person) -> None:
    """At every one of its calls once: what was finished is not asked again."""
    project = await shop.project(person)
    shop.model.script("WireframeSpec", Reply(status=400))
    job = await shop.run(person, "pipeline", project.id, user_idea=IDEA)
    assert (job.status, job.error_code) == ("failed", "model_refused")
    for shape in ("CodeGenerationResult", "QAResult"):
        shop.model.script(shape, Reply(status=400))
        job = await shop.again(person, job.id)
        assert (job.status, job.error_code) == ("failed", "model_refused")

    job = await shop.again(person, job.id)

    assert job.status == "completed", job.error
    failed = {"WireframeSpec": 1, f"CodeGenerationResult {PLANNED[0]}": 1, "QAResult": 1}
    assert shop.model.calls == Counter(ONCE) + Counter(failed)
    assert {file["version"] for file in job.result["files"]} == {1}


async def test_a_worker_that_goes_away_repeats_no_finished_step(
    access: DatabaseAccess, db: Database, person: Person
) -> None:
    """Workers are stopped without a chance to finish, again and again; each hands back what it had."""
    model = ForgeModel()
    async with OpenAIServer(reply_for=model) as server:
        config = ModelConfig(openai_base_url=server.base_url, openai_api="chat_completions")
        job_id: Any = None
        for _ in range(4):
            async with shop_of(access, db, config, "openai/forge", model) as shop:
                if job_id is None:
                    project = await shop.project(person)
                    job_id = await shop.enqueue(person, "pipeline", project.id, user_idea=IDEA)
                asked = sum(model.calls.values())
                while sum(model.calls.values()) < min(asked + 2, 10):  # noqa: ASYNC110 - the model tells nobody
                    await asyncio.sleep(0.005)
        async with shop_of(access, db, config, "openai/forge", model) as shop:
            job = await shop.until(person, job_id, "completed", "failed")
            assert job.status == "completed", job.error
            assert sorted(await shop.files(person, project.id)) == sorted(PLANNED)
    # A call that was under way when its worker went is made again; none that had been stored.
    assert set(model.calls) == set(ONCE)
    assert sum(model.calls.values()) <= len(ONCE) + 4


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("src/app/page.tsx: broken", ["src/app/page.tsx"]),
        ("src/app/a/page.tsx imports src/lib/x.ts", ["src/app/a/page.tsx", "src/lib/x.ts"]),
        # Its end is another's path.
        ("web/src/app/page.tsx: broken", ["web/src/app/page.tsx"]),
        (
            "nothing works",
            ["src/app/page.tsx", "src/app/a/page.tsx", "src/lib/x.ts", "web/src/app/page.tsx"],
        ),
    ],
)
def test_which_files_an_issue_is_about(text: str, named: list[str]) -> None:
    paths = ["src/app/page.tsx", "src/app/a/page.tsx", "src/lib/x.ts", "web/src/app/page.tsx"]
    issue = QAIssue(severity=QAIssueSeverity.CRITICAL, description=text, suggestion="Mend it.")
    assert sorted(concerned([issue], paths)) == sorted(named)
