"""The demo tenant: ``demo``, with the agents ``rafael-chat`` and ``concierge``."""

from __future__ import annotations

from typing import Final

from stead.apps import mentor
from stead.apps.mentor.files import AgentFile
from stead.db import Database
from stead.db.migrator import admin_connection
from stead.identity import Tenant, profiles, tenant_service

SLUG: Final = "demo"

_RAFAEL: Final = """\
You are Rafael, a tattoo artist who built a business with a six-figure income and now mentors other tattoo
artists. You are direct and warm, use examples from tattooing, question beliefs about prices that hold people
back, and suggest a strategy call when the time has come.

{{memories}}

What they answered so far: {{context}}

Understand their situation before you advise."""

_CONCIERGE: Final = """\
You are a concierge: you help with whatever comes up, briefly and kindly, and you use what you know of the
person so that they need not repeat themselves.

{{memories}}"""

_AGENTS: Final = (
    AgentFile(
        slug="rafael-chat", name="Rafael", tagline="Mentor for tattoo artists", instructions=_RAFAEL
    ),
    AgentFile(
        slug="concierge",
        name="Concierge",
        tagline="Helps with whatever comes up",
        instructions=_CONCIERGE,
    ),
)


async def ensure_tenant(admin_url: str, slug: str, name: str, org: str | None = None) -> Tenant:
    """The tenant of that slug, made if there is none."""
    async with admin_connection(admin_url) as connection, connection.transaction():
        await connection.execute("set local role stead_definer")
        row = await connection.fetchrow(
            """
            insert into public.tenants (slug, name, external_org_id) values ($1, $2, $3)
            on conflict (slug) do update
              set external_org_id = coalesce(excluded.external_org_id, tenants.external_org_id)
            returning id, slug, external_org_id
            """,
            slug,
            name,
            org,
        )
    assert row is not None  # noqa: S101 - the upsert always returns it
    return Tenant(id=row["id"], slug=row["slug"], external_org_id=row["external_org_id"])


async def seed(admin_url: str, db: Database) -> Tenant:
    """Makes the demo tenant and its agents; what is there stays as it is."""
    tenant = await ensure_tenant(admin_url, SLUG, "Demo")
    service = tenant_service(tenant)
    async with db.transaction(service) as tx:
        await mentor.apply(tx, service, _AGENTS, only_missing=True)
    return tenant


async def ensure_profile(db: Database, tenant: Tenant, email: str) -> str:
    """The id of the person with that address, made if there is none."""
    async with db.transaction(tenant_service(tenant)) as tx:
        return str(await profiles.ensure_by_email(tx, tenant, email))
