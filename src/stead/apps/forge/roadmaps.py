"""Roadmaps: a curriculum in modules, which open one after the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from stead.apps.forge import projects, queries
from stead.apps.forge.errors import RoadmapStepLocked, RoadmapUnknown
from stead.apps.forge.models import Page, Roadmap
from stead.apps.forge.protocol import LearningRoadmap
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal

MAX_MODULES: Final = 50
MAX_STEPS: Final = 100


def _roadmap(row: Row | None) -> Roadmap:
    if row is None:
        raise RoadmapUnknown("the project has no roadmap with this id")
    return Roadmap(**dict(row))


def modules_of(roadmap: LearningRoadmap) -> list[dict[str, Any]]:
    """004's ``modules``: title, steps, and whether it is locked. The first one is open."""
    modules = [{"title": m.title, "steps": m.steps[:MAX_STEPS]} for m in roadmap.modules[:MAX_MODULES]]
    return unlocked(modules, 0)


def unlocked(modules: list[Any], done: int) -> list[dict[str, Any]]:
    """The modules, each open once all steps before it are done."""
    found: list[dict[str, Any]] = []
    begins = 0
    for module in modules:
        fields = cast("dict[str, Any]", module) if isinstance(module, dict) else {"title": str(module)}
        found.append({**fields, "is_locked": begins > done})
        begins += _steps(fields)
    return found


def _steps(module: Any) -> int:
    # People may write the column themselves: what has no steps counts none.
    steps: Any = cast("dict[str, Any]", module).get("steps") if isinstance(module, dict) else None
    return len(cast("list[Any]", steps)) if isinstance(steps, list) else 0


async def create(
    tx: Transaction, principal: Principal, project_id: UUID, roadmap: LearningRoadmap
) -> Roadmap:
    """Stores a curriculum as a roadmap of a project, at its beginning.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    return _roadmap(
        await queries.insert_roadmap(tx, new_id(), principal.tenant.id, project_id, modules_of(roadmap))
    )


async def get(tx: Transaction, principal: Principal, project_id: UUID, roadmap_id: UUID) -> Roadmap:
    """A roadmap.

    Raises:
        ProjectUnknown, RoadmapUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    return _roadmap(await queries.roadmap_by_id(tx, principal.tenant.id, project_id, roadmap_id))


async def listing(
    tx: Transaction,
    principal: Principal,
    project_id: UUID,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 20,
) -> Page[Roadmap]:
    """A project's roadmaps, newest first.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    at, at_id = before or (None, None)
    rows = await queries.roadmaps_before(tx, principal.tenant.id, project_id, at, at_id, limit + 1)
    items = [_roadmap(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items=items, next_before=(items[-1].created_at, items[-1].id) if more else None)


async def advance(
    tx: Transaction, principal: Principal, project_id: UUID, roadmap_id: UUID, finished_step: int
) -> Roadmap:
    """Notes that a step is done, and opens the next module with the last step of one. Noted twice it is
    done once.

    Args:
        tx: A transaction as the server.
        principal: The caller.
        project_id: Whose roadmap.
        roadmap_id: Which.
        finished_step: Counted over all modules, from 0.

    Raises:
        ProjectUnknown, RoadmapUnknown: It is not there for this caller.
        RoadmapStepLocked: A step before it is not done yet, or there is no such step.
    """
    await projects.get(tx, principal, project_id)
    roadmap = _roadmap(await queries.lock_roadmap(tx, principal.tenant.id, project_id, roadmap_id))
    current, total = roadmap.current_step_index, sum(_steps(m) for m in roadmap.modules)
    if finished_step < min(current, total):
        return roadmap
    if finished_step != current or finished_step >= total:
        raise RoadmapStepLocked(
            f"{current} of {total} steps are done", hint="Steps are finished in their order, from 0."
        )
    modules = unlocked(roadmap.modules, current + 1)
    return _roadmap(
        await queries.update_roadmap(tx, principal.tenant.id, roadmap_id, modules, current + 1)
    )


async def delete(tx: Transaction, principal: Principal, project_id: UUID, roadmap_id: UUID) -> None:
    """Deletes a roadmap.

    Raises:
        ProjectUnknown, RoadmapUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    if not await queries.delete_roadmap(tx, principal.tenant.id, project_id, roadmap_id):
        raise RoadmapUnknown("the project has no roadmap with this id")
