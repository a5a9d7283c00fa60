"""The shared catalogue beside a tenant's own agents."""

from __future__ import annotations

import asyncpg

from stead.agents import AgentUnknown
from stead.apps.marketplace import Filters, catalogue
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.providers.embedders import EmbedderConfig, build_embedder
from tests.support.people import make_person, make_tenant, service


async def test_an_own_agent_hides_a_shared_one_and_nobody_writes_to_the_shared(
    fresh: DatabaseAccess,
) -> None:
    db = await Database.open(PoolConfig(url=fresh.runtime_url, min_size=1, max_size=4))
    owner = await asyncpg.connect(fresh.admin_url)
    person = await make_person(db, await make_tenant(fresh))
    other = await make_person(db, await make_tenant(fresh))
    await owner.execute(
        """
        insert into public.agents (tenant_id, slug, name, tagline) values
          (null, 'hanna', 'Shared Hanna', 'Hires'), (null, 'berta', 'Shared Berta', 'Hires'),
          ($1, 'hanna', 'Own Hanna', 'Hires')
        """,
        person.tenant.id,
    )
    embedder = build_embedder("static", EmbedderConfig())

    async def names(who: object) -> set[str]:
        async with db.transaction(who.principal.served()) as tx:  # type: ignore[attr-defined]
            principal = who.principal  # type: ignore[attr-defined]
            listed = await catalogue.listing(tx, principal, Filters())
            found = await catalogue.search(tx, principal, "hanna berta", embedder=embedder, vector=None)
            page = await catalogue.found_listing(tx, principal, Filters(), found)
            assert {one.name for one in page.items} == {one.name for one in listed.items}
            detail = await catalogue.get(tx, principal, "hanna")
            assert detail.listing.name in {one.name for one in listed.items}
        return {one.name for one in listed.items}

    assert await names(person) == {"Own Hanna", "Shared Berta"}
    assert await names(other) == {"Shared Hanna", "Shared Berta"}
    refused = 0
    async with db.transaction(service(person.tenant)) as tx:
        for change in (
            catalogue.endorse(tx, service(person.tenant), "berta", author="M", quote="bad", rating=1),
            catalogue.save_listing(
                tx, service(person.tenant), "berta", fields={"industries": []}, tags={}
            ),
        ):
            try:
                await change
            except AgentUnknown:
                refused += 1
    assert refused == 2
    await embedder.aclose()
    await owner.close()
    await db.close()
