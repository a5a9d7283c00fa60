"""``stead token`` and ``stead tenant``: who may ask."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import uuid4

import typer

from stead.assembly import load_settings, secrets
from stead.assembly.errors import DevelopmentOnly
from stead.cli import output
from stead.cli.access import database, run
from stead.core.errors import Invalid

app = typer.Typer(help="Tenants: the organisations that share a database.", no_args_is_help=True)


def token(
    tenant: Annotated[str, typer.Option(help="The tenant's slug.")] = "demo",
    profile: Annotated[str, typer.Option(help="Email address of the person.")] = "you@example.com",
    role: Annotated[str, typer.Option(help="authenticated or service_role.")] = "authenticated",
    hours: Annotated[int, typer.Option(min=1, max=24 * 365, help="How long it is good.")] = 24,
) -> None:
    """Prints a development token. Refused in production.

    Example: curl -H "Authorization: Bearer $(stead token --profile ann@example.com)" …
    """
    if role not in {"authenticated", "service_role"}:
        raise Invalid(f"no role is called {role!r}", hint="authenticated or service_role")
    as_role: Literal["authenticated", "service_role"] = (
        "service_role" if role == "service_role" else "authenticated"
    )
    output.say(run(development_token(tenant, profile, as_role, hours * 3600)))


async def development_token(
    slug: str, email: str, role: Literal["authenticated", "service_role"], ttl_s: int
) -> str:
    """A token of this home's secret for a person of a tenant, who is made if need be."""
    from stead.assembly import demo  # noqa: PLC0415
    from stead.db import NOBODY, Database, PoolConfig  # noqa: PLC0415
    from stead.identity import tenants  # noqa: PLC0415
    from stead.identity.jwt import SteadTokens  # noqa: PLC0415

    settings = load_settings()
    if settings.is_production:
        raise DevelopmentOnly(
            "stead token is for development", hint="Use your identity provider, or an API key."
        )
    async with database(settings) as access:
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=2))
        try:
            async with db.transaction(NOBODY) as tx:
                tenant = await tenants.find(tx, slug)
            profile = (
                await demo.ensure_profile(db, tenant, email) if role == "authenticated" else str(uuid4())
            )
        finally:
            await db.close()
    return SteadTokens(secrets.jwt_secret(settings)).issue_development(
        str(tenant.id), profile, email, role, ttl_s
    )


@app.command("add")
def add(
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    name: Annotated[str | None, typer.Option(help="What people read.")] = None,
    org: Annotated[str | None, typer.Option(help="Its Clerk organisation id (org_…).")] = None,
) -> None:
    """Makes a tenant; one that is there stays as it is.

    Example: stead tenant add acme --name "Acme Inc."
    """
    run(_add(slug, name or slug, org))


async def _add(slug: str, name: str, org: str | None) -> None:
    import asyncpg  # noqa: PLC0415

    from stead.assembly import demo  # noqa: PLC0415

    async with database(load_settings()) as access:
        if access.admin_url is None:
            raise Invalid("this needs the owner's URL", hint="Set STEAD_ADMIN_DATABASE_URL.")
        try:
            tenant = await demo.ensure_tenant(access.admin_url, slug, name, org)
        except asyncpg.CheckViolationError as error:
            raise Invalid(
                f"{slug!r} is no slug", hint="Lower-case letters, digits and hyphens."
            ) from error
        except asyncpg.UniqueViolationError as error:
            raise Invalid(f"another tenant has the organisation {org!r}") from error
    output.say(f"{tenant.slug}  {tenant.id}")
