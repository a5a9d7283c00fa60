"""The mentor: answers a learner with a question, never with the solution."""

from __future__ import annotations

import re
from typing import Any, Final

from stead.apps.forge import daily_sessions, prompts
from stead.apps.forge.asking import Task, ask, directly
from stead.apps.forge.errors import DailySessionFull
from stead.apps.forge.models import DailySession, ForgeServices, Project
from stead.apps.forge.offline import teaching as offline
from stead.apps.forge.shapes import MentorAnswer
from stead.db import assert_no_transaction

#: How far back the mentor reads.
_ENTRIES: Final = 30
_MAX_CODE_LINES: Final = 8
_MAX_CONCEPT_CHARS: Final = 80
#: Of Latin, Arabic, Greek and the full width.
_QUESTION_MARKS: Final = ("?", "\u061f", "\u037e", "\uff1f")
_CODE: Final = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


async def answer(
    services: ForgeServices, project: Project, session: DailySession, message: str
) -> MentorAnswer:
    """What the mentor says to a message. No transaction is open meanwhile.

    Args:
        services: The model.
        project: What is learned from.
        session: What was said so far.
        message: What the learner says now.

    Raises:
        DailySessionFull: The session is long enough.
        ModelAnswerInvalid, ModelFailed: The model did not do it.
    """
    assert_no_transaction("asking the mentor")
    if len(session.transcript) + 2 > daily_sessions.MAX_ENTRIES:
        raise DailySessionFull(
            f"it has {daily_sessions.MAX_ENTRIES} entries", hint="Begin another session."
        )
    return await ask(
        directly,
        services,
        Task(
            name="mentor",
            shape=MentorAnswer,
            instructions=prompts.MENTOR,
            text=prompts.data(
                project={"title": project.title, "description": project.description},
                conversation=session.transcript[-_ENTRIES:],
                message=message,
            ),
            temperature=0.5,
            faults=_faults,
            offline=lambda: offline.mentor(session.transcript, message),
        ),
    )


def _faults(given: MentorAnswer) -> list[Any]:
    faults: list[str] = []
    if not any(mark in given.answer for mark in _QUESTION_MARKS):
        faults.append("answer: asks nothing; end with a question")
    lines = sum(block.count("\n") for block in _CODE.findall(given.answer))
    if lines > _MAX_CODE_LINES:
        faults.append("answer: gives code away; at most three lines of it")
    if any(not 1 <= len(concept.strip()) <= _MAX_CONCEPT_CHARS for concept in given.concepts):
        faults.append(f"concepts: each has 1 to {_MAX_CONCEPT_CHARS} characters")
    return faults
