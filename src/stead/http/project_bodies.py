"""Bodies of the project endpoints: what comes in, what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from stead.apps.forge import Mode, ProjectStatus
from stead.apps.forge.files import MAX_CONTENT_CHARS
from stead.apps.forge.protocol import LearningRoadmap, RequirementsDoc, WireframeSpec
from stead.http.session_bodies import Body


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not 1 <= len(text) <= 255 or not all("!" <= c <= "~" for c in text):
        raise ValueError("is no token: 1 to 255 characters, without spaces")
    return secret


def _repository(name: str) -> str:
    if set(name) == {"."} or name.lower().endswith((".git", ".wiki")):
        raise ValueError("is no name of a repository")
    return name


Title = Annotated[
    str, Field(min_length=1, max_length=200, examples=["Pawlog"]), AfterValidator(_not_blank)
]
Stack = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=50)]


class CreateProject(Body):
    """A project to be made. A service says whose."""

    title: Title
    mode: Mode = "builder"
    description: str | None = Field(
        None, min_length=1, max_length=10_000, examples=["A CRM for dog walkers"]
    )
    tech_stack: Stack | None = None
    user_id: UUID | None = None


class UpdateProject(Body):
    """What changes; the rest stays. null takes away what may be missing."""

    title: Title | None = Field(None, examples=["Pawlog"])
    mode: Mode | None = None
    status: ProjectStatus | None = Field(None, examples=["in-progress"])
    description: str | None = Field(None, min_length=1, max_length=10_000)
    tech_stack: Stack | None = None
    requirements_spec: RequirementsDoc | None = None
    architecture_spec: WireframeSpec | None = None

    @model_validator(mode="after")
    def _keeps_what_is_needed(self) -> UpdateProject:
        for name in ("title", "mode", "status"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name}: cannot be null")
        return self


class ProjectOut(BaseModel):
    """A project."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    title: str
    description: str | None
    mode: Mode
    status: ProjectStatus
    requirements_spec: dict[str, Any] | None
    architecture_spec: dict[str, Any] | None
    tech_stack: list[str] | None
    created_at: datetime
    updated_at: datetime


class ProjectPage(BaseModel):
    """Some projects, and the cursor of the next ones."""

    items: list[ProjectOut]
    next_cursor: str | None


class PutFile(Body):
    """A file's content, all of it."""

    content: str = Field(max_length=MAX_CONTENT_CHARS)
    language: str | None = Field(None, min_length=1, max_length=50, examples=["typescript"])
    if_version: int | None = Field(
        None, ge=0, le=2**31 - 1, description="The version that is to be replaced; 0: there is none."
    )


class FileOut(BaseModel):
    """A file, as it is or as it was."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    path: str
    content: str | None
    language: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class FileSummaryOut(BaseModel):
    """A file without its content; ``size`` in characters."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    path: str
    language: str | None
    version: int
    size: int
    created_at: datetime
    updated_at: datetime


class FilePage(BaseModel):
    """Some files by path; ``next_after`` is the ``after`` of the next ones."""

    items: list[FileSummaryOut]
    next_after: str | None


class FileVersionOut(BaseModel):
    """That a file had a version; ``replaced_at`` is null for the present one."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    language: str | None
    size: int
    created_at: datetime
    replaced_at: datetime | None


class RoadmapOut(BaseModel):
    """A roadmap; modules have ``title``, ``steps`` and ``is_locked``."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    modules: list[Any]
    current_step_index: int
    created_at: datetime


class RoadmapPage(BaseModel):
    """Some roadmaps, and the cursor of the next ones."""

    items: list[RoadmapOut]
    next_cursor: str | None


class SaveRoadmap(LearningRoadmap):
    """A curriculum: 004's LearningRoadmap."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Build Pawlog",
                    "description": "Step by step.",
                    "skill_level": "beginner",
                    "modules": [
                        {
                            "title": "Tables",
                            "description": "What is kept.",
                            "steps": ["Name the tables"],
                            "estimated_hours": 2,
                        }
                    ],
                    "total_estimated_hours": 2,
                }
            ]
        },
    )


class AdvanceRoadmap(Body):
    """The step that is done, counted over all modules, from 0."""

    finished_step: int = Field(ge=0, le=10_000, examples=[0])


class DailySessionOut(BaseModel):
    """A Socratic session; entries of the transcript have ``role`` and ``content``."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    transcript: list[Any]
    concepts_covered: list[str]
    duration_minutes: int
    created_at: datetime


class DailySessionPage(BaseModel):
    """Some sessions, and the cursor of the next ones."""

    items: list[DailySessionOut]
    next_cursor: str | None


class SayToMentor(Body):
    """What a learner says."""

    message: Annotated[str, AfterValidator(_not_blank)] = Field(
        min_length=1, max_length=8000, examples=["Why is my list empty?"]
    )
    after: int | None = Field(
        None, ge=0, le=100_000, description="How many entries of the transcript were seen."
    )


class MentorSaid(BaseModel):
    """What the mentor answers, and the session as it is then."""

    answer: str
    session: DailySessionOut


class ExportToGithub(Body):
    """004: where to, and with whose token."""

    repo_name: Annotated[str, AfterValidator(_repository)] = Field(
        min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$", examples=["my-project"]
    )
    github_token: Annotated[SecretStr, AfterValidator(_token)]


class ExportedToGithub(BaseModel):
    """004: what GitHub has now."""

    model_config = ConfigDict(from_attributes=True)

    repo_url: str
    files_pushed: int
    commit_sha: str
