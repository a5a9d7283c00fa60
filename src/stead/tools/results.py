"""Results as they can be stored: JSON, within a size."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic_core import to_jsonable_python

MAX_BYTES: Final = 262_144
MAX_ERROR_CHARS: Final = 2_000
_KEPT_CHARS: Final = 20_000
_MAX_DEPTH: Final = 64
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")


def storable(result: Any, max_bytes: int = MAX_BYTES) -> Any:
    """A result as jsonb takes it. Never raises: what was done was done, whatever can be kept of its result.

    Args:
        result: JSON, pydantic models, dataclasses, dates and the like.
        max_bytes: What it may take as JSON text; what is larger is cut, and says so.
    """
    try:
        plain = _plain(to_jsonable_python(result), _MAX_DEPTH)
        text = json.dumps(plain, ensure_ascii=False)
    except Exception as error:  # noqa: BLE001 - whatever a foreign object raises on the way
        return {"unreadable": True, "type": type(result).__name__, "because": type(error).__name__}
    size = len(text.encode())
    if size <= max_bytes:
        return plain
    return {"truncated": True, "bytes": size, "text": text[: min(_KEPT_CHARS, max_bytes // 4)]}


def short(error: str | None) -> str | None:
    """A message as it is stored."""
    return None if error is None else _UNSTORABLE.sub("\ufffd", error)[:MAX_ERROR_CHARS]


def _plain(value: Any, depth: int) -> Any:
    if depth < 0:
        return "…"
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**300:
        return str(value) if abs(value) < 10**1000 else None
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        members = cast("Mapping[Any, Any]", value)
        return {
            _UNSTORABLE.sub("\ufffd", str(key)): _plain(item, depth - 1) for key, item in members.items()
        }
    return value
