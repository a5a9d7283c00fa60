"""Approvals: what waits, what exactly would run, voting, and changing it first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Response

from stead import outbox
from stead.actions import (
    Approval,
    ApprovalForbidden,
    Delegation,
    Problem,
    Refusal,
    Vote,
    approvers,
    approving,
)
from stead.console.dependencies import Operator, Posted, Viewer
from stead.console.errors import FormInvalid, PageStale
from stead.console.pages import elsewhere
from stead.console.routing import PageRoute
from stead.console.showing import json_text
from stead.core.ids import parse_id
from stead.db import Transaction
from stead.governance import RISKS
from stead.identity import Principal, tenant_service

router = APIRouter(prefix="/console/approvals", route_class=PageRoute)
_PAGE: Final = 50
_MAX_EDIT_CHARS: Final = 600_000

Shown = Literal["pending", "approved", "rejected", "expired", "superseded", "cancelled"]


@router.get("")
async def listing(operator: Viewer, status: Shown = "pending", before: UUID | None = None) -> Response:
    """Those that the operator may see, the latest first."""
    who = operator.principal
    who.require_scope("approvals")
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        found = await approving.listing(tx, who, status=status, before=before, limit=_PAGE + 1)
    return operator.page(
        "approvals.html",
        approvals=found[:_PAGE],
        wanted=status,
        older=found[_PAGE - 1].id if len(found) > _PAGE else None,
    )


@router.get("/{approval_id}")
async def show(operator: Viewer, approval_id: UUID) -> Response:
    """One of them: exactly what will run."""
    who = operator.principal
    who.require_scope("approvals")
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        approval = await approving.get(tx, who, approval_id)
        envelope = await outbox.envelopes.get(tx, who, approval.envelope_id)
        ballots = await approving.ballots(tx, who, approval_id)
        attempts = await outbox.envelopes.attempts(tx, who, approval.envelope_id)
        lent = [] if who.profile_id is None else await approvers.delegations(tx, who)
    now = datetime.now(UTC)
    return operator.page(
        "approval.html",
        approval=approval,
        envelope=envelope,
        # An approval of an older version is about arguments that are gone.
        is_current=envelope.digest == approval.digest,
        ballots=ballots,
        attempts=attempts,
        lent=[each for each in lent if each.to_id == who.profile_id and _holds(each, now)],
        own_agents=approval.by_agent and approval.quorum == 1 and who.profile_id == approval.proposer_id,
    )


@router.post("/{approval_id}/vote")
async def vote(operator: Viewer, form: Posted, approval_id: UUID) -> Response:
    """A vote on what the page showed. Who may vote is the database's to say."""
    who = operator.principal
    who.require_scope("approvals")
    wanted = form.text("vote", most=10)
    reason = form.text("reason") or None
    if wanted not in {"approve", "reject"}:
        raise FormInvalid("vote: approve or reject")
    if wanted == "reject" and reason is None:
        raise FormInvalid("reason: say why", hint="Whoever proposed it reads it.")
    async with operator.db.transaction(who.served()) as tx:
        await approving.vote(
            tx,
            who,
            approval_id,
            cast("Vote", wanted),
            digest=form.digest("digest"),
            reason=reason,
            counts_for=parse_id(form.text("counts_for", most=64)),
        )
    return elsewhere(f"/console/approvals/{approval_id}?done=voted")


@router.get("/{approval_id}/edit")
async def look_to_edit(operator: Viewer, approval_id: UUID) -> Response:
    """Its arguments, to be changed."""
    who = operator.principal
    who.require_scope("approvals")
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        approval = await approving.get(tx, who, approval_id)
    return _editor(operator, approval, json_text(approval.arguments), ())


@router.post("/{approval_id}/edit")
async def edit(operator: Viewer, form: Posted, approval_id: UUID) -> Response:
    """Other arguments: judged anew, and asked for anew."""
    who = operator.principal
    who.require_scope("approvals")
    text = form.text("arguments", most=_MAX_EDIT_CHARS)
    digest = form.digest("digest")
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        approval = await approving.get(tx, who, approval_id)
    try:
        arguments = _arguments(text)
    except ValueError as error:
        return _editor(
            operator, approval, text, [Problem(code="arguments_invalid", says=str(error))], digest
        )
    # Envelopes are the service's to write; the audit log names who it was.
    service = tenant_service(who.tenant)
    async with operator.db.transaction(service) as tx:
        await _check_editor(tx, service, who, approval)
        envelope = await outbox.envelopes.locked(tx, service, approval.envelope_id)
        if digest != envelope.digest or digest != approval.digest:
            raise PageStale("the action is another version by now", hint="Look at it again.")
        made = await approving.edit(tx, who, approval.envelope_id, arguments)
    if isinstance(made, Refusal):
        return _editor(operator, approval, text, made.problems, digest)
    if made.approval_id is None:
        return elsewhere("/console/approvals?done=changed")
    return elsewhere(f"/console/approvals/{made.approval_id}?done=edited")


async def _check_editor(tx: Transaction, service: Principal, who: Principal, approval: Approval) -> None:
    """Raises ApprovalForbidden for people who neither proposed it nor may approve its tier themselves."""
    if who.profile_id is None or who.profile_id == approval.proposer_id:
        return
    for each in await approvers.listing(tx, service):
        if each.profile_id == who.profile_id and RISKS.index(each.most_risk) >= RISKS.index(
            approval.risk
        ):
            return
    raise ApprovalForbidden(f"not an approver of {approval.risk} risk")


def _editor(
    operator: Operator,
    approval: Approval,
    text: str,
    problems: Sequence[Problem],
    digest: bytes | None = None,
) -> Response:
    return operator.page(
        "edit.html",
        status=422 if problems else 200,
        approval=approval,
        text=text,
        problems=problems,
        digest=digest or approval.digest,
    )


def _arguments(text: str) -> dict[str, Any]:
    """Arguments as somebody typed them.

    Raises:
        ValueError: They are no JSON object that can be stored; it says why.
    """
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON at line {error.lineno}, column {error.colno}") from None
    except (RecursionError, ValueError):
        raise ValueError("no JSON that can be read") from None
    if not isinstance(value, dict):
        raise ValueError("an object in braces, please")  # noqa: TRY004 - told on the page
    try:
        return outbox.canonical(cast("dict[str, Any]", value))
    except outbox.EnvelopeInvalid as error:
        raise ValueError(error.detail) from None


def _holds(delegation: Delegation, now: datetime) -> bool:
    return delegation.begins_at <= now < delegation.ends_at
