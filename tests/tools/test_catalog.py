"""What a slug means for a tenant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stead.db import Database
from stead.identity import Tenant
from stead.tools import (
    ToolInCode,
    ToolInvalid,
    ToolRegistry,
    ToolSpec,
    ToolUnknown,
    catalog,
    with_digest,
)
from tests.support.people import service
from tests.tools.calls import tool


async def give_back(order_id: str, amount: float) -> None:
    """Refunds an order."""


async def _registered(db: Database, name: str, **fields: object) -> ToolSpec:
    registry = ToolRegistry()
    registry.add(give_back, name=name, **fields)  # type: ignore[arg-type]
    await registry.register(db)
    return registry.specs[0]


async def test_a_tool_of_code_is_every_tenants(
    db: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    name = f"code-{tenant.slug}"
    spec = await _registered(db, name, risk="high", amount="amount")
    for each in (tenant, other_tenant):
        async with db.transaction(service(each), read_only=True) as tx:
            entry = await catalog.look_up(tx, service(each), name)
            assert entry is not None
            assert (entry.spec, entry.shared, entry.status) == (spec, True, "active")
    # Nobody takes its name.
    async with db.transaction(service(tenant)) as tx:
        with pytest.raises(ToolInCode):
            await catalog.put(tx, service(tenant), tool(name))
        with pytest.raises(ToolInCode):
            await catalog.retire(tx, service(tenant), name)
    await _registered(db, name, version="2")
    async with db.transaction(service(tenant), read_only=True) as tx:
        assert (await catalog.find(tx, service(tenant), name)).version == "2"
        assert await catalog.find(tx, service(tenant), name, "1") == spec


async def test_a_tenants_own_tool(db: Database, tenant: Tenant, other_tenant: Tenant) -> None:
    me, wanted = (
        service(tenant),
        tool("ship", config={"url": "https://a.example/"}, required_scopes=("a",)),
    )
    async with db.transaction(me) as tx:
        made = await catalog.put(tx, me, wanted)
        assert (made.spec, made.shared, made.current) == (wanted, False, True)
        assert await catalog.put(tx, me, wanted) == made
        changed = await catalog.put(tx, me, replace(wanted, risk="high", digest="forged"))
        assert changed.spec == with_digest(replace(wanted, risk="high"))
        await catalog.put(tx, me, replace(wanted, version="2"))
        assert (await catalog.find(tx, me, "ship")).version == "2"
        assert (await catalog.find(tx, me, "ship", "1")).risk == "high"
        assert [entry.spec.slug for entry in await catalog.listing(tx, me, provider="http")] == ["ship"]
    async with db.transaction(service(other_tenant)) as tx:
        with pytest.raises(ToolUnknown):
            await catalog.find(tx, service(other_tenant), "ship")
        with pytest.raises(ToolUnknown):
            await catalog.retire(tx, service(other_tenant), "ship")
    async with db.transaction(me) as tx:
        await catalog.retire(tx, me, "ship")
        with pytest.raises(ToolUnknown):
            await catalog.find(tx, me, "ship")
        with pytest.raises(ToolUnknown):
            await catalog.retire(tx, me, "ship")
        await catalog.put(tx, me, wanted)
        assert (await catalog.find(tx, me, "ship")).version == "1"


async def test_near_names_are_told(db: Database, tenant: Tenant, other_tenant: Tenant) -> None:
    async with db.transaction(service(other_tenant)) as tx:
        await catalog.put(tx, service(other_tenant), tool("shop.give_back-theirs"))
    me = service(tenant)
    async with db.transaction(me) as tx:
        await catalog.put(tx, me, tool("shop.give_back"))
        for wrong in ("shop.give_bck", "give_back", "Shop.Give_back"):
            with pytest.raises(ToolUnknown) as raised:
                await catalog.find(tx, me, wrong)
            assert raised.value.hint == "There is shop.give_back."


@pytest.mark.parametrize(
    "spec",
    [
        tool("no slug"),
        tool("x", version="a b"),
        tool("x", risk="none"),
        tool("x", display_name=""),
        tool("x", description="\x00"),
        tool("x", timeout_s=0.0),
        tool("x", required_scopes=("a b",)),
        tool("x", amount_argument="none"),
        tool("x", config={"a": "x" * 40_000}),
        tool("x", schema={"type": "object", "title": "\ud800"}),
    ],
    ids=lambda spec: spec.slug,
)
async def test_what_is_no_tool(db: Database, tenant: Tenant, spec: ToolSpec) -> None:
    async with db.transaction(service(tenant)) as tx:
        with pytest.raises(ToolInvalid):
            await catalog.put(tx, service(tenant), spec)
