"""Projects and what belongs to them, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from stead.agents.loading import EngineLoader
from stead.providers.embedders import Embedder

T = TypeVar("T")
Mode = Literal["builder", "student"]
ProjectStatus = Literal["planning", "in-progress", "building", "completed", "archived"]


@dataclass(frozen=True, kw_only=True)
class ForgeServices:
    """What agents work with.

    Args:
        engine: Models.
        embedder: For the search of patterns.
        model: The name of the model that is asked.
    """

    engine: EngineLoader
    embedder: Embedder
    model: str


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project.

    Args:
        user_id: Whose it is.
        requirements_spec: 004's ``RequirementsDoc``, once there is one.
        architecture_spec: 004's ``WireframeSpec``, likewise.
    """

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


@dataclass(frozen=True, kw_only=True)
class FileSummary:
    """A file without its content.

    Args:
        size: Characters.
    """

    id: UUID
    path: str
    language: str | None
    version: int
    size: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """A file, as it is or as it was."""

    id: UUID
    project_id: UUID
    path: str
    content: str | None
    language: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class FileVersion:
    """That a file had a version.

    Args:
        created_at: When it was written.
        replaced_at: When the next one was; None for the present one.
    """

    version: int
    language: str | None
    size: int
    created_at: datetime
    replaced_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Roadmap:
    """A curriculum as a learner goes through it.

    Args:
        modules: Each with ``title``, ``steps`` and ``is_locked``.
        current_step_index: How many steps are done, counted over all modules.
    """

    id: UUID
    project_id: UUID
    modules: list[Any]
    current_step_index: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class DailySession:
    """A Socratic conversation.

    Args:
        transcript: Each with ``role`` (``user`` or ``mentor``) and ``content``.
        duration_minutes: From the first to the last word, without pauses of more than half an hour.
    """

    id: UUID
    project_id: UUID
    transcript: list[Any]
    concepts_covered: list[str]
    duration_minutes: int
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Some of a list, and the place of the next ones; None: that was all."""

    items: list[T]
    next_before: tuple[datetime, UUID] | None
