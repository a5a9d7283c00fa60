"""Structured output of the offline model: every filled schema validates, whatever the text."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Optional, TypeVar
from uuid import UUID

import pytest
from agents import AgentOutputSchema
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, Json

from stead.providers.models.offline.schema import fill


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PriorityLevel(StrEnum):
    MUST_HAVE = "must-have"
    SHOULD_HAVE = "should-have"
    NICE_TO_HAVE = "nice-to-have"


class UserPersona(Strict):
    role: str = Field(..., min_length=1, max_length=100)
    goal: str = Field(..., min_length=1, max_length=200)
    pain_point: str = Field(..., min_length=1, max_length=200)


class Feature(Strict):
    name: str = Field(..., min_length=1, max_length=100)
    description: str = Field(..., min_length=1, max_length=500)
    priority: PriorityLevel


class RequirementsDoc(Strict):
    app_name: str = Field(..., min_length=1, max_length=100)
    elevator_pitch: str = Field(..., min_length=20, max_length=500)
    target_audience: list[UserPersona]
    core_features: list[Feature]
    recommended_stack: list[str]
    technical_constraints: str | None = None


class Component(Strict):
    name: str = Field(..., min_length=1, max_length=100)
    props: list[str]
    children: list[str]


class PageRoute(Strict):
    path: str = Field(..., min_length=1, max_length=200)
    description: str
    components: list[Component]


class WireframeSpec(Strict):
    site_map: list[PageRoute]
    global_state_needs: list[str]
    theme_colors: list[str]


class CodeGenerationResult(Strict):
    file_path: str = Field(default="src/app/page.tsx", min_length=1, max_length=500)
    code: str = Field(..., min_length=1)
    language: str = Field(default="typescript", min_length=1, max_length=50)
    explanation: str


class QAIssueSeverity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class QAIssue(Strict):
    severity: QAIssueSeverity
    description: str
    suggestion: str


class QAResult(Strict):
    passed: bool
    issues: list[QAIssue]
    summary: str


Level = Literal["beginner", "intermediate", "advanced"]


class ImplementationOption(Strict):
    id: str
    title: str
    pros: list[str]
    cons: list[str]
    difficulty: Level
    educational_value: str


class ChoiceFramework(Strict):
    context: str
    options: list[ImplementationOption]
    recommendation: str


class RoadmapModule(Strict):
    title: str = Field(..., min_length=1, max_length=200)
    description: str
    steps: list[str]
    estimated_hours: float = Field(..., gt=0, le=100)
    prerequisites: list[str] = Field(default_factory=list)


class LearningRoadmap(Strict):
    title: str = Field(..., min_length=1, max_length=200)
    description: str
    skill_level: Level
    modules: list[RoadmapModule] = Field(..., min_length=1)
    total_estimated_hours: float = Field(..., gt=0, le=500)


class ClarificationQuestion(Strict):
    id: str
    question: str
    options: Optional[list[str]] = None  # noqa: UP045 - as the document writes it


class ClarificationResponse(Strict):
    question_id: str
    answer: str


M = TypeVar("M", bound=BaseModel)

DOCUMENTED = [
    RequirementsDoc,
    WireframeSpec,
    CodeGenerationResult,
    QAResult,
    ChoiceFramework,
    LearningRoadmap,
    ClarificationQuestion,
    ClarificationResponse,
]


class Tree(Strict):
    label: Annotated[str, Field(max_length=3)]
    parent: Tree | None
    children: list[Tree]


class Leaf(Strict):
    kind: Literal["leaf"]


class Pair(Strict):
    kind: Literal["pair"]
    left: Pair | Leaf
    right: Pair | Leaf


class Shape(Strict):
    node: Annotated[Pair | Leaf, Field(discriminator="kind")]
    at: datetime
    day: date
    key: UUID
    link: AnyUrl
    price: Decimal
    wait: timedelta
    raw: Json[list[int]]
    whole: Annotated[int, Field(gt=4, lt=6)]
    even: Annotated[int, Field(ge=3, multiple_of=4)]
    narrow: Annotated[float, Field(gt=0.25, lt=0.26)]
    low: Annotated[float, Field(le=-3.5)]
    three: tuple[int, str, bool]
    levels: Annotated[set[Level], Field(min_length=2)]
    numbers: Annotated[set[int], Field(min_length=3, max_length=4)]
    names: Annotated[set[Annotated[str, Field(max_length=8)]], Field(min_length=3)]
    exact: Annotated[str, Field(min_length=25, max_length=25)]
    long: Annotated[str, Field(min_length=2000)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    nothing: None
    either: int | str
    counts: dict[str, int]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(
    {name for model in (*DOCUMENTED, Shape, Feature, RoadmapModule) for name in model.model_fields}
)
VALUES = st.one_of(
    JSON, st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3), max_size=3)
)
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=st.characters()),
    st.text(alphabet='a ,;:-*.\n1290{}[]"/\t\x00\ud800\u3000\u00e9?'),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5).map(json.dumps),
    st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20), max_size=5).map(
        lambda named: "\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in named.items())
    ),
)


@pytest.mark.parametrize("model", [*DOCUMENTED, Tree, Shape, list[int], dict[str, Any]])
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
@example(text="")
@example(text="Price: :")
@example(text="[" * 5000 + "]" * 5000)
@example(text='{"whole": 1e999, "three": [1e308, null], "low": -1e400, "numbers": [5, 5, 5]}')
@example(text='{"tree": {"children": [{"children": [{"label": "\\ud800"}]}]}}')
def test_every_text_fills_every_schema(model: Any, text: str) -> None:
    for strict in (True, False) if model in DOCUMENTED else (False,):
        schema = AgentOutputSchema(model, strict_json_schema=strict)
        filled = json.dumps(fill(schema.json_schema(), text), ensure_ascii=False)
        filled.encode()
        schema.validate_json(filled)
        assert "\\u0000" not in filled
        assert filled == json.dumps(fill(schema.json_schema(), text), ensure_ascii=False)


def filled(model: type[M], text: str) -> M:
    return model.model_validate(fill(model.model_json_schema(), text))


def test_names_lists_choices_and_numbers_come_from_the_text() -> None:
    doc = filled(
        RequirementsDoc,
        "App name: InkFlow\nFeatures:\n- Booking (should-have)\n- Deposits\n"
        "Recommended stack: FastAPI, PostgreSQL\nTechnical constraints: must work offline",
    )
    assert doc.app_name == "InkFlow"
    assert [(one.name, one.priority.value) for one in doc.core_features] == [
        ("Booking (should-have)", "should-have"),
        ("Deposits", "must-have"),
    ]
    assert doc.recommended_stack == ["FastAPI", "PostgreSQL"]
    assert doc.technical_constraints == "must work offline"
    assert doc.target_audience == []
    roadmap = filled(LearningRoadmap, "Learn Rust, about 40 hours, for an intermediate")
    assert (roadmap.total_estimated_hours, roadmap.skill_level) == (40, "intermediate")
    assert filled(LearningRoadmap, "Learn Rust in 9,000 hours").total_estimated_hours == 1


def test_a_json_text_fills_by_name() -> None:
    given_json = {
        "app_name": "InkFlow",
        "core_features": [{"name": "Booking", "description": "Book a slot", "priority": "nice-to-have"}],
    }
    doc = filled(RequirementsDoc, json.dumps(given_json))
    assert doc.app_name == "InkFlow"
    assert doc.core_features == [Feature.model_validate(given_json["core_features"][0])]


def test_true_only_where_it_is_stated() -> None:
    assert filled(QAResult, "All checks passed").passed
    assert filled(QAResult, "passed: yes").passed
    assert not filled(QAResult, "It has not passed").passed
    assert not filled(QAResult, "Look at my code").passed


def test_defaults_and_absent_optionals_stay() -> None:
    result = filled(CodeGenerationResult, "Language: python\nA page")
    assert (result.file_path, result.language) == ("src/app/page.tsx", "python")
    assert filled(RequirementsDoc, "An app").technical_constraints is None
    assert "prerequisites" not in fill(RoadmapModule.model_json_schema(), "Learn Rust")


def test_prose_says_that_no_model_wrote_it() -> None:
    assert filled(QAResult, "Look at my code").summary == "[offline model] Look at my code"
    assert "[offline model]" in filled(CodeGenerationResult, "A page").code


def test_dates_and_identifiers_are_taken_from_the_text() -> None:
    shape = filled(
        Shape, "On 2026-02-30 or 2026-03-01, 01890a5d-ac96-774b-bcce-b302099a8057, at https://a.io/x"
    )
    assert shape.day == date(2026, 3, 1)
    assert shape.key == UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert str(shape.link) == "https://a.io/x"
    assert filled(Shape, "nothing").at.year == 1970


def test_a_schema_without_end_is_refused() -> None:
    endless = {
        "$ref": "#/$defs/N",
        "$defs": {"N": {"properties": {"n": {"$ref": "#/$defs/N"}}, "required": ["n"]}},
    }
    with pytest.raises(RecursionError):
        fill(endless, "x")
