"""Objectives (001): what a tenant wants to reach, for people and agents to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from stead import audit
from stead.db import Row, Transaction
from stead.governance import queries
from stead.governance.errors import ObjectiveUnknown
from stead.identity import Principal

MAX_LISTED: Final = 500


@dataclass(frozen=True, kw_only=True)
class NewObjective:
    """An objective as somebody wants it.

    Args:
        title: What is to be reached.
        metric: By what it is measured.
        target: Which value of that is wanted.
        horizon: By when.
        summary: More of it.
    """

    title: str
    metric: str | None = None
    target: str | None = None
    horizon: str | None = None
    summary: str | None = None


@dataclass(frozen=True, kw_only=True)
class Objective(NewObjective):
    """An objective as it stands."""

    id: UUID
    created_at: datetime
    updated_at: datetime


async def listing(tx: Transaction, principal: Principal) -> list[Objective]:
    """The tenant's objectives, the latest first; at most `MAX_LISTED`."""
    rows = await queries.objectives(tx, principal.tenant.id, MAX_LISTED)
    return [Objective(**dict(row)) for row in rows]


async def get(tx: Transaction, principal: Principal, objective_id: UUID) -> Objective:
    """One objective.

    Raises:
        ObjectiveUnknown: The tenant has none of that id.
    """
    return _found(await queries.objective(tx, principal.tenant.id, objective_id))


async def create(tx: Transaction, principal: Principal, wanted: NewObjective) -> Objective:
    """Makes an objective.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        wanted: What it is to be.
    """
    made = _found(await queries.insert_objective(tx, principal.tenant.id, **asdict(wanted)))
    await _record(tx, principal, "objective_created", made.id)
    return made


async def change(
    tx: Transaction, principal: Principal, objective_id: UUID, wanted: NewObjective
) -> Objective:
    """Changes an objective into what is wanted.

    Raises:
        ObjectiveUnknown: The tenant has none of that id.
    """
    changed = _found(
        await queries.update_objective(tx, principal.tenant.id, objective_id, **asdict(wanted))
    )
    await _record(tx, principal, "objective_changed", changed.id)
    return changed


async def delete(tx: Transaction, principal: Principal, objective_id: UUID) -> None:
    """Deletes an objective.

    Raises:
        ObjectiveUnknown: The tenant has none of that id.
    """
    if not await queries.delete_objective(tx, principal.tenant.id, objective_id):
        raise _unknown()
    await _record(tx, principal, "objective_deleted", objective_id)


async def _record(tx: Transaction, principal: Principal, action: str, objective_id: UUID) -> None:
    await audit.record(
        tx,
        principal,
        category="governance",
        action=action,
        subject_type="objective",
        subject_id=objective_id,
    )


def _found(row: Row | None) -> Objective:
    if row is None:
        raise _unknown()
    return Objective(**dict(row))


def _unknown() -> ObjectiveUnknown:
    return ObjectiveUnknown("there is no objective of that id", hint="GET /v1/objectives lists them.")
