"""Who a transaction runs as: a database role and the claims that row-level security reads.

This is the only thing that `db` knows of identity. `identity.Principal` provides it for people and
services; the constants here are for work that belongs to no tenant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Role = Literal["anon", "authenticated", "stead_service"]

ROLES: Final[frozenset[str]] = frozenset({"anon", "authenticated", "stead_service"})
"""The roles that the server may take on. None owns a table, is a superuser or has BYPASSRLS."""


class Actor(Protocol):
    """What `Database.transaction` needs to know of a principal."""

    @property
    def role(self) -> Role:
        """The database role whose grants and policies apply."""
        ...

    @property
    def claims_json(self) -> str:
        """The value of ``request.jwt.claims``: a JSON object."""
        ...


@dataclass(frozen=True, kw_only=True)
class StaticActor:
    """A role with fixed claims."""

    role: Role
    claims_json: str = "{}"

    @classmethod
    def of(cls, role: Role, claims: Mapping[str, object]) -> StaticActor:
        """An actor with these claims."""
        return cls(role=role, claims_json=json.dumps(claims, separators=(",", ":")))


NOBODY: Final = StaticActor(role="stead_service")
"""Stead itself, in no tenant: sees no tenant's rows and may call the claim and lookup functions."""
