"""The agents that teach: choices laid before a learner, and a curriculum."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from stead.apps.forge import prompts, queries, roadmaps
from stead.apps.forge.agents.stages import Stage
from stead.apps.forge.asking import Task, ask
from stead.apps.forge.offline import teaching as offline
from stead.apps.forge.protocol import ChoiceFramework, LearningRoadmap, SkillLevel
from stead.db import Transaction
from stead.identity import Principal

_MAX_OPTIONS: Final = 6


async def pedagogy(
    stage: Stage, decision: str | None, skill_level: SkillLevel | None
) -> ChoiceFramework:
    """Lays out ways to do something.

    Args:
        stage: Where it works.
        decision: What is to be decided; None: how to build the project.
        skill_level: The learner's; None: what their profile says, else beginner.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    about = await stage.step("read project", _about, stage)
    level: SkillLevel = skill_level or about["skill_level"] or "beginner"
    await stage.progress(0.0, "weighing the ways")
    framework = await ask(
        stage.step,
        stage.services,
        Task(
            name="lay out choices",
            shape=ChoiceFramework,
            instructions=prompts.PEDAGOGY,
            text=prompts.data(decision=decision, project=about, skill_level=level),
            temperature=0.4,
            faults=_faults,
            offline=lambda: offline.choices(decision or about["title"], level),
        ),
    )
    await stage.progress(1.0, "the choices are laid out")
    return framework


async def roadmap(stage: Stage, goal: str | None, skill_level: SkillLevel | None) -> LearningRoadmap:
    """Makes a curriculum and keeps it as a roadmap of the project.

    Args:
        stage: Where it works.
        goal: What is to be learned; None: how to build the project.
        skill_level: The learner's; None: what their profile says, else beginner.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    about = await stage.step("read project", _about, stage)
    level: SkillLevel = skill_level or about["skill_level"] or "beginner"
    await stage.progress(0.0, "planning the modules")
    found = await ask(
        stage.step,
        stage.services,
        Task(
            name="plan modules",
            shape=LearningRoadmap,
            instructions=prompts.ROADMAP,
            text=prompts.data(goal=goal, project=about, skill_level=level),
            temperature=0.3,
            faults=_unlearnable,
            offline=lambda: offline.roadmap(goal or about["title"], about, level),
        ),
    )
    await stage.write("keep roadmap", _keep, stage.principal, stage.project_id, found)
    await stage.progress(1.0, "the roadmap is made")
    return found


async def _about(stage: Stage) -> dict[str, Any]:
    project = await stage.project()
    async with stage.job.transaction(read_only=True) as tx:
        skill = await queries.skill_level(tx, stage.principal.tenant.id, project.user_id)
    return {
        "title": project.title,
        "description": project.description,
        "tech_stack": project.tech_stack,
        "requirements": project.requirements_spec,
        "skill_level": skill,
    }


async def _keep(tx: Transaction, principal: Principal, project_id: UUID, found: LearningRoadmap) -> str:
    return str((await roadmaps.create(tx, principal, project_id, found)).id)


def _faults(framework: ChoiceFramework) -> list[str]:
    if not 2 <= len(framework.options) <= _MAX_OPTIONS:
        return [f"options: between 2 and {_MAX_OPTIONS} are needed"]
    ids = [option.id for option in framework.options]
    return [] if len(set(ids)) == len(ids) else ["options: two have the same id"]


def _unlearnable(found: LearningRoadmap) -> list[str]:
    faults = [
        f"modules.{n}.steps: between 1 and {roadmaps.MAX_STEPS} are needed"
        for n, module in enumerate(found.modules)
        if not 1 <= len(module.steps) <= roadmaps.MAX_STEPS
    ]
    if len(found.modules) > roadmaps.MAX_MODULES:
        faults.append(f"modules: at most {roadmaps.MAX_MODULES}")
    return faults
