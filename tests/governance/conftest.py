"""Actions, facts and policies to begin from."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from stead.governance import Action, Facts, Policy, read_policy

#: A Wednesday noon.
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
TENANT = uuid.UUID("01900000-0000-7000-8000-000000000001")


def action(tenant_id: uuid.UUID = TENANT, **changed: Any) -> Action:
    """An action of low risk that nothing speaks against."""
    given: dict[str, Any] = {
        "tenant_id": tenant_id, "tool": "mail.send", "version": "1", "provider": "local", "risk": "low",
        "arguments": {"to": "canary-argument"}, "evidence": 1, "proposer": "profile:ann",
    }  # fmt: skip
    return Action(**{**given, **changed})


def facts(**changed: Any) -> Facts:
    """Facts with which the default policy allows it."""
    return Facts(**{"trust": 0.9, "tool_known": True, **changed})


def policy(**document: Any) -> Policy:
    """A policy that says this and is as by default in all else."""
    return read_policy(document, 1)
