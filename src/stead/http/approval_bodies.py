"""Bodies of the approval endpoints: what comes in, what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stead.actions import Approval, Vote
from stead.actions.models import ApprovalStatus
from stead.governance import Risk
from stead.http.memory_bodies import Moment
from stead.http.session_bodies import Body

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["00" * 32])]
Why = Annotated[str, Field(min_length=1, max_length=2000, examples=["The amount is wrong."])]


class Approve(Body):
    """A vote for exactly what one looked at."""

    digest: Digest
    reason: Why | None = None
    counts_for: UUID | None = Field(None, description="Who delegated to the caller.")


class Reject(Body):
    """A vote against it."""

    digest: Digest
    reason: Why
    counts_for: UUID | None = Field(None, description="Who delegated to the caller.")


class EditThenApprove(Body):
    """Other arguments for what one looked at, and with `approve` a vote for them."""

    digest: Digest
    arguments: dict[str, Any] = Field(examples=[{"order_id": "A-17", "amount": 10}])
    approve: bool = False


class ApprovalOut(BaseModel):
    """A request for people to agree to exactly one action."""

    id: UUID
    envelope_id: UUID
    envelope_version: int
    digest: str
    status: ApprovalStatus
    risk: Risk
    quorum: int
    approvals: int
    reasons: list[dict[str, Any]]
    policy_version: int
    proposer_id: UUID | None
    by_agent: bool
    edited_by: UUID | None
    not_before: datetime | None
    expires_at: datetime
    escalated_at: datetime | None
    decided_at: datetime | None
    used_at: datetime | None
    created_at: datetime
    tool_slug: str
    arguments: dict[str, Any]
    connected_account_id: str | None

    @classmethod
    def of(cls, approval: Approval) -> ApprovalOut:
        """From the approval."""
        return cls.model_validate({**vars(approval), "digest": approval.digest.hex()})


class ApprovalPage(BaseModel):
    """Some approvals, the latest first."""

    items: list[ApprovalOut]
    next_cursor: str | None


class BallotOut(BaseModel):
    """How somebody voted, and in whose name."""

    model_config = ConfigDict(from_attributes=True)

    counts_for: UUID
    profile_id: UUID
    vote: Vote
    reason: str | None
    created_at: datetime


class ApprovalDetails(ApprovalOut):
    """An approval with its votes."""

    votes: list[BallotOut]


class ApproverOut(BaseModel):
    """Somebody who may approve, up to a tier."""

    model_config = ConfigDict(from_attributes=True)

    profile_id: UUID
    email: str | None
    most_risk: Risk


class SaveApprover(Body):
    """Up to which tier somebody may approve."""

    most_risk: Risk = Field("critical", examples=["high"])


class Delegate(Body):
    """Who votes in one's place, and for how long: at most ninety days."""

    to_id: UUID = Field(examples=["01a1fb26-2e37-7060-84c3-e275028161d3"])
    ends_at: Moment
    begins_at: Moment | None = None
    from_id: UUID | None = Field(None, description="For services: whose place it is.")


class DelegationOut(BaseModel):
    """An approver who lets another vote in their place."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    from_id: UUID
    to_id: UUID
    begins_at: datetime
    ends_at: datetime


class MakeVoteLink(Body):
    """Whose link it is to be."""

    profile_id: UUID = Field(examples=["01a1fb26-2e37-7060-84c3-e275028161d3"])


class VoteLinkOut(BaseModel):
    """A link for one vote; it is shown this once."""

    token: str
    path: str
