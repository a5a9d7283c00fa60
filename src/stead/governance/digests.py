"""What a decision was made from, in canonical JSON."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stead.governance.models import Action, Facts

# Made once: `json.dumps` would make one for every value.
_canonical: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
).encode


def digest_of(value: Any) -> bytes:
    """SHA-256 over a value in canonical JSON: keys sorted, no spaces, UTF-8."""
    return hashlib.sha256(_canonical(value).encode("utf-8", "surrogatepass")).digest()


def inputs_digest(
    action: Action, policy_version: int, policy_digest: str, facts: Facts, now: datetime
) -> bytes:
    """SHA-256 over all that `evaluate` is given.

    Args:
        action: With its arguments.
        policy_version: Which policy.
        policy_digest: What it says.
        facts: All of them.
        now: The moment.
    """
    return digest_of(
        [
            "stead.decision.1",
            policy_version,
            policy_digest,
            now.isoformat(),
            str(action.tenant_id),
            action.tool,
            action.version,
            action.provider,
            action.risk,
            sorted(action.required_scopes),
            action.account_id,
            action.arguments,
            _text(action.amount),
            action.spends,
            action.evidence,
            action.confidence,
            action.proposer,
            action.trust_context,
            facts.trust,
            None if facts.granted_scopes is None else sorted(facts.granted_scopes),
            facts.account_status,
            facts.actions_last_minute,
            facts.actions_last_hour,
            _text(facts.spent_today),
            facts.tool_known,
            facts.approved,
        ]
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
