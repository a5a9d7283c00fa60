"""Which scope a key needs to write evidence of a kind. The database holds it, whoever writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stead import audit
from stead.db import Transaction
from stead.evidence import queries
from stead.identity import Principal

#: What a key with scopes needs to change these rules.
ADMIN: Final = "evidence:admin"
#: The kind that means every kind.
EVERY: Final = "*"


@dataclass(frozen=True, kw_only=True)
class NeededScope:
    """A rule.

    Args:
        source_type: Evidence of this kind; ``*``: of every kind.
        scope: What a key that was made with scopes must have to write it.
    """

    source_type: str
    scope: str


async def check(tx: Transaction, principal: Principal, source_type: str) -> None:
    """Refuses a key that may not write evidence of this kind.

    Raises:
        ScopeMissing: It lacks a scope that the tenant wants for it.
    """
    for scope in await queries.needed_scopes(tx, principal.tenant.id, source_type):
        principal.require_scope(scope)


async def listing(tx: Transaction, principal: Principal) -> list[NeededScope]:
    """The tenant's rules, by kind."""
    return [NeededScope(**dict(row)) for row in await queries.all_scopes(tx, principal.tenant.id)]


async def require(tx: Transaction, principal: Principal, rule: NeededScope) -> None:
    """Wants a scope for evidence of a kind from now on.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        rule: The rule; it replaces that of the same kind.

    Raises:
        ScopeMissing: It is a key without ``evidence:admin``.
    """
    principal.require_scope(ADMIN)
    await queries.put_scope(tx, principal.tenant.id, rule.source_type, rule.scope)
    await _record(tx, principal, "require_scope", {"scope": rule.scope})


async def release(tx: Transaction, principal: Principal, source_type: str) -> None:
    """Wants no scope any more for evidence of a kind. Twice is no error.

    Raises:
        ScopeMissing: It is a key without ``evidence:admin``.
    """
    principal.require_scope(ADMIN)
    if await queries.drop_scope(tx, principal.tenant.id, source_type):
        await _record(tx, principal, "release_scope", {})


async def _record(
    tx: Transaction, principal: Principal, action: str, payload: dict[str, object]
) -> None:
    # The kind is a tenant's own word and may have spaces: it stands in the table.
    await audit.record(
        tx,
        principal,
        category="auth_policy",
        action=action,
        subject_type="evidence",
        payload=payload,
    )
