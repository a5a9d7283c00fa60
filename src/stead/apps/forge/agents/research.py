"""The research agent: from an idea to requirements, asking back where the idea is thin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stead.apps.forge import projects, prompts
from stead.apps.forge.agents.stages import Stage
from stead.apps.forge.asking import Task, ask
from stead.apps.forge.offline import research as offline
from stead.apps.forge.patterns import find_patterns
from stead.apps.forge.protocol import RequirementsDoc
from stead.apps.forge.shapes import Clarifications
from stead.jobs import Question

_MAX_QUESTION_CHARS: Final = 500
_MAX_FEATURES: Final = 30


async def research(
    stage: Stage, idea: str, *, project_type: str | None, clarify: bool
) -> RequirementsDoc:
    """Finds the requirements of an idea and keeps them in the project.

    Args:
        stage: Where it works.
        idea: What is to be built, in words.
        project_type: Only patterns of this kind are looked at.
        clarify: Whether it may ask back.

    Raises:
        ProjectUnknown, ProjectArchived: There is nothing to work on.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    await stage.project()
    await stage.progress(0.0, "reading the idea")
    patterns = await stage.step(
        "find patterns", find_patterns, stage.job, stage.services, idea, project_type
    )
    answers = await _clarified(stage, idea) if clarify else []
    await stage.progress(0.4, "writing the requirements")
    document = await ask(
        stage.step,
        stage.services,
        Task(
            name="write requirements",
            shape=RequirementsDoc,
            instructions=prompts.RESEARCH,
            text=prompts.data(user_idea=idea, answers=answers or None, patterns=patterns or None),
            temperature=0.3,
            faults=_faults,
            offline=lambda: offline.requirements(idea, answers),
        ),
    )
    await stage.write(
        "keep requirements",
        projects.keep_requirements,
        stage.principal,
        stage.project_id,
        document,
    )
    await stage.progress(1.0, "the requirements are written")
    return document


async def _clarified(stage: Stage, idea: str) -> list[dict[str, str]]:
    """What was asked and what was answered."""
    wanted = await ask(
        stage.step,
        stage.services,
        Task(
            name="ask back",
            shape=Clarifications,
            instructions=prompts.CLARIFY,
            text=prompts.data(user_idea=idea),
            temperature=0.0,
            faults=_unclear,
            offline=lambda: Clarifications(questions=offline.questions(idea)),
        ),
    )
    # Numbered here: a model may give two of them one id.
    questions = [
        Question(id=f"q{n}", question=q.question, options=q.options or None)
        for n, q in enumerate(wanted.questions, 1)
    ]
    if not questions:
        return []
    await stage.progress(0.2, "waiting for answers")
    answers = {answer.question_id: answer.answer for answer in await stage.job.ask(questions)}
    return [
        {"question": q.question, "answer": answers[q.id]}
        for q in questions
        if answers.get(q.id, "").strip()
    ]


def _unclear(wanted: Clarifications) -> Sequence[str]:
    return [
        f"questions.{n}.question: between 1 and {_MAX_QUESTION_CHARS} characters"
        for n, q in enumerate(wanted.questions)
        if not 1 <= len(q.question.strip()) <= _MAX_QUESTION_CHARS
    ]


def _faults(document: RequirementsDoc) -> list[str]:
    found: list[Any] = []
    if not 1 <= len(document.core_features) <= _MAX_FEATURES:
        found.append(f"core_features: between 1 and {_MAX_FEATURES} are needed")
    if not document.target_audience:
        found.append("target_audience: at least one is needed")
    return found
