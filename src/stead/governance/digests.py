"""Digests of values, in canonical JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

# Made once: `json.dumps` would make one for every value.
_canonical: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
).encode


def digest_of(value: Any) -> bytes:
    """SHA-256 over a value in canonical JSON: keys sorted, no spaces, UTF-8."""
    return hashlib.sha256(_canonical(value).encode("utf-8", "surrogatepass")).digest()
