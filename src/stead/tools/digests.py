"""What a tool is, as one value: whatever it was approved with can be told from what it is now."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from stead.tools.models import ToolSpec


def canonical(value: Any) -> str:
    """JSON in one spelling only.

    Raises:
        TypeError, ValueError, RecursionError: It is no JSON.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of(spec: ToolSpec) -> str:
    """SHA-256 in hex over slug, version, provider, schema, risk, required scopes and config.

    What people read (name and description) is not part of it, nor the time that a call may take.
    """
    told = [
        "stead.tool.1",
        spec.slug,
        spec.version,
        spec.provider,
        spec.schema,
        spec.risk,
        sorted(set(spec.required_scopes)),
        spec.config,
    ]
    return hashlib.sha256(canonical(told).encode()).hexdigest()


def with_digest(spec: ToolSpec) -> ToolSpec:
    """The tool with the digest that belongs to it."""
    return replace(spec, digest=digest_of(spec))
