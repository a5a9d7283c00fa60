"""``stead token`` and ``stead tenant``: who may ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from stead.assembly import load_settings, secrets
from stead.assembly.errors import DevelopmentOnly
from stead.cli import output
from stead.cli.access import database, opened_database, run
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stead.apps.mentor import Applied, Organisation
    from stead.identity import Tenant

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


@app.command("seed")
def seed(
    organisation: Annotated[
        str,
        typer.Argument(
            help="A folder with organisation.toml, or the name of one that comes with Stead."
        ),
    ],
    copy_to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Only copy the files there, to be changed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Makes a tenant and its agents as files say. Applied again, only what the files say differently is changed.

    Example: stead tenant seed rafael-tatts
    """
    from stead.apps import mentor  # noqa: PLC0415

    path = Path(organisation)
    folder = path if path.is_dir() else mentor.shipped().get(organisation)
    if folder is None:
        raise Invalid(
            f"{organisation!r} is no folder, and does not come with Stead",
            hint=f"There are: {', '.join(mentor.shipped())}.",
        )
    found = mentor.read_organisation(folder)
    if copy_to is not None:
        _copy(folder, copy_to)
        return
    tenant, applied = run(_seed(found))
    if as_json:
        agents = [{"slug": a.slug, "version": a.version, "changed": a.changed} for a in applied]
        output.print_json({"tenant": tenant.slug, "id": str(tenant.id), "agents": agents})
        return
    output.say(f"{tenant.slug}  {tenant.id}")
    for agent in applied:
        output.say(f"{agent.slug}  version {agent.version}{'' if agent.changed else ', as it was'}")


def _copy(folder: Path, to: Path) -> None:
    import shutil  # noqa: PLC0415

    try:
        # Into a new folder only: nothing of anybody's is written over.
        shutil.copytree(folder, to)
    except FileExistsError:
        raise Invalid(f"{to} is there already", hint="Name a folder that is not there yet.") from None
    except OSError as error:
        raise Invalid(f"{to}: {error.strerror}") from error
    output.say(f"{to}")


async def _seed(found: Organisation) -> tuple[Tenant, Sequence[Applied]]:
    from stead.assembly import organisations  # noqa: PLC0415

    async with opened_database() as (_, access, db):
        if access.admin_url is None:
            raise Invalid("this needs the owner's URL", hint="Set STEAD_ADMIN_DATABASE_URL.")
        return await organisations.seed(access.admin_url, db, found)


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
