"""A backend that is terminated during COMMIT: a client that sends again with its key gets one envelope."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from stead import actions
from stead.actions import Proposal, Proposed
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST
from tests.guarantees.acts import Works

KEYS = int(os.environ.get("GUARANTEE_COMMITS", "24"))
SEED = 20261121
#: A COMMIT that waits before it is written, and one that is written and waits before it is answered.
WAITING = {"before": "advisory", "after": "SyncRep"}


@asynccontextmanager
async def commits_that_wait(works: Works) -> AsyncIterator[None]:
    """Lets COMMITs of this database wait: those with a lock that the test holds, and those for a standby."""
    await works.admin.execute("set synchronous_commit = off")
    await works.admin.execute(
        """
        create function public.wait_in_commit() returns trigger language plpgsql as $$
        begin
          perform pg_advisory_xact_lock_shared(815);
          return null;
        end $$;
        create constraint trigger wait_in_commit after insert on public.outbox
          deferrable initially deferred for each row when (new.arguments ->> 'order' like 'before%')
          execute function public.wait_in_commit();
        """
    )
    # No such standby: who waits for one has its transaction on disk.
    await works.admin.execute("alter system set synchronous_standby_names = 'nobody'")
    await works.admin.execute("select pg_reload_conf()")
    await works.until("select current_setting('synchronous_standby_names') = 'nobody'")
    await works.admin.execute("select pg_advisory_lock(815)")
    try:
        yield
    finally:
        await works.admin.execute("select pg_advisory_unlock(815)")
        await works.admin.execute("alter system reset synchronous_standby_names")
        await works.admin.execute("select pg_reload_conf()")
        await works.until("select current_setting('synchronous_standby_names') = ''")


async def terminate(works: Works, waiting: str) -> None:
    """Ends the backend whose COMMIT waits."""
    async with asyncio.timeout(60):
        while not await works.admin.fetchval(  # noqa: ASYNC110 - of another process
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() "
            "and wait_event = $1 and pid <> pg_backend_pid() limit 1",
            waiting,
        ):
            await asyncio.sleep(0.01)


@pytest.mark.timeout(300)
async def test_one_envelope_a_key_whatever_becomes_of_the_commit(acting: Works) -> None:
    chance = random.Random(SEED)
    got: dict[str, UUID] = {}
    lost = {"before": 0, "after": 0}

    async def send(key: str, order: str, *, waits: bool) -> UUID:
        # A login that waits for the standby, and one that does not.
        proposal = Proposal(tool="send", arguments={"order": order}, external_id=key)
        async with acting.db.transaction(acting.service) as tx:
            if waits:
                await tx.execute("select set_config('synchronous_commit', 'on', true)")
            proposed = await actions.propose(tx, acting.service, proposal)
        assert isinstance(proposed, Proposed)
        return proposed.envelope.id

    async with commits_that_wait(acting):
        for number in range(KEYS):
            when = chance.choice(["before", "after"])
            key, order = f"k{number}", f"{when}{number}"
            sending = asyncio.create_task(send(key, order, waits=when == "after"))
            await terminate(acting, WAITING[when])
            with pytest.raises((SteadError, asyncpg.PostgresError, *CONNECTION_LOST)):
                await sending
            lost[when] += 1
            there = await acting.admin.fetchval(
                "select id from public.outbox where external_id = $1", key
            )
            assert (there is not None) == (when == "after")
            if when == "before":
                await acting.admin.execute("select pg_advisory_unlock(815)")
            got[key] = await send(key, order, waits=False)
            if when == "before":
                await acting.admin.execute("select pg_advisory_lock(815)")
            # And once more, as a client does that is in doubt.
            assert await send(key, order, waits=False) == got[key]
            assert there in {None, got[key]}
    assert min(lost.values()) > 0
    worker = await acting.worker().start()
    try:
        await acting.all_still()
    finally:
        assert await worker.stop() == 0
    rows = await acting.admin.fetch("select external_id, id, status from public.outbox")
    assert {row["external_id"]: row["id"] for row in rows} == got
    assert len(rows) == KEYS
    assert [acting.done(envelope_id) for envelope_id in got.values()] == [1] * KEYS
    await acting.check()
