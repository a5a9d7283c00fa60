"""Tenants and people made for one test, and tokens that prove them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import httpx

from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from stead.identity import Principal, Tenant, tenant_service
from stead.identity.jwt import SteadTokens

SECRET = "test-secret-test-secret-test-secret-test-secret"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A signed-in person of a tenant."""

    tenant: Tenant
    id: uuid.UUID
    email: str

    @property
    def principal(self) -> Principal:
        """As transactions know them."""
        return Principal(
            kind="user",
            tenant=self.tenant,
            role="authenticated",
            profile_id=self.id,
            email=self.email,
            email_verified=True,
            credential="test",
        )

    @property
    def token(self) -> str:
        """A bearer token."""
        return SteadTokens(SECRET).issue_development(
            self.tenant.id, self.id, self.email, "authenticated", 3600
        )

    @property
    def headers(self) -> dict[str, str]:
        """For requests."""
        return {"authorization": f"Bearer {self.token}"}


async def make_tenant(access: DatabaseAccess, org: str | None = None) -> Tenant:
    """A new tenant with a random slug."""
    slug = f"t-{uuid.uuid4().hex[:12]}"
    assert access.admin_url is not None
    return await demo.ensure_tenant(access.admin_url, slug, slug, org)


async def make_person(db: Database, tenant: Tenant, name: str = "ann") -> Person:
    """A new person of that tenant."""
    email = f"{name}-{uuid.uuid4().hex[:8]}@example.com"
    profile = await demo.ensure_profile(db, tenant, email)
    return Person(tenant=tenant, id=uuid.UUID(profile), email=email)


def service_headers(tenant: Tenant) -> dict[str, str]:
    """Headers of a service of that tenant."""
    token = SteadTokens(SECRET).issue_development(tenant.id, new_id(), None, "service_role", 3600)
    return {"authorization": f"Bearer {token}"}


def service(tenant: Tenant) -> Principal:
    """The tenant's service."""
    return tenant_service(tenant)


async def open_session(client: httpx.AsyncClient, person: Person) -> str:
    """A new session of that person."""
    answer = await client.post(
        "/api/session", json={"orgId": person.tenant.slug}, headers=person.headers
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["sessionId"]
