"""What comes from outside, as JSON that can be stored: bounded, and without what PostgreSQL refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Final, cast

_MAX_ERROR_CHARS: Final = 2000
_MAX_DEPTH: Final = 64
_EXCERPT_CHARS: Final = 4000


def storable(value: Any) -> Any:
    """The same as JSON, without NUL characters and halves of surrogate pairs; too deep below is null."""
    return _storable(value, _MAX_DEPTH)


def bounded(value: Any, max_bytes: int) -> Any:
    """A result as it is kept: as it is, or an excerpt that says so. That the call was made stays true.

    Args:
        value: JSON.
        max_bytes: How many bytes of JSON in UTF-8 are kept.
    """
    kept = storable(value)
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    if size <= max_bytes:
        return kept
    return {"truncated": True, "bytes": size, "excerpt": text[: min(_EXCERPT_CHARS, max_bytes)]}


def error_text(text: str, secrets: Iterable[str] = ()) -> str:
    """What somebody else says went wrong, short enough, and without the secrets that they were sent."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return cast("str", storable(text))[:_MAX_ERROR_CHARS] or "no reason was given"


def retry_after_s(value: str | None) -> float | None:
    """Seconds of a Retry-After header, up to an hour; None where it says none."""
    try:
        return min(max(float(value or ""), 0.0), 3600.0)
    except ValueError:
        return None


def _storable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "�").encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return None
    if isinstance(value, dict):
        members = cast("dict[Any, Any]", value)
        return {_storable(str(key), 0): _storable(item, depth - 1) for key, item in members.items()}
    if isinstance(value, list | tuple):
        return [_storable(item, depth - 1) for item in cast("list[Any]", value)]
    return str(value)
