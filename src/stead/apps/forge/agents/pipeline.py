"""The pipeline: research, wireframe, code, QA, and code again where QA found what must not stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from stead.apps.forge import projects
from stead.apps.forge.agents.code import Codebase, write_files
from stead.apps.forge.agents.qa import concerned, critical, review
from stead.apps.forge.agents.research import research
from stead.apps.forge.agents.stages import Stage
from stead.apps.forge.agents.wireframe import wireframe
from stead.apps.forge.planning import plan
from stead.apps.forge.shapes import PipelineSummary

MAX_REPAIRS: Final = 2


async def pipeline(
    stage: Stage, idea: str, *, project_type: str | None, clarify: bool
) -> PipelineSummary:
    """Builds an application from an idea.

    The names of its steps follow from what the steps before gave: after a crash it goes on where it was.

    Args:
        stage: Where it works.
        idea: What is to be built, in words.
        project_type: Only patterns of this kind are looked at.
        clarify: Whether the research agent may ask back.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """

    def part(name: str, begins: float, ends: float) -> Stage:
        return replace(stage, name=name, begins=begins, ends=ends)

    requirements = await research(
        part("research", 0, 15), idea, project_type=project_type, clarify=clarify
    )
    spec = await wireframe(part("wireframe", 15, 30), requirements, project_type=project_type)
    planned, codebase = plan(spec), Codebase()
    await write_files(part("code", 30, 75), planned, planned.files, requirements, spec, codebase)
    result = await review(part("qa", 75, 85), codebase.contents, requirements, spec)
    repairs = 0
    while critical(result) and repairs < MAX_REPAIRS:
        repairs += 1
        begins = 85 + 7 * (repairs - 1)
        issues = concerned(critical(result), list(codebase.contents))
        await write_files(
            part(f"repair {repairs}", begins, begins + 5),
            planned,
            [file for file in planned.files if file.path in issues],
            requirements,
            spec,
            codebase,
            issues=issues,
        )
        check = part(f"qa {repairs + 1}", begins + 5, begins + 7)
        result = await review(check, codebase.contents, requirements, spec)
    done = result.passed and not critical(result)
    if done:
        await stage.write("complete", projects.move_on, stage.principal, stage.project_id, "completed")
    await stage.job.progress(100.0, "done" if done else "issues are left")
    return PipelineSummary(
        app_name=requirements.app_name,
        pages=len(spec.site_map),
        files=list(codebase.written.values()),
        skipped=list(planned.skipped),
        qa=result,
        repairs=repairs,
        status="completed" if done else "building",
    )
