"""Without a model the agents work by rule: from the input alone, the same from the same, and they say so."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stead.apps.forge.offline import LABEL, code, qa, research, teaching
from stead.apps.forge.offline import wireframe as wireframes
from stead.apps.forge.planning import MAX_PLANNED, plan
from stead.apps.forge.protocol import Component, PageRoute, QAResult, WireframeSpec
from tests.apps.forge.conftest import Shop
from tests.support.forge import IDEA
from tests.support.people import Person

HOSTILE = (
    'It\'s "a" `${b}` </script> */ {c} \\ \u2028 <D/> -- 日本語 for <b>you</b>, and\n\nnothing else'
)


async def test_the_whole_pipeline_by_rule(offline: Shop, person: Person) -> None:
    project = await offline.project(person)

    job = await offline.run(person, "pipeline", project.id, user_idea=IDEA)

    assert job.status == "completed", job.error
    assert job.result["status"] == "completed"
    after = await offline.read(person, project.id)
    requirements: Any = after.requirements_spec
    assert requirements["app_name"] == "CRM for Dog Walkers that Keeps"
    assert requirements["target_audience"][0]["role"] == "dog walkers"
    names = [feature["name"] for feature in requirements["core_features"]]
    assert "Plans walks in a calendar" in names
    assert "Sends an invoice" in names
    # Every text that could be taken for a model's says that it is none's.
    assert requirements["elevator_pitch"].startswith(LABEL)
    assert after.architecture_spec is not None
    assert all(page["description"].startswith(LABEL) for page in after.architecture_spec["site_map"])
    assert job.result["qa"]["summary"].startswith(LABEL)
    stored = await offline.files(person, project.id)
    assert 3 < len(stored) <= MAX_PLANNED
    assert all(LABEL in content.splitlines()[0] for content in stored.values())
    assert all(file["explanation"].startswith(LABEL) for file in job.result["files"])


async def test_a_thin_idea_is_asked_about(offline: Shop, person: Person) -> None:
    project = await offline.project(person)
    waiting = await offline.run(person, "research", project.id, user_idea="A CRM for dog walkers")
    assert waiting.status == "waiting_for_input"
    (question,) = waiting.questions
    assert question.question.startswith(LABEL)
    done = await offline.respond(person, waiting.id, q1="Just scheduling, and reminders")
    names = [feature["name"] for feature in done.result["core_features"]]
    assert names[:2] == ["Just scheduling", "Reminders"]


async def test_the_agents_that_teach_by_rule(offline: Shop, person: Person) -> None:
    project = await offline.project(person, mode="student")
    choices = await offline.run(
        person, "pedagogy", project.id, user_idea="Where do I keep walks?", skill_level="intermediate"
    )
    assert choices.status == "completed", choices.error
    assert len(choices.result["options"]) == 3
    assert "Where do I keep walks?" in choices.result["context"]
    assert LABEL in choices.result["recommendation"]
    roadmap = await offline.run(person, "roadmap", project.id)
    assert roadmap.result["description"].startswith(LABEL)
    assert roadmap.result["modules"][0]["title"] == "Foundations"
    (row,) = await offline.admin(
        "select modules::text from learning_roadmaps where project_id = $1", project.id
    )
    locks = [module["is_locked"] for module in json.loads(row["modules"])]
    assert locks == [False] + [True] * (len(locks) - 1)


@pytest.mark.parametrize(
    "idea", [IDEA, "x", "for", HOSTILE, "日本語", "a" * 20_000, "!!!", ", , and and"]
)
def test_rules_make_documents_of_any_idea(idea: str) -> None:
    requirements = research.requirements(idea, [])
    assert requirements == research.requirements(idea, [])
    spec = wireframes.wireframe(requirements)
    planned = plan(spec)
    assert 1 <= len(planned.files) <= MAX_PLANNED
    contents = {file.path: code.code(file, planned, spec).code for file in planned.files}
    found = qa.review(contents, spec)
    assert found.passed, found
    assert teaching.roadmap(idea, {"requirements": requirements.model_dump(mode="json")}, "beginner")
    assert teaching.choices(idea, "advanced")
    assert teaching.mentor([], idea).answer.count("?") == 1


def test_code_by_rule_is_typescript_whatever_the_wireframe_says(tmp_path: Path) -> None:
    spec = WireframeSpec(
        site_map=[
            PageRoute(
                path="/" if n == 0 else f"/{text}",
                description=text,
                components=[
                    Component(name=f"Part {text}", props=[text, "items: Walk[]"], children=[text])
                ],
            )
            for n, text in enumerate([HOSTILE, "*/ alert(1) /*", "`${x}`", "</main>"])
        ],
        global_state_needs=[HOSTILE],
        theme_colors=["#fff", "red; } body { display: none", HOSTILE],
    )
    planned = plan(spec)
    node = shutil.which("node")
    assert node is not None, "node is needed"
    for file in planned.files:
        written = code.code(file, planned, spec).code
        if file.kind == "theme":
            assert re.fullmatch(r"/\*[^*]*\*/\n:root \{\n(  --colour-\d+: #[0-9a-f]+;\n)*\}\n", written)
            continue
        # No text of the wireframe stands outside of a literal or an identifier.
        bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', written)
        assert "alert(" not in bare
        assert "${" not in bare
        assert written.count("</main>") == (1 if file.kind == "page" else 0)
        assert bare.count("{") == bare.count("}")
        if file.kind == "state":
            script = tmp_path / "state.mjs"
            plain = written.replace(" as const", "").partition("export type")[0]
            script.write_text(plain + "console.log(JSON.stringify(sharedState));")
            said = subprocess.run([node, str(script)], capture_output=True, text=True, check=True)
            assert json.loads(said.stdout) == [HOSTILE]


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("src/a.ts", " \n", "the file is empty"),
        ("src/a.ts", "<<<<<<< HEAD\n", "markers of a merge"),
        ("src/a.ts", 'const k = "sk_live_0123456789abcdef0123"', "a secret"),
        ("src/a.ts", "-----BEGIN RSA PRIVATE KEY-----", "a secret"),
        ("package.json", "{", "no JSON"),
        ("src/a.ts", 'import { B } from "@/lib/b";', "@/lib/b, which is not there"),
        ("src/x/a.ts", 'import b from "../b"', "../b, which is not there"),
    ],
)
def test_what_a_review_by_rule_finds(path: str, content: str, what: str) -> None:
    found: QAResult = qa.review({path: content}, None)
    assert not found.passed
    assert what in found.issues[0].description
    assert found.issues[0].description.startswith(f"{path}: ")
    assert LABEL in found.summary


def test_imports_that_are_there_are_no_issue() -> None:
    contents = {
        "src/lib/b.ts": "export const b = 1;",
        "src/ui/index.tsx": "export const c = 1;",
        "src/x/a.ts": 'import { b } from "@/lib/b"; import c from "../ui"; import react from "react"; // TODO',
    }
    found = qa.review(contents, None)
    assert found.passed
    assert [issue.severity.value for issue in found.issues] == ["info"]
    missing = WireframeSpec.model_validate(
        {"site_map": [{"path": "/", "description": "", "components": []}], "global_state_needs": [],
         "theme_colors": []}
    )  # fmt: skip
    assert qa.review(contents, missing).issues[-1].description == "src/app/page.tsx: the page is missing"


def test_thin_ideas() -> None:
    assert len(research.questions("A CRM")) == 2
    assert len(research.questions("A CRM for dog walkers")) == 1
    assert research.questions(IDEA) == []
