"""No transition of a job is reachable but the legal ones: by the functions of workers, and by direct SQL."""

from __future__ import annotations

import asyncio
import json
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

STATUSES = ("queued", "running", "waiting_for_input", "completed", "failed", "cancelled")
TERMINAL = {"completed", "failed", "cancelled"}
#: Written down once more, and independently of the trigger.
LEGAL = {
    "queued": {"running", "cancelled", "failed"},
    "running": {"queued", "waiting_for_input", "completed", "failed", "cancelled"},
    "waiting_for_input": {"queued", "running", "cancelled", "failed"},
    "completed": set(),
    "failed": {"queued"},
    "cancelled": {"queued"},
}
WORKERS = [uuid4() for _ in range(3)]


class Life(RuleBasedStateMachine):
    """One job, and what a model of it says."""

    url = ""
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.db: asyncpg.Connection[asyncpg.Record] = self.run(asyncpg.connect(self.url))
        self.status = "queued"
        self.holder: UUID | None = None
        self.lease = 0
        self.highest = 0
        self.attempts = 0
        self.rescues = 0
        self.resuming = False
        self.due = True

    def run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)

    def row(self) -> asyncpg.Record:
        return self.run(self.db.fetchrow("select * from public.agent_jobs where id = $1", self.id))

    @initialize()
    def begin(self) -> None:
        self.tenant = self.run(
            self.db.fetchval(
                "insert into public.tenants (slug, name) values ($1, 'T') returning id",
                f"t-{uuid4().hex[:12]}",
            )
        )
        self.queue = f"q{uuid4().hex[:8]}"
        self.id = self.run(
            self.db.fetchval(
                "insert into public.agent_jobs (tenant_id, agent_type, queue) values ($1, 'k', $2) returning id",
                self.tenant,
                self.queue,
            )
        )
        self.run(self.db.execute("select set_config('stead.tenant', $1, false)", str(self.tenant)))

    def left(self, status: str, *, due: bool = True, resuming: bool = False) -> None:
        """What the model knows of a job that nobody holds any more."""
        self.status, self.holder, self.due, self.resuming = status, None, due, resuming

    @rule(worker=st.sampled_from(WORKERS))
    def claim(self, worker: UUID) -> None:
        rows = self.run(
            self.db.fetch("select * from stead.claim_jobs($1, $2, null, 10, null)", worker, self.queue)
        )
        expected = self.status == "queued" and self.due
        assert len(rows) == expected
        if expected:
            self.attempts += 0 if self.resuming else 1
            self.status, self.holder, self.lease = "running", worker, rows[0]["lease_no"]
            self.resuming = False
            assert rows[0]["attempt"] == self.attempts

    @rule(
        worker=st.sampled_from(WORKERS),
        stale=st.booleans(),
        outcome=st.sampled_from(
            ["completed", "failed", "retry", "waiting", "sleeping", "awaiting", "released"]
        ),
    )
    def settle(self, worker: UUID, stale: bool, outcome: str) -> None:
        rows = self.run(
            self.db.fetch(
                "select * from stead.settle_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                worker,
                [self.id],
                [self.lease - 1 if stale else self.lease],
                [outcome],
                [json.dumps([1, [2]])],
                ["broken"],
                ["code"],
                [3600.0],
                [self.run(self.db.fetchval("select now() + interval '1 hour'"))],
                # It waits for itself: that never ends.
                [json.dumps([str(self.id)])],
                [json.dumps([{"id": "q", "question": "?"}]) if outcome == "waiting" else None],
                ["ask" if outcome == "waiting" else None],
            )
        )
        held = self.status == "running" and worker == self.holder and not stale
        assert len(rows) == held
        if held:
            ended = {"completed": "completed", "failed": "failed", "waiting": "waiting_for_input"}
            self.left(
                ended.get(outcome, "queued"),
                due=outcome in {"released", "waiting"},
                resuming=outcome in {"waiting", "sleeping", "awaiting", "released"},
            )

    @rule(worker=st.sampled_from(WORKERS), stale=st.booleans(), percent=st.floats(0, 100))
    def report(self, worker: UUID, stale: bool, percent: float) -> None:
        lease = self.lease - 1 if stale else self.lease
        lost = self.run(
            self.db.fetch(
                "select * from stead.report_jobs($1, $2, $3, $4, $5)",
                worker,
                [self.id],
                [lease],
                [percent],
                [None],
            )
        )
        held = self.status == "running" and worker == self.holder and not stale
        assert bool(lost) == (not held)
        if held:
            assert self.row()["progress"] == percent

    @rule(worker=st.sampled_from(WORKERS), stale=st.booleans())
    def checkpoint(self, worker: UUID, stale: bool) -> None:
        lease = self.lease - 1 if stale else self.lease
        stored = self.run(
            self.db.fetchval(
                "select stead.checkpoint_job($1, $2, $3, $4, 'step', 1, '1', 1)",
                worker,
                self.id,
                lease,
                f"s{uuid4()}",
            )
        )
        assert stored == (self.status == "running" and worker == self.holder and not stale)

    @rule()
    def cancel(self) -> None:
        rows = self.run(self.db.fetch("select * from stead.cancel_jobs($1)", self.id))
        expected = self.status not in TERMINAL
        assert len(rows) == expected
        if expected:
            self.left("cancelled", due=self.due, resuming=self.resuming)

    @rule()
    def rescue(self) -> None:
        # None of these workers has ever beaten.
        rows = self.run(self.db.fetch("select * from stead.rescue_jobs(0, 3, false, 1000)"))
        expected = self.status == "running"
        assert (self.id in {row["id"] for row in rows}) == expected
        if expected:
            self.rescues += 1
            self.left("failed" if self.rescues >= 3 else "queued", resuming=True)

    @rule(wanted=st.sampled_from(STATUSES))
    def write_directly(self, wanted: str) -> None:
        """As somebody with all rights could."""
        if wanted == self.status:
            return

        async def write() -> None:
            await self.db.execute(
                """
                update public.agent_jobs set status = $2, ready = true, run_at = now(),
                  questions = case when $2 = 'waiting_for_input' then '[]'::jsonb end,
                  worker_id = case when $2 = 'running' then $3::uuid end
                where id = $1
                """,
                self.id,
                wanted,
                WORKERS[0],
            )

        if wanted in LEGAL[self.status]:
            self.run(write())
            self.status = wanted
            self.holder = WORKERS[0] if wanted == "running" else None
            self.due = True
        else:
            with pytest.raises(asyncpg.CheckViolationError):
                self.run(write())

    @rule(status=st.sampled_from(STATUSES[1:]))
    def begin_elsewhere(self, status: str) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            self.run(
                self.db.execute(
                    "insert into public.agent_jobs (tenant_id, agent_type, status) values ($1, 'k', $2)",
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
        assert row["attempts"] == self.attempts
        assert (row["completed_at"] is not None) == (self.status in TERMINAL)
        assert row["started_at"] is not None or self.status in {"queued", "cancelled", "failed"}
        assert (row["questions"] is not None) == (self.status == "waiting_for_input")
        # A lease never comes back.
        assert row["lease_no"] >= self.highest
        self.highest = row["lease_no"]

    def teardown(self) -> None:
        if hasattr(self, "id"):
            self.run(self.db.execute("delete from public.agent_jobs where id = $1", self.id))
        self.run(self.db.close())


@pytest.mark.timeout(300)
def test_a_job_lives_by_its_states(access: DatabaseAccess) -> None:
    loop = asyncio.new_event_loop()
    try:
        machine = type("JobLife", (Life,), {"url": access.admin_url, "loop": loop})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.close()
