"""The QA agent: reads the code and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stead.apps.forge import files, prompts
from stead.apps.forge.agents.stages import Stage
from stead.apps.forge.asking import Task, ask
from stead.apps.forge.offline import qa as offline
from stead.apps.forge.protocol import (
    QAIssue,
    QAIssueSeverity,
    QAResult,
    RequirementsDoc,
    WireframeSpec,
)

_EACH_CHARS: Final = 20_000
_TOTAL_CHARS: Final = 120_000


async def review(
    stage: Stage,
    contents: Mapping[str, str],
    requirements: RequirementsDoc | None,
    spec: WireframeSpec | None,
    *,
    remarks: str | None = None,
) -> QAResult:
    """Reviews files.

    Args:
        stage: Where it works.
        contents: By path.
        requirements: What the application is to do.
        spec: How it is to be built.
        remarks: What the person says beyond that.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    await stage.progress(0.0, "reading the code")
    result = await ask(
        stage.step,
        stage.services,
        Task(
            name="review",
            shape=QAResult,
            instructions=prompts.QA,
            text=prompts.data(
                requirements=requirements and requirements.model_dump(mode="json"),
                wireframe=spec and spec.model_dump(mode="json"),
                remarks=remarks,
                files=prompts.shortened(contents, each=_EACH_CHARS, total=_TOTAL_CHARS),
            ),
            temperature=0.0,
            faults=_faults,
            offline=lambda: offline.review(contents, spec),
        ),
    )
    await stage.progress(1.0, "the code is read")
    return result


async def stored_contents(stage: Stage) -> dict[str, str]:
    """The project's files by path, as they are now."""
    async with stage.job.transaction(read_only=True) as tx:
        found = await files.contents(tx, stage.principal, stage.project_id)
    return {file.path: file.content or "" for file in found}


def critical(result: QAResult) -> list[QAIssue]:
    """The issues that keep it from passing."""
    return [issue for issue in result.issues if issue.severity == QAIssueSeverity.CRITICAL]


def concerned(issues: Sequence[QAIssue], paths: Sequence[str]) -> dict[str, list[QAIssue]]:
    """Issues by the files that they name; what names none concerns all of them."""
    found: dict[str, list[QAIssue]] = {}
    for issue in issues:
        text = f"{issue.description}\n{issue.suggestion}"
        # One path may end like another: the longest that is named is meant.
        named: list[str] = []
        for path in sorted(paths, key=len, reverse=True):
            if path in text:
                named.append(path)
                text = text.replace(path, "")
        for path in named or paths:
            found.setdefault(path, []).append(issue)
    return found


def _faults(result: QAResult) -> list[str]:
    if result.passed and critical(result):
        return ["passed: is true although an issue is critical"]
    return []
