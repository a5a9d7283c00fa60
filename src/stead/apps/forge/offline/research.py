"""Requirements by rule: name, audience and features as far as the words of the idea say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stead.apps.forge.offline import LABEL
from stead.apps.forge.offline.words import audience_of, cut, name_of, phrases_of
from stead.apps.forge.protocol import (
    ClarificationQuestion,
    Feature,
    PriorityLevel,
    RequirementsDoc,
    UserPersona,
)

#: An idea of fewer words leaves open what is to be built.
_THIN_WORDS: Final = 8
_STACK: Final = ("Next.js", "TypeScript", "PostgreSQL")


def questions(idea: str) -> list[ClarificationQuestion]:
    """What a thin idea leaves open; nothing where there are words enough."""
    if len(idea.split()) >= _THIN_WORDS:
        return []
    asked: list[ClarificationQuestion] = []
    if audience_of(idea) is None:
        asked.append(ClarificationQuestion(id="q1", question=f"{LABEL} For whom is it?"))
    asked.append(
        ClarificationQuestion(
            id=f"q{len(asked) + 1}", question=f"{LABEL} What must its first version do?"
        )
    )
    return asked


def requirements(idea: str, answers: Sequence[Mapping[str, str]]) -> RequirementsDoc:
    """The requirements that the words of an idea and of the answers say."""
    who = (
        next((a["answer"] for a in answers if "whom" in a["question"]), None)
        or audience_of(idea)
        or "people who use it"
    )
    wanted = [a["answer"] for a in answers if "whom" not in a["question"]]
    features = phrases_of([*wanted, idea])
    return RequirementsDoc(
        app_name=name_of(idea),
        elevator_pitch=cut(f"{LABEL} From the words of the idea: {idea}", 500),
        target_audience=[
            UserPersona(
                role=cut(who, 100),
                goal=cut(f"Use {name_of(idea)}", 200),
                pain_point=f"{LABEL} not said in the idea",
            )
        ],
        core_features=[
            Feature(name=cut(phrase, 100), description=cut(phrase, 500), priority=_priority(n))
            for n, phrase in enumerate(features or [name_of(idea)])
        ],
        recommended_stack=list(_STACK),
        technical_constraints=f"{LABEL} Written by rule; no model was asked.",
    )


def _priority(place: int) -> PriorityLevel:
    if place < 3:
        return PriorityLevel.MUST_HAVE
    return PriorityLevel.SHOULD_HAVE if place < 6 else PriorityLevel.NICE_TO_HAVE
