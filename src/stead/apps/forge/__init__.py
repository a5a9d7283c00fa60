"""Forge (document 004): projects that agents plan, build, check and teach.

Owns ``projects``, ``project_files`` with their versions, ``learning_roadmaps`` and ``daily_sessions``.
What always holds: a project and all in it are its person's; each call of a model is a step of a job,
and what it made is stored in the transaction of its checkpoint; a path of a file leaves no folder into
which it is unpacked; no token is kept.
"""

from stead.apps.forge import daily_sessions, files, mentoring, projects, roadmaps
from stead.apps.forge.handlers import handlers
from stead.apps.forge.models import (
    DailySession,
    FileSummary,
    FileVersion,
    ForgeServices,
    Mode,
    Page,
    Project,
    ProjectFile,
    ProjectStatus,
    Roadmap,
)

__all__ = [
    "DailySession",
    "FileSummary",
    "FileVersion",
    "ForgeServices",
    "Mode",
    "Page",
    "Project",
    "ProjectFile",
    "ProjectStatus",
    "Roadmap",
    "daily_sessions",
    "files",
    "handlers",
    "mentoring",
    "projects",
    "roadmaps",
]
