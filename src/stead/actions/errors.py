"""What can go wrong with actions and approvals."""

from __future__ import annotations

from stead.core.errors import Conflict, Forbidden, Invalid, NotFound, PolicyDenied


class ActionRefused(Invalid):
    """The proposal cannot be accepted."""

    code = "action_refused"


class ActionDenied(PolicyDenied):
    """A policy denies the action."""

    code = "action_denied"


class ApprovalUnknown(NotFound):
    """There is no such approval here."""

    code = "approval_unknown"


class ApprovalDecided(Conflict):
    """The approval was decided, has expired, or is of another version of the action."""

    code = "approval_decided"


class ApprovalForbidden(Forbidden):
    """This person may not approve that."""

    code = "approval_forbidden"


class VotedAlready(Conflict):
    """This person has voted."""

    code = "voted_already"


class EnvelopeNotEditable(Conflict):
    """The action runs, or has ended."""

    code = "envelope_not_editable"


class LinkUnknown(NotFound):
    """The link is not valid any more."""

    code = "approval_link_unknown"


class ApproverInvalid(Invalid):
    """The approver or delegation cannot be stored."""

    code = "approver_invalid"


class DelegationUnknown(NotFound):
    """There is no such delegation here."""

    code = "delegation_unknown"


class WebhookInvalid(Invalid):
    """The webhook endpoint cannot be used."""

    code = "webhook_endpoint_invalid"


class WebhookUnknown(NotFound):
    """There is no such webhook endpoint here."""

    code = "webhook_endpoint_unknown"
