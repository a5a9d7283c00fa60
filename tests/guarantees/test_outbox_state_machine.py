"""No transition of an envelope is reachable but the legal ones: by the functions of workers, and by direct SQL."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from stead.assembly.database import DatabaseAccess

STATUSES = (
    "proposed",
    "denied",
    "deferred",
    "awaiting_approval",
    "pending",
    "rejected",
    "expired",
    "superseded",
    "cancelled",
    "executing",
    "succeeded",
    "failed",
    "retry_wait",
    "outcome_unknown",
    "dead",
)
ENDED = {
    "denied",
    "rejected",
    "expired",
    "superseded",
    "cancelled",
    "succeeded",
    "failed",
    "dead",
}
#: Written down once more, and independently of the trigger. Nobody approves anything here.
LEGAL = {
    "proposed": {"denied", "deferred", "awaiting_approval", "pending"},
    "deferred": {"denied", "awaiting_approval", "pending", "expired", "superseded", "cancelled"},
    "awaiting_approval": {"denied", "rejected", "expired", "superseded", "cancelled"},
    "pending": {
        "executing",
        "denied",
        "deferred",
        "awaiting_approval",
        "expired",
        "superseded",
        "cancelled",
    },
    "executing": {"succeeded", "failed", "retry_wait", "outcome_unknown", "pending"},
    "retry_wait": {"pending", "dead", "expired", "cancelled"},
    "outcome_unknown": {"succeeded", "retry_wait", "dead"},
    "dead": {"pending", "deferred", "awaiting_approval", "denied"},
    **{status: set[str]() for status in ENDED - {"dead"}},
}
WORKERS = [uuid4() for _ in range(3)]


class Life(RuleBasedStateMachine):
    """One envelope, and what a model of it says."""

    url = ""
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.db: asyncpg.Connection[asyncpg.Record] = self.run(asyncpg.connect(self.url))
        self.status = "proposed"
        self.holder: UUID | None = None
        self.lease = 0
        self.highest = 0
        self.attempts = 0
        self.rescues = 0
        self.due = True

    def run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    def row(self) -> asyncpg.Record:
        return self.run(self.db.fetchrow("select * from public.outbox where id = $1", self.id))

    @initialize(
        status=st.sampled_from(["proposed", "deferred", "awaiting_approval", "pending", "pending"]),
        idempotent=st.booleans(),
    )
    def begin(self, status: str, idempotent: bool) -> None:
        self.status, self.idempotent = status, idempotent
        self.tenant = self.run(
            self.db.fetchval(
                "insert into public.tenants (slug, name) values ($1, 'T') returning id",
                f"t-{uuid4().hex[:12]}",
            )
        )
        self.id = self.run(
            self.db.fetchval(
                "insert into public.outbox (tenant_id, tool_slug, tool_version, tool_digest, provider, risk, "
                "status, idempotent, proposed_by, attempt_limit) "
                "values ($1, 't', '1', 'd', 'local', 'low', $2, $3, 'me', 90) "
                "returning id",
                self.tenant,
                status,
                idempotent,
            )
        )

    def left(self, status: str, *, due: bool = True) -> None:
        """What the model knows of an envelope that nobody holds any more."""
        self.status, self.holder, self.due = status, None, due

    @rule(worker=st.sampled_from(WORKERS))
    def claim(self, worker: UUID) -> None:
        async def both() -> tuple[list[Any], list[Any]]:
            async with self.db.transaction():
                locked = await self.db.fetch(
                    "select id from stead.lock_envelopes(10, 10, '{}', '{}', null, null, null)"
                )
                begun = await self.db.fetch(
                    "select * from stead.begin_envelopes($1, $2)", worker, [row["id"] for row in locked]
                )
            return locked, begun

        locked, begun = self.run(both())
        expected = self.status in {"pending", "retry_wait", "deferred"} and self.due
        assert (len(locked), len(begun)) == (expected, expected)
        if expected:
            self.attempts += 1
            self.status, self.holder, self.lease = "executing", worker, begun[0]["lease_no"]
            assert begun[0]["attempts"] == self.attempts

    @rule(
        worker=st.sampled_from(WORKERS),
        stale=st.booleans(),
        outcome=st.sampled_from(["succeeded", "failed", "retry", "unknown", "dead"]),
    )
    def settle(self, worker: UUID, stale: bool, outcome: str) -> None:
        rows = self.run(
            self.db.fetch(
                "select * from stead.settle_envelopes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                worker,
                [self.id],
                [self.lease - 1 if stale else self.lease],
                [outcome],
                ['{"a": 1}'],
                ["broken"],
                ["code"],
                [3600.0],
                ["p1"],
                [1],
            )
        )
        held = self.status == "executing" and worker == self.holder and not stale
        assert len(rows) == held
        if held:
            became = {"retry": "retry_wait", "unknown": "outcome_unknown"}
            self.left(became.get(outcome, outcome), due=outcome != "retry")

    @rule(status=st.sampled_from(["denied", "deferred", "awaiting_approval", "expired"]))
    def hold(self, status: str) -> None:
        """What the judgement at claim does; of what is not pending nothing."""
        self.run(
            self.db.execute(
                "select stead.hold_envelopes($1, $2, array[now() + interval '1 hour'], '{no}', '{code}')",
                [self.id],
                [status],
            )
        )
        if self.status == "pending":
            self.left(status, due=False)

    @rule(worker=st.sampled_from(WORKERS), known=st.booleans())
    def hand_back(self, worker: UUID, known: bool) -> None:
        back = self.run(
            self.db.fetchval(
                "select stead.hand_back_envelopes($1, $2, -1)", worker, [self.id] if known else []
            )
        )
        expected = self.status == "executing" and worker == self.holder and not known
        assert back == expected
        if expected:
            self.attempts -= 1
            self.left("pending")

    @rule()
    def rescue(self) -> None:
        # None of these workers has ever beaten.
        rows = self.run(self.db.fetch("select * from stead.rescue_envelopes(0, 3, 1000)"))
        expected = self.status == "executing"
        assert (self.id in {row["id"] for row in rows}) == expected
        if not expected:
            return
        self.rescues += 1
        if not self.idempotent:
            self.left("outcome_unknown")
        elif self.rescues >= 3:
            self.left("dead")
        else:
            self.left("retry_wait", due=self.rescues == 1)

    @rule()
    def bury(self) -> None:
        self.run(self.db.execute("select stead.bury_envelopes($1)", [self.id]))
        if self.status in {"retry_wait", "outcome_unknown"}:
            self.left("dead")

    @rule()
    def expire(self) -> None:
        """Its time is over."""
        self.run(
            self.db.execute(
                "update public.outbox set expires_at = now() - interval '1 second' where id = $1",
                self.id,
            )
        )
        self.run(self.db.execute("select stead.expire_envelopes(1000)"))
        if self.status in {"awaiting_approval", "deferred", "pending", "retry_wait"}:
            self.left("expired")
        self.run(self.db.execute("update public.outbox set expires_at = null where id = $1", self.id))

    @rule(wanted=st.sampled_from(STATUSES), noise=st.booleans())
    def write_directly(self, wanted: str, noise: bool) -> None:
        """As somebody with all rights could, also with what else changes in legal steps."""
        if wanted == self.status:
            return

        async def write() -> None:
            await self.db.execute(
                """
                update public.outbox set status = $2, ready = true, next_run_at = now(),
                  worker_id = case when $2 = 'executing' then $3::uuid end,
                  finished_at = case when $4 then now() else finished_at end,
                  updated_at = case when $4 then now() else updated_at end
                where id = $1
                """,
                self.id,
                wanted,
                WORKERS[0],
                noise,
            )

        if wanted in LEGAL[self.status]:
            self.run(write())
            self.left(wanted)
            self.holder = WORKERS[0] if wanted == "executing" else None
        else:
            with pytest.raises(asyncpg.CheckViolationError):
                self.run(write())

    @rule(
        change=st.sampled_from(
            [
                "update public.outbox set version = version - 1 where id = $1",
                "update public.outbox set arguments = '{\"x\": 1}' where id = $1",
                "update public.outbox set tool_slug = 'other' where id = $1",
                "update public.outbox set tool_digest = 'other' where id = $1",
                "update public.outbox set connected_account_id = 'other' where id = $1",
                "update public.outbox set risk = 'medium' where id = $1",
                "update public.outbox set by_agent = not by_agent where id = $1",
                "update public.outbox set proposed_by = 'another' where id = $1",
                "update public.outbox set proposer_id = gen_random_uuid() where id = $1",
                "update public.outbox set id = gen_random_uuid() where id = $1",
                "update public.outbox set tenant_id = gen_random_uuid() where id = $1",
            ]
        )
    )
    def forge(self, change: str) -> None:
        """What it does and whose it is does not change under its version."""
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            self.run(self.db.execute(change, self.id))

    @rule()
    def edit(self) -> None:
        """Before it runs, as another version; then no more."""

        async def write() -> None:
            await self.db.execute(
                "update public.outbox set version = version + 1, arguments = jsonb_build_object('v', version) "
                "where id = $1",
                self.id,
            )

        if self.status in {"proposed", "denied", "deferred", "awaiting_approval", "pending"}:
            before = self.row()["digest"]
            self.run(write())
            assert self.row()["digest"] != before
        else:
            with pytest.raises(asyncpg.CheckViolationError):
                self.run(write())

    @rule(status=st.sampled_from(["executing", "retry_wait", *sorted(ENDED - {"denied"})]))
    def begin_elsewhere(self, status: str) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            self.run(
                self.db.execute(
                    "insert into public.outbox (tenant_id, tool_slug, tool_version, tool_digest, provider, risk, "
                    "status, proposed_by) values ($1, 't', '1', 'd', 'local', 'low', $2, 'me')",
                    self.tenant,
                    status,
                )
            )

    @invariant()
    def is_as_the_model_says(self) -> None:
        if not hasattr(self, "id"):
            return
        row = self.row()
        assert row["status"] == self.status
        assert row["worker_id"] == self.holder
        assert row["attempts"] == self.attempts or self.holder == WORKERS[0]
        assert (row["finished_at"] is not None) == (self.status in ENDED)
        # A lease never comes back.
        assert row["lease_no"] >= self.highest
        self.highest = row["lease_no"]
        self.lease = row["lease_no"]
        letters = self.run(
            self.db.fetchval("select count(*) from public.outbox_dlq where id = $1", self.id)
        )
        assert letters <= 1

    def teardown(self) -> None:
        if hasattr(self, "id"):
            self.run(self.db.execute("delete from public.outbox where id = $1", self.id))
        self.run(self.db.close())


@pytest.mark.timeout(300)
def test_an_envelope_lives_by_its_states(fresh: DatabaseAccess) -> None:
    loop = asyncio.new_event_loop()
    try:
        machine = type("EnvelopeLife", (Life,), {"url": fresh.admin_url, "loop": loop})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=80,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.close()
