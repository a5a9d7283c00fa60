"""What each agent takes: the ``input_context`` of 004."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from stead.apps.forge.errors import AgentInputInvalid
from stead.apps.forge.paths import fault_of
from stead.apps.forge.planning import MAX_PLANNED
from stead.apps.forge.protocol import SkillLevel


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _path(path: str) -> str:
    fault = fault_of(path)
    if fault is not None:
        raise ValueError(fault)
    return path


Idea = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_not_blank)]
ProjectType = Annotated[str, Field(min_length=1, max_length=100)]


class AgentInput(BaseModel):
    """What every agent may be told: the idea, in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_idea: Idea | None = None


class ResearchInput(AgentInput):
    """Of the research agent, and of the pipeline that begins with it.

    Args:
        user_idea: What is to be built.
        project_type: Only patterns of this kind are looked at (``saas``, ``ecommerce``, …).
        clarify: Whether it may ask back.
    """

    user_idea: Idea  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    project_type: ProjectType | None = None
    clarify: bool = True


class WireframeInput(AgentInput):
    """Of the wireframe agent, which builds on the project's requirements."""

    project_type: ProjectType | None = None


class CodeInput(AgentInput):
    """Of the code agent, which builds on the project's wireframe.

    Args:
        paths: Only these files of its plan; None: all.
    """

    paths: (
        Annotated[list[Annotated[str, AfterValidator(_path)]], Field(max_length=MAX_PLANNED)] | None
    ) = None


class QaInput(AgentInput):
    """Of the QA agent, which reads the project's files."""


class TeachingInput(AgentInput):
    """Of the agents that teach.

    Args:
        skill_level: The learner's; None: what their profile says, else beginner.
    """

    skill_level: SkillLevel | None = None


INPUTS: Final[Mapping[str, type[AgentInput]]] = {
    "research": ResearchInput,
    "wireframe": WireframeInput,
    "code": CodeInput,
    "qa": QaInput,
    "pedagogy": TeachingInput,
    "roadmap": TeachingInput,
    "pipeline": ResearchInput,
}


def read_input(kind: str, context: Mapping[str, Any]) -> AgentInput:
    """An agent's input.

    Args:
        kind: The agent, or ``pipeline``.
        context: 004's ``input_context``.

    Raises:
        AgentInputInvalid: There is no such agent, or it cannot work with this. What was given is not
        repeated.
    """
    if kind not in INPUTS:
        raise AgentInputInvalid("there is no agent of that name", hint=f"There is {', '.join(INPUTS)}.")
    try:
        return INPUTS[kind].model_validate(dict(context), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        known = {*INPUTS[kind].model_fields}
        where = [str(part) for part in first["loc"] if isinstance(part, int) or part in known]
        raise AgentInputInvalid(
            f"input_context.{'.'.join(where)}: {first['msg']}".replace(".:", ":"),
            hint=f"It takes {', '.join(sorted(known))}.",
        ) from None
