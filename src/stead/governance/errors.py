"""What can go wrong with policies."""

from __future__ import annotations

from stead.core.errors import Conflict, Invalid, NotFound


class PolicyInvalid(Invalid):
    """The policy cannot be read."""

    code = "policy_invalid"


class PolicyChanged(Conflict):
    """The policy was changed by somebody else meanwhile."""

    code = "policy_changed"


class PolicyVersionUnknown(NotFound):
    """There is no such version of the policy."""

    code = "policy_version_unknown"


class ObjectiveUnknown(NotFound):
    """There is no such objective."""

    code = "objective_unknown"
