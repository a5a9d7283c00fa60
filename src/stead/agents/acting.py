"""Governed calls of a run: proposed as actions, never run here; waited for, or left to be waited for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from stead import actions, outbox, tools
from stead.actions import Proposal, Proposer, Refusal
from stead.agents import queries
from stead.agents.models import CallOutcome, GovernedTool, WaitingCall
from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, Database, Row, Transaction
from stead.db.errors import DatabaseUnavailable
from stead.identity import Principal, tenant_service
from stead.realtime import Hub
from stead.tools.accounts import accounts

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN_S: Final = 1.0
_TRIES: Final = 3
_MAX_NAME: Final = 64
_MAX_KEY: Final = 255
#: From these an envelope moves on by itself, and soon. Elsewhere people, or the clock, are waited for.
_UNDER_WAY: Final = frozenset({"pending", "executing", "retry_wait"})
_REJECTED: Final = {
    "rejected": "A person rejected this. It was not done.",
    "expired": "Nobody approved this in time. It was not done.",
    "cancelled": "This was withdrawn. It was not done.",
    "superseded": "This was replaced by another action. It was not done.",
}


def topic_of_envelope(envelope_id: UUID) -> str:
    """The topic that is notified when an envelope of a run changes. The same name stands in the database."""
    return f"envelope:{envelope_id}"


def model_name(slug: str) -> str:
    """A slug as models take names of functions: 64 letters, digits, ``_`` and ``-``."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", slug)
    if name == slug and len(name) <= _MAX_NAME:
        return name
    # Two slugs must not become one name.
    return f"{name[: _MAX_NAME - 9]}_{hashlib.sha256(slug.encode()).hexdigest()[:8]}"


async def governed_tools(
    tx: Transaction, principal: Principal, slugs: Sequence[str]
) -> list[GovernedTool]:
    """Those of an agent's tools that the catalogue has, in one statement.

    Args:
        tx: A transaction as the server.
        principal: In whose tenant.
        slugs: What the agent names.
    """
    if not slugs:
        return []
    found = {spec.slug: spec for spec in await tools.catalog.find_many(tx, principal, slugs)}
    if missing := [slug for slug in slugs if slug not in found]:
        _log.warning("agent_tools_missing", tools=missing[:20])
    return [
        GovernedTool(name=model_name(slug), spec=found[slug])
        for slug in dict.fromkeys(slugs)
        if slug in found
    ]


def key_of(run_id: UUID, call_id: str) -> str:
    """The idempotency key of a call: the same however often the call is looked at."""
    key = f"run:{run_id}:{call_id}"
    if len(key) <= _MAX_KEY and key.isprintable() and key.isascii():
        return key
    return f"run:{run_id}:sha256:{hashlib.sha256(call_id.encode('utf-8', 'replace')).hexdigest()}"


async def read_outcomes(
    tx: Transaction, principal: Principal, envelope_ids: Sequence[UUID]
) -> dict[UUID, Row]:
    """Envelopes as they stand, with result and approval.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        envelope_ids: Which.
    """
    rows = await queries.call_outcomes(tx, principal.tenant.id, envelope_ids)
    return {row["id"]: row for row in rows}


def outcome_of(row: Row | None, given: dict[str, Any]) -> CallOutcome | None:
    """What an envelope came to; None while it has not ended.

    Args:
        row: Of `read_outcomes`; None: it was forgotten.
        given: The arguments as the model gave them.
    """
    if row is None:
        return CallOutcome(kind="failed", value="This is not known any more.")
    status, asked, said = row["status"], row["approval_id"], row["last_error"]
    if status not in outbox.ENDED:
        return None
    if status == "succeeded":
        result = row["result"]
        if row["arguments"] != given:
            result = {
                "note": "A person changed the arguments before it was done.",
                "arguments": row["arguments"],
                "result": result,
            }
        return CallOutcome(kind="succeeded", value=result, approval_id=asked)
    if status in _REJECTED:
        text = f"{_REJECTED[status]} Reason: {said}" if said else _REJECTED[status]
        return CallOutcome(kind="rejected", value=text, approval_id=asked)
    word = "This is not allowed" if status == "denied" else "This failed"
    text = f"{word}: {said or row['error_code'] or 'no reason was given'}"
    return CallOutcome(kind="failed", value=text, approval_id=asked)


def as_text(value: Any) -> str:
    """What a tool returned, as a model reads it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class RunActions:
    """Implements `stead.agents.models.Actions` for one run.

    Args:
        db: The database.
        hub: Wakes this when an envelope changes.
        principal: The tenant's service: it proposes for the agent.
        proposer: The agent, its run and for whom it works.
        run_id: The run.
        patience_s: How long what is under way is waited for within the run.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        principal: Principal,
        proposer: Proposer,
        run_id: UUID,
        patience_s: float,
    ) -> None:
        self.outcomes: dict[str, CallOutcome] = {}
        self.waiting: dict[str, WaitingCall] = {}
        self._db = db
        self._hub = hub
        self._service = tenant_service(principal.tenant)
        self._proposer = proposer
        self._run_id = run_id
        self._patience_s = patience_s
        self._asked: dict[str, asyncio.Lock] = {}

    async def must_wait(self, tool: GovernedTool, call_id: str, arguments: dict[str, Any]) -> bool:
        """See `stead.agents.models.Actions`."""
        # The engine may ask more than once, and twice at a time.
        async with self._asked.setdefault(call_id, asyncio.Lock()):
            if call_id not in self.outcomes and call_id not in self.waiting:
                await self._call(tool, call_id, arguments)
        return call_id in self.waiting

    async def _call(self, tool: GovernedTool, call_id: str, arguments: dict[str, Any]) -> None:
        proposed = await self._propose(tool, call_id, arguments)
        if isinstance(proposed, CallOutcome):
            self.outcomes[call_id] = proposed
            return
        row = await self._settled(proposed)
        outcome = outcome_of(row, arguments)
        if outcome is not None:
            self.outcomes[call_id] = outcome
            return
        asks = row is not None and row["status"] == "awaiting_approval"
        self.waiting[call_id] = WaitingCall(
            call_id=call_id,
            name=tool.name,
            input=arguments,
            envelope_id=proposed,
            approval_id=row["approval_id"] if row is not None and asks else None,
        )

    async def _propose(
        self, tool: GovernedTool, call_id: str, arguments: dict[str, Any]
    ) -> UUID | CallOutcome:
        proposal = Proposal(
            tool=tool.spec.slug,
            version=tool.spec.version,
            arguments=arguments,
            external_id=key_of(self._run_id, call_id),
        )
        whose = self._proposer.profile_id
        for attempt in range(_TRIES):
            try:
                async with self._db.transaction(self._service) as tx:
                    if tool.spec.needs_account:
                        account = await accounts.for_tool(tx, self._service, tool.spec, whose)
                        proposal = replace(proposal, account_id=account)
                    proposed = await actions.propose(tx, self._service, proposal, agent=self._proposer)
            except (DatabaseUnavailable, *CONNECTION_LOST) as error:
                # It may have been stored all the same: the key finds it.
                _log.warning(
                    "proposal_not_stored",
                    run_id=str(self._run_id),
                    attempt=attempt,
                    reason=type(error).__name__,
                )
                if attempt + 1 == _TRIES:
                    raise
                await asyncio.sleep(0.2 * 2**attempt)
                continue
            except SteadError as error:
                return CallOutcome(kind="failed", value=f"This was not done: {error.detail}")
            if isinstance(proposed, Refusal):
                said = "; ".join(problem.says for problem in proposed.problems)[:2000]
                return CallOutcome(kind="failed", value=f"This was refused and not done: {said}")
            return proposed.envelope.id
        raise AssertionError("unreachable")

    async def _settled(self, envelope_id: UUID) -> Row | None:
        """The envelope when it has ended, waits for somebody, or has taken too long."""
        until = time.monotonic() + self._patience_s
        with self._hub.subscribe(topic_of_envelope(envelope_id)) as changes:
            while True:
                try:
                    async with self._db.transaction(self._service, read_only=True) as tx:
                        found = await read_outcomes(tx, self._service, [envelope_id])
                except (DatabaseUnavailable, asyncpg.PostgresError, *CONNECTION_LOST):
                    if time.monotonic() >= until:
                        raise
                else:
                    row = found.get(envelope_id)
                    if row is None or row["status"] not in _UNDER_WAY or time.monotonic() >= until:
                        return row
                await changes.wait(min(_LOOK_AGAIN_S, max(0.01, until - time.monotonic())))
