"""Moments in arguments."""

from __future__ import annotations

from datetime import UTC, datetime

from stead.core.errors import Invalid


def read_moment(text: str | None) -> datetime | None:
    """The moment in an option.

    Raises:
        Invalid: It is none.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text!r} is no day and no moment",
            hint="For instance 2026-05-07 or 2026-05-07T12:00:00+02:00.",
        ) from None
