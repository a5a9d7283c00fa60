"""Envelopes as values, and what the outbox asks of whoever uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from stead.db import Transaction

EnvelopeStatus = Literal[
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
]
#: From these nothing more happens; `dead` only by hand.
ENDED: frozenset[str] = frozenset(
    {
        "denied",
        "rejected",
        "expired",
        "superseded",
        "cancelled",
        "succeeded",
        "failed",
        "dead",
    }
)
ResultKind = Literal["succeeded", "retryable", "permanent", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEnvelope:
    """An action to be stored, judged already.

    Args:
        tool: Slug in the catalogue.
        version: Of the tool.
        tool_digest: Of its entry in the catalogue: if that changes, the envelope does not run.
        provider: Who carries it out.
        arguments: What the tool is called with; JSON.
        risk: Tier.
        status: What its judgement came to.
        not_before: When it may run, at the earliest.
        account_id: 001's ``connected_account_id``.
        external_id: The caller's idempotency key: one envelope a tenant and key.
        order_key: Envelopes with one key run one after the other, in the order in which they were proposed.
        idempotent: Whether the provider promises that two calls with one key have one effect.
        attempt_limit: How often it is tried.
        proposed_by: Key of the principal.
        proposer_id: The person, or the person for whom an agent proposes.
        by_agent: Whether an agent proposes.
        evidence: Ids of evidence that goes with it.
        expires_at: After this it does not run any more.
    """

    id: UUID
    tool: str
    version: str
    tool_digest: str
    provider: str
    arguments: Mapping[str, Any]
    risk: str
    status: EnvelopeStatus
    proposed_by: str
    not_before: datetime | None = None
    account_id: str | None = None
    external_id: str | None = None
    order_key: str | None = None
    idempotent: bool = False
    attempt_limit: int = 5
    proposer_id: UUID | None = None
    by_agent: bool = False
    run_id: UUID | None = None
    session_id: UUID | None = None
    evidence: Sequence[UUID] = ()
    trust_context: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expires_at: datetime | None = None
    last_error: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An action as it stands.

    Args:
        digest: SHA-256 over exactly what will run; what an approval binds.
        version: Edits count up.
        attempts: How many attempts were begun.
        next_run_at: When it is looked at next, while it waits.
    """

    id: UUID
    tenant_id: UUID
    tool_slug: str
    tool_version: str
    tool_digest: str
    provider: str
    arguments: dict[str, Any]
    connected_account_id: str | None
    risk: str
    external_id: str | None
    trust_context: dict[str, Any]
    metadata: dict[str, Any]
    status: EnvelopeStatus
    attempts: int
    attempt_limit: int
    next_run_at: datetime
    last_error: str | None
    error_code: str | None
    order_key: str | None
    version: int
    digest: bytes
    idempotent: bool
    redrives: int
    proposed_by: str
    proposer_id: UUID | None
    by_agent: bool
    run_id: UUID | None
    session_id: UUID | None
    evidence: list[UUID]
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call that may have been made.

    Args:
        outcome: None: it is under way, or its process ended without a word.
    """

    lease_no: int
    attempt: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    result: Any
    error: str | None
    error_code: str | None
    provider_id: str | None
    duration_ms: int | None


@dataclass(kw_only=True, slots=True)
class Claimed:
    """An envelope in the hands of a worker. Not frozen: when its attempt begins it is counted up in place.

    Args:
        lease_no: Goes with every write; an older one writes nothing. Before the attempt begins: the one before.
        attempt: From 1; before the attempt begins: the one before.
        expired: Whether its time had passed when it was locked.
    """

    id: UUID
    tenant_id: UUID
    tenant_slug: str
    tool_slug: str
    tool_version: str
    tool_digest: str
    provider: str
    arguments: dict[str, Any]
    account_id: str | None
    risk: str
    attempt: int
    attempt_limit: int
    idempotent: bool
    lease_no: int
    trust_context: dict[str, Any]
    proposed_by: str
    evidence_count: int
    expired: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """What becomes of an envelope that was locked for a worker.

    Args:
        status: ``executing``: it runs now; else what it becomes.
        until: For ``deferred``: when it is judged anew.
        reason: Why it does not run, for a person.
        code: A stable code of it.
        backoff_s: Seconds before the second attempt, if the first is to be repeated.
    """

    status: Literal["executing", "denied", "deferred", "awaiting_approval", "expired"]
    until: datetime | None = None
    reason: str | None = None
    code: str | None = None
    backoff_s: float = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What an attempt came to.

    Args:
        kind: ``retryable`` and ``permanent``: it surely had no effect. ``unknown``: it may have had.
        result: JSON.
        error: For a person.
        code: Stable.
        retry_after_s: What the provider asks for.
        provider_id: The provider's own id of the call.
    """

    kind: ResultKind
    result: Any = None
    error: str | None = None
    code: str | None = None
    retry_after_s: float | None = None
    provider_id: str | None = None


class Gate(Protocol):
    """Judges envelopes again before they run: a policy, an approval, an account or a tool may have changed."""

    async def judge(self, tx: Transaction, envelopes: Sequence[Claimed]) -> list[Ruling]:
        """A ruling for each, in their order; in the transaction in which the attempts begin. Of many tenants."""
        ...


class Executor(Protocol):
    """Carries envelopes out."""

    @property
    def providers(self) -> Sequence[str] | None:
        """The providers that it has; what is of others is left to others. None: all."""
        ...

    @property
    def functions(self) -> Sequence[str] | None:
        """The functions that this program has, where the provider is ``local``. None: all."""
        ...

    async def execute(self, envelope: Claimed) -> Result:
        """Calls the tool once; no transaction is open. Raises only when it is cancelled."""
        ...
