"""The wireframe agent: from requirements to pages and components."""

from __future__ import annotations

from typing import Any, Final

from stead.apps.forge import projects, prompts
from stead.apps.forge.agents.stages import Stage
from stead.apps.forge.asking import Task, ask
from stead.apps.forge.errors import SpecificationMissing
from stead.apps.forge.offline import wireframe as offline
from stead.apps.forge.patterns import find_patterns
from stead.apps.forge.protocol import RequirementsDoc, WireframeSpec

_MAX_PAGES: Final = 20
_MAX_COMPONENTS: Final = 100


async def wireframe(
    stage: Stage, requirements: RequirementsDoc, *, project_type: str | None, remarks: str | None = None
) -> WireframeSpec:
    """Draws the pages of an application and keeps them in the project.

    Args:
        stage: Where it works.
        requirements: What it is to do.
        project_type: Only patterns of this kind are looked at.
        remarks: What the person says beyond the requirements.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    await stage.project()
    await stage.progress(0.0, "drawing the pages")
    question = " ".join([requirements.elevator_pitch, *(f.name for f in requirements.core_features)])
    patterns = await stage.step(
        "find patterns", find_patterns, stage.job, stage.services, question, project_type
    )
    spec = await ask(
        stage.step,
        stage.services,
        Task(
            name="draw pages",
            shape=WireframeSpec,
            instructions=prompts.WIREFRAME,
            text=prompts.data(
                requirements=requirements.model_dump(mode="json"),
                remarks=remarks,
                patterns=patterns or None,
            ),
            temperature=0.3,
            faults=_faults,
            offline=lambda: offline.wireframe(requirements),
        ),
    )
    await stage.write("keep pages", projects.keep_architecture, stage.principal, stage.project_id, spec)
    await stage.progress(1.0, "the pages are drawn")
    return spec


async def stored_requirements(stage: Stage) -> RequirementsDoc:
    """The project's requirements; the same whenever the job runs again.

    Raises:
        SpecificationMissing: There are none yet, or they are none of 004's.
    """
    return read_requirements(await stage.step("read requirements", _requirements, stage))


async def _requirements(stage: Stage) -> dict[str, Any] | None:
    return (await stage.project()).requirements_spec


def read_requirements(fields: dict[str, Any] | None) -> RequirementsDoc:
    """What stands in ``requirements_spec``: people may write it themselves.

    Raises:
        SpecificationMissing: It is none of 004's.
    """
    try:
        return RequirementsDoc.model_validate(fields)
    except ValueError:
        raise SpecificationMissing(
            "the project has no requirements_spec of the documented form",
            hint="Run the research agent first.",
        ) from None


def _faults(spec: WireframeSpec) -> list[str]:
    found: list[str] = []
    if not 1 <= len(spec.site_map) <= _MAX_PAGES:
        found.append(f"site_map: between 1 and {_MAX_PAGES} pages are needed")
    paths = [route.path.casefold() for route in spec.site_map]
    for n, path in enumerate(paths):
        if not path.startswith("/"):
            found.append(f"site_map.{n}.path: begins with /")
        if path in paths[:n]:
            found.append(f"site_map.{n}.path: is there already")
    if sum(len(route.components) for route in spec.site_map) > _MAX_COMPONENTS:
        found.append(f"site_map: at most {_MAX_COMPONENTS} components in all")
    return found
