"""Two workers and ten thousand actions of many tenants: each is done once, and none of whoever forbids it."""

from __future__ import annotations

import os
from uuid import UUID

import pytest

from stead import outbox
from stead.core.ids import new_id
from stead.identity import tenant_service
from stead.outbox import NewEnvelope
from stead.tools import ToolSpec
from tests.guarantees.acts import Works
from tests.support.acting_app import app

ACTIONS = int(os.environ.get("GUARANTEE_ACTIONS", "10000"))
TENANTS = 40
#: Of these tenants nothing may run.
KILLED = 4


@pytest.mark.timeout(300)
async def test_ten_thousand_actions_are_done_once_each_over_two_workers(acting: Works) -> None:
    spec: ToolSpec = next(spec for spec in app.tools.specs if spec.slug == "send")
    allowed, forbidden = set[UUID](), set[UUID]()
    for number in range(TENANTS):
        killed = number < KILLED
        tenant = await acting.add_tenant(kill_switch={"all": killed})
        service = tenant_service(tenant)
        new = [
            NewEnvelope(
                id=new_id(),
                tool=spec.slug,
                version=spec.version,
                tool_digest=spec.digest,
                provider=spec.provider,
                arguments={"order": f"o{n}"},
                risk="medium",
                status="pending",
                proposed_by=service.key,
                # Some must not run side by side.
                order_key=f"k{n % 7}" if number % 10 == 5 else None,
            )
            for n in range(ACTIONS // TENANTS)
        ]
        async with acting.db.transaction(service) as tx:
            ids = await outbox.insert_many(tx, service, new)
        (forbidden if killed else allowed).update(ids)
    workers = [await acting.worker().start() for _ in range(2)]
    try:
        await acting.all_still(240)
    finally:
        codes = [await worker.stop() for worker in workers]

    assert codes == [0, 0]
    left = acting.lines()
    assert set(left) == allowed
    assert {len([line for line in lines if line.what == "effect"]) for lines in left.values()} == {1}
    assert len({line.pid for lines in left.values() for line in lines}) == 2
    rows = await acting.admin.fetch(
        "select status, attempts, lease_no, rescues, count(*) from public.outbox group by 1, 2, 3, 4 order by 1"
    )
    assert [tuple(row) for row in rows] == [
        ("denied", 0, 0, 0, len(forbidden)),
        ("succeeded", 1, 1, 0, len(allowed)),
    ]
    assert await acting.admin.fetchval(
        "select count(*) from public.outbox_attempts where outcome = 'succeeded'"
    ) == len(allowed)
    # In the order in which they were proposed, where one was asked for.
    keyed = await acting.admin.fetch(
        "select id, tenant_id, lock_key from public.outbox "
        "where order_key is not null and status = 'succeeded' order by id"
    )
    place = {envelope_id: number for number, envelope_id in enumerate(left)}
    last: dict[tuple[UUID, str], int] = {}
    for row in keyed:
        line = row["tenant_id"], row["lock_key"]
        assert place[row["id"]] > last.get(line, -1)
        last[line] = place[row["id"]]
    assert len(last) > 7
    await acting.check_audit()
