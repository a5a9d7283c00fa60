"""The agents as handlers of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.apps.forge.agents import pipeline as pipelines
from stead.apps.forge.agents import research as researching
from stead.apps.forge.agents import teaching
from stead.apps.forge.agents import wireframe as wireframing
from stead.apps.forge.agents.code import Codebase, stored_wireframe, write_files
from stead.apps.forge.agents.qa import review, stored_contents
from stead.apps.forge.agents.stages import Stage, project_of
from stead.apps.forge.errors import AgentInputInvalid, NothingToReview
from stead.apps.forge.inputs import Idea, Paths, ProjectType
from stead.apps.forge.models import ForgeServices
from stead.apps.forge.planning import plan
from stead.apps.forge.protocol import (
    ChoiceFramework,
    LearningRoadmap,
    QAResult,
    RequirementsDoc,
    SkillLevel,
    WireframeSpec,
)
from stead.apps.forge.shapes import CodeSummary, PipelineSummary
from stead.jobs import JobContext, JobFunction


def handlers(services: ForgeServices) -> Mapping[str, JobFunction]:
    """A handler for each kind of job: the six agents and the pipeline.

    A handler takes the members of 004's ``input_context`` and returns its agent's document.

    Args:
        services: What agents work with.
    """

    def stage(job: JobContext, name: str) -> Stage:
        return Stage(job=job, services=services, project_id=project_of(job), name=name)

    async def research(
        job: JobContext,
        user_idea: Idea,
        project_type: ProjectType | None = None,
        clarify: bool = True,  # noqa: FBT001, FBT002 - a member of the input
    ) -> RequirementsDoc:
        """From an idea to requirements; asks back where the idea is thin, unless ``clarify`` is false."""
        return await researching.research(
            stage(job, "research"), user_idea, project_type=project_type, clarify=clarify
        )

    async def wireframe(
        job: JobContext, user_idea: Idea | None = None, project_type: ProjectType | None = None
    ) -> WireframeSpec:
        """From the project's requirements to pages and components."""
        here = stage(job, "wireframe")
        requirements = await wireframing.stored_requirements(here)
        return await wireframing.wireframe(
            here, requirements, project_type=project_type, remarks=user_idea
        )

    async def code(
        job: JobContext, user_idea: Idea | None = None, paths: Paths | None = None
    ) -> CodeSummary:
        """A file for each page and component of the project's wireframe, or for some of them."""
        here = stage(job, "code")
        spec, requirements = await stored_wireframe(here)
        planned, codebase = plan(spec), Codebase()
        chosen = [file for file in planned.files if paths is None or file.path in paths]
        if len(chosen) < len(set(paths or ())):
            raise AgentInputInvalid(
                "paths: one of them is not in the plan of the wireframe",
                hint=f"There is {', '.join(file.path for file in planned.files)}.",
            )
        await write_files(here, planned, chosen, requirements, spec, codebase, remarks=user_idea)
        return CodeSummary(files=list(codebase.written.values()), skipped=list(planned.skipped))

    async def qa(job: JobContext, user_idea: Idea | None = None) -> QAResult:
        """Reads the project's files and says what is wrong with them."""
        here = stage(job, "qa")
        project = await here.project()
        contents = await stored_contents(here)
        if not contents:
            raise NothingToReview("the project has no files", hint="Run the code agent first.")
        return await review(
            here,
            contents,
            _read(RequirementsDoc, project.requirements_spec),
            _read(WireframeSpec, project.architecture_spec),
            remarks=user_idea,
        )

    async def pedagogy(
        job: JobContext, user_idea: Idea | None = None, skill_level: SkillLevel | None = None
    ) -> ChoiceFramework:
        """Lays ways to do something before a learner."""
        return await teaching.pedagogy(stage(job, "pedagogy"), user_idea, skill_level)

    async def roadmap(
        job: JobContext, user_idea: Idea | None = None, skill_level: SkillLevel | None = None
    ) -> LearningRoadmap:
        """A curriculum, which is kept as a roadmap of the project."""
        return await teaching.roadmap(stage(job, "roadmap"), user_idea, skill_level)

    async def pipeline(
        job: JobContext,
        user_idea: Idea,
        project_type: ProjectType | None = None,
        clarify: bool = True,  # noqa: FBT001, FBT002 - a member of the input
    ) -> PipelineSummary:
        """Research, wireframe, code and QA, and code again where QA found what must not stay."""
        return await pipelines.pipeline(
            stage(job, "pipeline"), user_idea, project_type=project_type, clarify=clarify
        )

    return {
        "research": research,
        "wireframe": wireframe,
        "code": code,
        "qa": qa,
        "pedagogy": pedagogy,
        "roadmap": roadmap,
        "pipeline": pipeline,
    }


def _read(shape: type[Any], fields: Any) -> Any:
    """A stored document; None where people wrote something else there."""
    try:
        return shape.model_validate(fields)
    except ValueError:
        return None
