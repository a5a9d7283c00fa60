"""Cursors of lists that are ordered by time and id: a place, and no right to see what is there."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

from stead.http.errors import RequestInvalid


def write_cursor(place: tuple[datetime, UUID] | None) -> str | None:
    """The cursor of a place; None: there is nothing after it."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), str(place[1])]).encode()).decode()


def read_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The place of a cursor.

    Raises:
        RequestInvalid: It is none that was given out.
    """
    if cursor is None:
        return None
    try:
        created_at, row_id = json.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(created_at).astimezone(UTC), UUID(row_id)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RequestInvalid("cursor is not one that was given out", hint="Begin without it.") from error


def write_number_cursor(place: tuple[datetime, int] | None) -> str | None:
    """Likewise, for rows whose ids are numbers."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1]]).encode()).decode()


def read_number_cursor(cursor: str | None) -> tuple[datetime, int] | None:
    """The place of such a cursor.

    Raises:
        RequestInvalid: It is none that was given out.
    """
    if cursor is None:
        return None
    try:
        created_at, number = json.loads(base64.urlsafe_b64decode(cursor))
        # What is no bigint is no id: it must not come to the database.
        number = int.from_bytes(number.to_bytes(8, signed=True), signed=True)
        return datetime.fromisoformat(created_at).astimezone(UTC), number
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RequestInvalid("cursor is not one that was given out", hint="Begin without it.") from error
