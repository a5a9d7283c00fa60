"""What leaves a project: all of its files, under names that are safe wherever they are unpacked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from stead import audit
from stead.apps.forge import files, projects
from stead.apps.forge.errors import NothingToExport
from stead.apps.forge.models import Project, ProjectFile
from stead.apps.forge.paths import as_name, fault_of
from stead.db import Transaction
from stead.identity import Principal

_CATEGORY: Final = "project"


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """A file under the name that it is exported with."""

    path: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Export:
    """All that is exported."""

    project: Project
    files: Sequence[ExportedFile]


async def prepare(tx: Transaction, principal: Principal, project_id: UUID, *, target: str) -> Export:
    """Reads a project's files and notes in the audit log that they leave.

    Args:
        tx: A transaction as the server.
        principal: Who exports.
        project_id: What.
        target: Where to: a short code.

    Raises:
        ProjectUnknown: It is not there for this caller.
        NothingToExport: It has no files.
    """
    project = await projects.get(tx, principal, project_id)
    found = await files.contents(tx, principal, project_id)
    if not found:
        raise NothingToExport("there is nothing to export", hint="Run the code agent, or put a file.")
    await audit.record(
        tx,
        principal,
        category=_CATEGORY,
        action="export",
        subject_type="project",
        subject_id=project_id,
        subject_profile_id=project.user_id,
        payload={"target": target, "files": len(found)},
    )
    return Export(project=project, files=[*safely_named(found)])


async def note_archived(tx: Transaction, principal: Principal, project: Project) -> None:
    """Notes in the audit log that the files leave as an archive."""
    await audit.record(
        tx,
        principal,
        category=_CATEGORY,
        action="export",
        subject_type="project",
        subject_id=project.id,
        subject_profile_id=project.user_id,
        payload={"target": "zip"},
    )


async def note_pushed(
    tx: Transaction, principal: Principal, project: Project, *, commit: str, pushed: int
) -> None:
    """Notes in the audit log that GitHub has it."""
    await audit.record(
        tx,
        principal,
        category=_CATEGORY,
        action="exported",
        subject_type="project",
        subject_id=project.id,
        subject_profile_id=project.user_id,
        payload={"target": "github", "files": pushed, "commit": commit},
    )


def safely_named(found: Iterable[ProjectFile]) -> Iterable[ExportedFile]:
    """Files under their own paths, or, where somebody wrote one past Stead that could do harm, under
    another."""
    for n, file in enumerate(found, 1):
        path = file.path
        if fault_of(path) is not None:
            path = f"renamed/{n}-{as_name(path) or 'file'}"
        yield ExportedFile(path=path, content=file.content or "")


def archive_name(title: str) -> str:
    """The name of a project's archive, for a header: letters, digits and hyphens."""
    return re.sub(r"-+", "-", as_name(title).lower()) or "project"
