"""Reading what others send: whatever does not fit is as if it were not there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from stead.core.ids import parse_id

# Without what could be taken for an address of somebody, which has no place in the audit log.
_CODE: Final = re.compile(r"[!-?A-~]{1,200}", re.ASCII)
_MAX_AMOUNT: Final = 1e12


def member(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under that name; an empty one where there is none."""
    found = value.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def code_of(value: object) -> str | None:
    """A short text of printable ASCII without spaces and @: an id, an address of the web."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def url_of(value: object) -> str | None:
    """An address of the web."""
    code = code_of(value)
    return code if code is not None and code.startswith("https://") else None


def session_of(value: object) -> UUID | None:
    """A session's id."""
    return parse_id(value) if isinstance(value, str) else None


def amount_of(value: object) -> float | int | None:
    """An amount of money that can be added to others."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= _MAX_AMOUNT else None


def moment_of(value: object) -> datetime | None:
    """A moment in ISO 8601."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
