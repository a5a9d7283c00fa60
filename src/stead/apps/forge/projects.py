"""Projects: made, listed, changed, deleted, and moved on by the agents' work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stead import identity
from stead.apps.forge import queries
from stead.apps.forge.errors import ProjectArchived, ProjectOwnerUnknown, ProjectUnknown
from stead.apps.forge.models import Mode, Page, Project, ProjectStatus
from stead.apps.forge.protocol import RequirementsDoc, WireframeSpec
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal

#: From where the agents' work moves a project to a status. Nothing moves an archived one.
_BEFORE: Final[dict[ProjectStatus, tuple[ProjectStatus, ...]]] = {
    "in-progress": ("planning",),
    "building": ("planning", "in-progress", "completed"),
    "completed": ("building",),
}


def _project(row: Row | None) -> Project:
    if row is None:
        raise ProjectUnknown("no project with this id is yours")
    return Project(**dict(row))


async def create(
    tx: Transaction,
    principal: Principal,
    *,
    title: str,
    mode: Mode,
    description: str | None = None,
    tech_stack: Sequence[str] | None = None,
    user_id: UUID | None = None,
) -> Project:
    """A new project.

    Args:
        tx: A transaction as the server.
        principal: Whose it will be, or a service.
        title: What people call it.
        mode: Whether it is built, or learned from.
        description: The idea, in words.
        tech_stack: What it is to be made with; None: the research agent recommends.
        user_id: For services: whose it will be. A person can name only themselves.

    Raises:
        ProjectOwnerUnknown: Nobody was named, or nobody whose project it could be.
    """
    owner = principal.profile_id if user_id is None else user_id
    own = principal.kind == "service" or owner == principal.profile_id
    if owner is None or not own or not await _is_there(tx, principal, owner):
        raise ProjectOwnerUnknown(
            "a project belongs to a person", hint="A service names one of its tenant's as user_id."
        )
    return _project(
        await queries.insert_project(
            tx, new_id(), principal.tenant.id, owner, title, description, mode, tech_stack
        )
    )


async def _is_there(tx: Transaction, principal: Principal, profile_id: UUID) -> bool:
    found = await identity.profiles.find(tx, principal.tenant, str(profile_id))
    return found is not None and found.id == profile_id


async def get(tx: Transaction, principal: Principal, project_id: UUID) -> Project:
    """A project.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    return _project(await queries.project_by_id(tx, principal.tenant.id, project_id))


async def working_on(tx: Transaction, principal: Principal, project_id: UUID) -> Project:
    """A project that agents are to work on.

    Raises:
        ProjectUnknown: It is not there for this caller.
        ProjectArchived: It is archived.
    """
    project = await get(tx, principal, project_id)
    if project.status == "archived":
        raise ProjectArchived("agents do not work on it", hint="Set its status to planning first.")
    return project


async def listing(
    tx: Transaction,
    principal: Principal,
    *,
    user_id: UUID | None = None,
    status: ProjectStatus | None = None,
    mode: Mode | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 20,
) -> Page[Project]:
    """The caller's projects (for a service: the tenant's), newest first.

    Args:
        tx: A transaction.
        principal: The caller.
        user_id: Only this person's.
        status: Only those with it.
        mode: Likewise.
        before: The place of the last one seen.
        limit: How many at most.
    """
    at, at_id = before or (None, None)
    rows = await queries.projects_before(
        tx, principal.tenant.id, user_id, status, mode, at, at_id, limit + 1
    )
    items = [_project(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def update(
    tx: Transaction, principal: Principal, project_id: UUID, changes: Mapping[str, Any]
) -> Project:
    """Changes a project.

    Args:
        tx: A transaction as the server.
        principal: The caller.
        project_id: Which.
        changes: Among ``title``, ``description``, ``mode``, ``status``, ``tech_stack``,
        ``requirements_spec`` and
            ``architecture_spec``; what is not named stays.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    return _project(await queries.update_project(tx, principal.tenant.id, project_id, dict(changes)))


async def delete(tx: Transaction, principal: Principal, project_id: UUID) -> None:
    """Deletes a project with all that belongs to it.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    if not await queries.delete_project(tx, principal.tenant.id, project_id):
        raise ProjectUnknown("no project with this id is yours")


async def move_on(
    tx: Transaction, principal: Principal, project_id: UUID, status: ProjectStatus
) -> bool:
    """Moves a project to a status, where the agents' work leads there from the one that it has."""
    before = _BEFORE.get(status, ())
    return bool(await queries.set_status(tx, principal.tenant.id, project_id, status, before))


async def keep_requirements(
    tx: Transaction, principal: Principal, project_id: UUID, document: RequirementsDoc
) -> None:
    """Stores what the research agent found; its stack too, where the person chose none.

    Raises:
        ProjectUnknown: It was deleted meanwhile.
    """
    fields = document.model_dump(mode="json")
    stack = [item[:100] for item in document.recommended_stack[:50]]
    if not await queries.set_requirements(tx, principal.tenant.id, project_id, fields, stack):
        raise ProjectUnknown("the project was deleted meanwhile")
    await move_on(tx, principal, project_id, "in-progress")


async def keep_architecture(
    tx: Transaction, principal: Principal, project_id: UUID, spec: WireframeSpec
) -> None:
    """Stores what the wireframe agent drew.

    Raises:
        ProjectUnknown: It was deleted meanwhile.
    """
    fields = spec.model_dump(mode="json")
    if not await queries.set_architecture(tx, principal.tenant.id, project_id, fields):
        raise ProjectUnknown("the project was deleted meanwhile")
    await move_on(tx, principal, project_id, "in-progress")
