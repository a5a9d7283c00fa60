"""The code agent: a file for each page and component of the wireframe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.apps.forge import files, projects, prompts
from stead.apps.forge.agents.stages import Stage
from stead.apps.forge.asking import Task, ask
from stead.apps.forge.errors import SpecificationMissing
from stead.apps.forge.offline import code as offline
from stead.apps.forge.paths import fault_of
from stead.apps.forge.planning import Plan, PlannedFile
from stead.apps.forge.protocol import (
    CodeGenerationResult,
    QAIssue,
    RequirementsDoc,
    WireframeSpec,
)
from stead.apps.forge.shapes import WrittenFile
from stead.db import Transaction
from stead.identity import Principal


class Codebase:
    """What has been written in this job so far: contents and explanations by path."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}
        self.written: dict[str, WrittenFile] = {}


async def write_files(
    stage: Stage,
    planned: Plan,
    wanted: Sequence[PlannedFile],
    requirements: RequirementsDoc | None,
    spec: WireframeSpec,
    codebase: Codebase,
    *,
    issues: Mapping[str, Sequence[QAIssue]] | None = None,
    remarks: str | None = None,
) -> None:
    """Writes files, one after the other, and keeps each in the project as soon as it is written.

    Args:
        stage: Where it works.
        planned: All that there is to be.
        wanted: What is written now.
        requirements: What the application is to do.
        spec: How it is built.
        codebase: What there is already; what is written goes in.
        issues: By path, what a reviewer found; then the files are mended.
        remarks: What the person says beyond that.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ProjectFull: The project holds no more files.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    await stage.project()
    await stage.write("begin", projects.move_on, stage.principal, stage.project_id, "building")
    for n, file in enumerate(wanted, 1):
        await stage.progress((n - 1) / len(wanted), f"writing {file.path}")
        about: dict[str, Any] = {
            "file": {"path": file.path, "kind": file.kind, "name": file.name, "about": file.about},
            "plan": [other.path for other in planned.files],
            "requirements": requirements and requirements.model_dump(mode="json"),
            "wireframe": spec.model_dump(mode="json"),
            "remarks": remarks,
        }
        mending = (issues or {}).get(file.path)
        if mending is not None:
            about["code"] = codebase.contents.get(file.path)
            about["issues"] = [issue.model_dump(mode="json") for issue in mending]
        result = await ask(
            stage.step,
            stage.services,
            Task(
                name=f"write {n} {file.path[-60:]}",
                shape=CodeGenerationResult,
                instructions=prompts.CODE if mending is None else prompts.REPAIR,
                text=prompts.data(**about),
                temperature=0.2,
                faults=_faults,
                offline=_offline(file, planned, spec),
            ),
        )
        # The plan says where it stands; what the model calls it is checked all the same.
        language = result.language if file.language == "typescript" else file.language
        version = await stage.write(
            f"keep {n} {file.path[-60:]}",
            keep_file,
            stage.principal,
            stage.project_id,
            file.path,
            result.code,
            language,
        )
        codebase.contents[file.path] = result.code
        codebase.written[file.path] = WrittenFile(
            file_path=file.path, language=language, explanation=result.explanation, version=version
        )
    await stage.progress(1.0, "the files are written")


async def keep_file(
    tx: Transaction,
    principal: Principal,
    project_id: Any,
    path: str,
    code: str,
    language: str,
) -> int:
    """Stores a file that was written; returns its version."""
    kept = await files.put(tx, principal, project_id, path, code, language=language)
    return kept.version


async def stored_wireframe(stage: Stage) -> tuple[WireframeSpec, RequirementsDoc | None]:
    """The project's wireframe and, where there are any, its requirements.

    Raises:
        SpecificationMissing: There is no wireframe yet, or it is none of 004's.
    """
    found = await stage.step("read wireframe", _specifications, stage)
    try:
        spec = WireframeSpec.model_validate(found["architecture"])
    except ValueError:
        raise SpecificationMissing(
            "the project has no architecture_spec of the documented form",
            hint="Run the wireframe agent first.",
        ) from None
    try:
        return spec, RequirementsDoc.model_validate(found["requirements"])
    except ValueError:
        return spec, None


async def _specifications(stage: Stage) -> dict[str, Any]:
    project = await stage.project()
    return {
        "architecture": project.architecture_spec,
        "requirements": project.requirements_spec,
    }


def _offline(file: PlannedFile, planned: Plan, spec: WireframeSpec) -> Any:
    return lambda: offline.code(file, planned, spec)


def _faults(result: CodeGenerationResult) -> list[str]:
    found: list[str] = []
    fault = fault_of(result.file_path)
    if fault is not None:
        found.append(f"file_path: {fault}")
    if not result.code.strip():
        found.append("code: is blank")
    if len(result.code) > files.MAX_CONTENT_CHARS:
        found.append(f"code: at most {files.MAX_CONTENT_CHARS} characters")
    return found
