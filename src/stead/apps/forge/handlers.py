"""The agents as handlers of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel

from stead.apps.forge.agents.code import Codebase, stored_wireframe, write_files
from stead.apps.forge.agents.pipeline import pipeline
from stead.apps.forge.agents.qa import review, stored_contents
from stead.apps.forge.agents.research import research
from stead.apps.forge.agents.stages import Stage, project_of
from stead.apps.forge.agents.teaching import pedagogy, roadmap
from stead.apps.forge.agents.wireframe import stored_requirements, wireframe
from stead.apps.forge.errors import AgentInputInvalid, NothingToReview
from stead.apps.forge.inputs import (
    AgentInput,
    CodeInput,
    QaInput,
    ResearchInput,
    TeachingInput,
    WireframeInput,
    read_input,
)
from stead.apps.forge.models import ForgeServices
from stead.apps.forge.planning import plan
from stead.apps.forge.protocol import (
    ChoiceFramework,
    LearningRoadmap,
    QAResult,
    RequirementsDoc,
    WireframeSpec,
)
from stead.apps.forge.shapes import CodeSummary, PipelineSummary
from stead.jobs import JobContext, JobFunction

Work = Callable[[Stage, Any], Awaitable[BaseModel]]


def handlers(services: ForgeServices) -> Mapping[str, JobFunction]:
    """A handler for each kind of job: the six agents and the pipeline.

    A handler takes 004's ``input_context`` as keyword arguments and returns its agent's document as JSON.

    Args:
        services: What agents work with.
    """
    work: dict[str, Work] = {
        "research": _research,
        "wireframe": _wireframe,
        "code": _code,
        "qa": _qa,
        "pedagogy": _pedagogy,
        "roadmap": _roadmap,
        "pipeline": _pipeline,
    }
    return {kind: _handler(kind, function, services) for kind, function in work.items()}


def _handler(kind: str, work: Work, services: ForgeServices) -> JobFunction:
    async def handle(job: JobContext, /, **context: Any) -> dict[str, Any]:
        given = read_input(kind, context)
        stage = Stage(job=job, services=services, project_id=project_of(job), name=kind)
        return (await work(stage, given)).model_dump(mode="json")

    handle.__name__ = handle.__qualname__ = kind
    handle.__doc__ = work.__doc__
    return handle


async def _research(stage: Stage, given: AgentInput) -> RequirementsDoc:
    """From an idea to requirements."""
    return await research(stage, cast("ResearchInput", given))


async def _wireframe(stage: Stage, given: AgentInput) -> WireframeSpec:
    """From requirements to pages and components."""
    wanted = cast("WireframeInput", given)
    return await wireframe(
        stage,
        await stored_requirements(stage),
        project_type=wanted.project_type,
        remarks=wanted.user_idea,
    )


async def _code(stage: Stage, given: AgentInput) -> CodeSummary:
    """A file for each page and component."""
    wanted = cast("CodeInput", given)
    spec, requirements = await stored_wireframe(stage)
    planned, codebase = plan(spec), Codebase()
    chosen = [f for f in planned.files if wanted.paths is None or f.path in wanted.paths]
    if len(chosen) < len(set(wanted.paths or ())):
        raise AgentInputInvalid(
            "input_context.paths: one of them is not in the plan of the wireframe",
            hint=f"There is {', '.join(file.path for file in planned.files)}.",
        )
    await write_files(stage, planned, chosen, requirements, spec, codebase, remarks=wanted.user_idea)
    return CodeSummary(files=list(codebase.written.values()), skipped=list(planned.skipped))


async def _qa(stage: Stage, given: AgentInput) -> QAResult:
    """Reads the code and says what is wrong with it."""
    wanted = cast("QaInput", given)
    project = await stage.project()
    contents = await stored_contents(stage)
    if not contents:
        raise NothingToReview("the project has no files", hint="Run the code agent first.")
    return await review(
        stage,
        contents,
        _or_none(RequirementsDoc, project.requirements_spec),
        _or_none(WireframeSpec, project.architecture_spec),
        remarks=wanted.user_idea,
    )


async def _pedagogy(stage: Stage, given: AgentInput) -> ChoiceFramework:
    """Lays choices before a learner."""
    return await pedagogy(stage, cast("TeachingInput", given))


async def _roadmap(stage: Stage, given: AgentInput) -> LearningRoadmap:
    """A curriculum."""
    return await roadmap(stage, cast("TeachingInput", given))


async def _pipeline(stage: Stage, given: AgentInput) -> PipelineSummary:
    """From an idea to code that was read."""
    return await pipeline(stage, cast("ResearchInput", given))


def _or_none(shape: type[Any], fields: Any) -> Any:
    try:
        return shape.model_validate(fields)
    except ValueError:
        return None
