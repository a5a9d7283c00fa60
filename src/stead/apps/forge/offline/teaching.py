"""Choices, curricula and questions back by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stead.apps.forge.offline import LABEL
from stead.apps.forge.offline.words import cut, key_words
from stead.apps.forge.protocol import (
    ChoiceFramework,
    ImplementationOption,
    LearningRoadmap,
    RequirementsDoc,
    RoadmapModule,
    SkillLevel,
)
from stead.apps.forge.shapes import MentorAnswer

_HOURS: Final[Mapping[str, float]] = {"beginner": 6.0, "intermediate": 4.0, "advanced": 2.5}
_MAX_MODULES: Final = 8
#: Asked in turn, so that a conversation goes on.
_QUESTIONS: Final = (
    "What have you tried so far, and what happened instead of what you expected?",
    "What is the smallest input for which you know the right result?",
    "Which part of it do you already understand, and where does it become unclear?",
    "What would you have to know to decide between the ways that you see?",
    "How could you find out, with one line of code, whether that is so?",
)


def choices(decision: str, level: SkillLevel) -> ChoiceFramework:
    """Three ways that there always are."""
    about = cut(decision, 300)
    options = [
        ImplementationOption(
            id="by-hand",
            title="Write the smallest version yourself",
            pros=["You see every step", "Nothing to install"],
            cons=["You meet problems that others have solved"],
            difficulty="beginner",
            educational_value="You learn what a library would do for you.",
        ),
        ImplementationOption(
            id="library",
            title="Use a well-kept library",
            pros=["Less code to keep", "Known problems are solved"],
            cons=["You depend on its ways"],
            difficulty="intermediate",
            educational_value="You learn to read documentation and to judge a dependency.",
        ),
        ImplementationOption(
            id="service",
            title="Use a hosted service",
            pros=["Running it is somebody else's work"],
            cons=["It costs money", "Your data leaves your hands"],
            difficulty="advanced",
            educational_value="You learn to work against an interface that fails at times.",
        ),
    ]
    recommended = next(option for option in options if option.difficulty == level)
    return ChoiceFramework(
        context=f"{LABEL} The decision, in your words: {about}",
        options=options,
        recommendation=f"{LABEL} By rule, for the level {level}: {recommended.title}.",
    )


def roadmap(goal: str, about: Mapping[str, Any], level: SkillLevel) -> LearningRoadmap:
    """A module to begin with, one for each feature that is known, and one to end with."""
    hours = _HOURS[level]
    modules = [
        _module("Foundations", ["Set up the tools", "Make an empty project run", "Commit it"], hours, [])
    ]
    for name in _features(about)[: _MAX_MODULES - 2]:
        steps = [
            f"Say in one sentence what {name} does",
            "Draw the page",
            "Write the code",
            "Try it with wrong input",
        ]
        modules.append(_module(name, steps, hours, [modules[-1].title]))
    steps = ["Write a test for each feature", "Let somebody else use it", "Put it on a server"]
    modules.append(_module("Test and publish", steps, hours, [modules[-1].title]))
    return LearningRoadmap(
        title=cut(f"Learn by building: {goal}", 200),
        description=f"{LABEL} A curriculum by rule from the project's features; no model was asked.",
        skill_level=level,
        modules=modules,
        total_estimated_hours=hours * len(modules),
    )


def mentor(transcript: Sequence[Any], message: str) -> MentorAnswer:
    """A question back, about the words of the message."""
    words = key_words(message)
    about = f" You speak of {', '.join(words[:3])}." if words else ""
    question = _QUESTIONS[(len(transcript) // 2) % len(_QUESTIONS)]
    return MentorAnswer(answer=f"{LABEL}{about} {question}", concepts=words[:3])


def _features(about: Mapping[str, Any]) -> list[str]:
    try:
        known = RequirementsDoc.model_validate(about.get("requirements")).core_features
    except ValueError:
        known = []
    names = list(dict.fromkeys(cut(feature.name, 150) for feature in known))
    return names or ["The first page", "The first form", "What is stored"]


def _module(
    title: str, steps: Sequence[str], hours: float, prerequisites: Sequence[str]
) -> RoadmapModule:
    return RoadmapModule(
        title=title,
        description=f"{LABEL} {title}.",
        steps=[cut(step, 300) for step in steps],
        estimated_hours=hours,
        prerequisites=list(prerequisites),
    )
