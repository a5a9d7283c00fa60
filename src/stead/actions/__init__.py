"""Guarded actions from proposal to result: envelopes under guardrails and approval, carried out by tools.

Owns ``approvals`` and ``approval_votes`` and, privately, approvers, delegations, links and webhook endpoints. What
always holds: nothing runs that a policy did not allow, or that people approved exactly as it runs; it is judged
once more when a worker takes it; whoever proposed something does not approve it; an approval is used once; what
is refused is refused with every reason at once, and stands in the audit log.
"""

from stead.actions import approvers, approving, links, redriving, upkeep, webhooks
from stead.actions.errors import (
    ActionDenied,
    ActionRefused,
    ApprovalDecided,
    ApprovalForbidden,
    ApprovalUnknown,
    ApproverInvalid,
    DelegationUnknown,
    EnvelopeNotEditable,
    LinkUnknown,
    VotedAlready,
    WebhookInvalid,
    WebhookUnknown,
)
from stead.actions.executing import ActionExecutor
from stead.actions.judging import ActionGate
from stead.actions.models import (
    Approval,
    Approver,
    Ballot,
    Delegation,
    Problem,
    Proposal,
    Proposed,
    Proposer,
    Refusal,
    Vote,
    WebhookEndpoint,
)
from stead.actions.proposing import propose, refuse
from stead.actions.webhooks import Webhooks

__all__ = [
    "ActionDenied",
    "ActionExecutor",
    "ActionGate",
    "ActionRefused",
    "Approval",
    "ApprovalDecided",
    "ApprovalForbidden",
    "ApprovalUnknown",
    "Approver",
    "ApproverInvalid",
    "Ballot",
    "Delegation",
    "DelegationUnknown",
    "EnvelopeNotEditable",
    "LinkUnknown",
    "Problem",
    "Proposal",
    "Proposed",
    "Proposer",
    "Refusal",
    "Vote",
    "VotedAlready",
    "WebhookEndpoint",
    "WebhookInvalid",
    "WebhookUnknown",
    "Webhooks",
    "approvers",
    "approving",
    "links",
    "propose",
    "redriving",
    "refuse",
    "upkeep",
    "webhooks",
]
