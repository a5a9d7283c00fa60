"""What agents hand to each other: document 004's schemas, field by field."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AgentType(StrEnum):
    """The agents."""

    RESEARCH = "research"
    WIREFRAME = "wireframe"
    CODE = "code"
    QA = "qa"
    PEDAGOGY = "pedagogy"
    ROADMAP = "roadmap"


class JobStatusType(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    WAITING_FOR_INPUT = "waiting_for_input"
    CANCELLED = "cancelled"


class PriorityLevel(StrEnum):
    """How much a feature is needed."""

    MUST_HAVE = "must-have"
    SHOULD_HAVE = "should-have"
    NICE_TO_HAVE = "nice-to-have"


class QAIssueSeverity(StrEnum):
    """How bad an issue is."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


SkillLevel = Literal["beginner", "intermediate", "advanced"]


class Document(BaseModel):
    """Refuses fields that the document does not have."""

    model_config = ConfigDict(extra="forbid")


class UserPersona(Document):
    """For whom an application is made."""

    role: str = Field(..., min_length=1, max_length=100)
    goal: str = Field(..., min_length=1, max_length=200)
    pain_point: str = Field(..., min_length=1, max_length=200)


class Feature(Document):
    """Something that it does."""

    name: str = Field(..., min_length=1, max_length=100)
    description: str = Field(..., min_length=1, max_length=500)
    priority: PriorityLevel


class RequirementsDoc(Document):
    """What the research agent finds; kept in ``projects.requirements_spec``."""

    app_name: str = Field(..., min_length=1, max_length=100)
    elevator_pitch: str = Field(..., min_length=20, max_length=500)
    target_audience: list[UserPersona]
    core_features: list[Feature]
    recommended_stack: list[str]
    technical_constraints: str | None = None


class Component(Document):
    """A part of a page."""

    name: str = Field(..., min_length=1, max_length=100)
    props: list[str]
    children: list[str]


class PageRoute(Document):
    """A page under its address."""

    path: str = Field(..., min_length=1, max_length=200)
    description: str
    components: list[Component]


class WireframeSpec(Document):
    """What the wireframe agent draws; kept in ``projects.architecture_spec``."""

    site_map: list[PageRoute]
    global_state_needs: list[str]
    theme_colors: list[str]


class CodeGenerationResult(Document):
    """A file that the code agent wrote; kept in ``project_files``."""

    file_path: str = Field(default="src/app/page.tsx", min_length=1, max_length=500)
    code: str = Field(..., min_length=1)
    language: str = Field(default="typescript", min_length=1, max_length=50)
    explanation: str


class QAIssue(Document):
    """Something that is wrong with the code."""

    severity: QAIssueSeverity
    description: str
    suggestion: str


class QAResult(Document):
    """What the QA agent found."""

    passed: bool
    issues: list[QAIssue]
    summary: str


class ImplementationOption(Document):
    """A way to do it."""

    id: str
    title: str
    pros: list[str]
    cons: list[str]
    difficulty: SkillLevel
    educational_value: str


class ChoiceFramework(Document):
    """What the pedagogy agent lays before a learner who has to decide."""

    context: str
    options: list[ImplementationOption]
    recommendation: str


class RoadmapModule(Document):
    """A part of a curriculum."""

    title: str = Field(..., min_length=1, max_length=200)
    description: str
    steps: list[str]
    estimated_hours: float = Field(..., gt=0, le=100)
    prerequisites: list[str] = Field(default_factory=list)


class LearningRoadmap(Document):
    """The curriculum that the roadmap agent makes; its modules are kept in ``learning_roadmaps``."""

    title: str = Field(..., min_length=1, max_length=200)
    description: str
    skill_level: SkillLevel
    modules: list[RoadmapModule] = Field(..., min_length=1)
    total_estimated_hours: float = Field(..., gt=0, le=500)


class ClarificationQuestion(Document):
    """What the research agent asks a person."""

    id: str
    question: str
    options: list[str] | None = None


class ClarificationResponse(Document):
    """What they answer."""

    question_id: str
    answer: str
