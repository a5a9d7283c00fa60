"""Who is asking."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from stead.db.actor import Role
from stead.identity.errors import ScopeMissing

PrincipalKind = Literal["user", "anonymous", "service"]


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant as far as a request needs to know it."""

    id: UUID
    slug: str
    external_org_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A proven identity inside one tenant, and what the database is told of it.

    Args:
        kind: ``user`` (a profile), ``anonymous`` (the holder of one session's token, or of none yet) or
            ``service`` (a key, a signed call or a service token: the whole tenant).
        tenant: Where it belongs.
        role: The database role that its transactions take on.
        profile_id: The person, for ``user``.
        session_id: The session whose token was presented, if any.
        external_id: The identity provider's subject where that is no UUID (Clerk ``user_…``).
        email: Email address as the provider states it.
        email_verified: Whether the provider vouches for it.
        scopes: What a key was granted; empty for people.
        credential: What the identity was proven with, for rate limits and idempotency ("key:abc").
    """

    kind: PrincipalKind
    tenant: Tenant
    role: Role
    profile_id: UUID | None = None
    session_id: UUID | None = None
    external_id: str | None = None
    email: str | None = None
    email_verified: bool = False
    scopes: frozenset[str] = frozenset()
    credential: str = ""

    @property
    def claims_json(self) -> str:
        """The claims that row-level security reads: the same names that a token would bring."""
        claims: dict[str, object] = {"role": self.role, "tenant_id": str(self.tenant.id)}
        if self.profile_id is not None:
            claims["sub"] = str(self.profile_id)
        if self.session_id is not None and self.kind == "anonymous":
            claims["stead_session"] = str(self.session_id)
        if self.kind == "service" and self.scopes:
            claims["scopes"] = sorted(self.scopes)
        return json.dumps(claims, separators=(",", ":"))

    @property
    def key(self) -> str:
        """A short, stable name of this identity, unique within its tenant."""
        if self.profile_id is not None:
            return f"profile:{self.profile_id}"
        if self.kind == "anonymous" and self.session_id is not None:
            return f"session:{self.session_id}"
        return self.credential or self.kind

    @property
    def api_key(self) -> str | None:
        """The id of the API key that it was proven with; None: with something else."""
        return self.credential.removeprefix("key:") if self.credential.startswith("key:") else None

    def served(self) -> Principal:
        """Stead at work on behalf of this principal: the same rows, the verbs of the server."""
        return replace(self, role="stead_service")

    def within(self, session_id: UUID) -> Principal:
        """An anonymous principal as the holder of that session."""
        return replace(self, session_id=session_id)

    def require_scope(self, scope: str) -> None:
        """Raises ScopeMissing when this is a key that was not granted ``scope`` (or ``*``)."""
        if self.kind == "service" and self.scopes and not self.scopes & {scope, "*"}:
            raise ScopeMissing(
                f"this key lacks the scope {scope!r}", hint="Create a key with that scope."
            )


def tenant_service(
    tenant: Tenant, *, credential: str = "stead", scopes: frozenset[str] = frozenset()
) -> Principal:
    """Stead, or a service that proved itself, in one tenant and on behalf of nobody."""
    return Principal(
        kind="service", tenant=tenant, role="stead_service", credential=credential, scopes=scopes
    )


def anonymous(tenant: Tenant, session_id: UUID | None = None) -> Principal:
    """Nobody in particular: the holder of one session, or of none yet."""
    return Principal(
        kind="anonymous", tenant=tenant, role="anon", session_id=session_id, credential="anonymous"
    )
