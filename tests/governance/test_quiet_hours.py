"""Quiet hours in nights in which the clock is changed, and with exceptions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.governance.document import QuietHoursDocument
from stead.governance.quiet_hours import QuietHours, quiet_until

LORD_HOWE, KATHMANDU, LISBON = "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Lisbon"


def hours(start: str | None, end: str | None, **more: Any) -> QuietHours:
    return QuietHoursDocument.model_validate({"start": start, "end": end, **more}).value()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-17T21:59", None),
        ("2026-11-17T22:00", "2026-11-18T07:00"),
        ("2026-11-18T06:59:59.999999", "2026-11-18T07:00"),
        ("2026-11-18T07:00", None),
    ],
)
@pytest.mark.parametrize("zone", [LORD_HOWE, KATHMANDU, LISBON])
def test_a_night(zone: str, now: str, until: str | None) -> None:
    found = quiet_until(hours("22:00", "07:00"), zone, local(now, zone))
    assert found == (None if until is None else local(until, zone))


@pytest.mark.parametrize(
    ("start", "end", "begins", "ends"),
    [
        # 2027-04-04: at 02:00 (+11:00) it is 01:30 (+10:30) again.
        ("22:00", "01:45", "2027-04-03T11:00", "2027-04-03T15:15"),
        ("22:00", "01:30", "2027-04-03T11:00", "2027-04-03T15:00"),
        ("22:00", "02:00", "2027-04-03T11:00", "2027-04-03T15:30"),
        ("01:40", "06:00", "2027-04-03T14:40", "2027-04-03T19:30"),
        # 2027-10-03: at 02:00 (+10:30) it is 02:30 (+11:00).
        ("22:00", "02:10", "2027-10-02T11:30", "2027-10-02T15:30"),
        ("02:10", "06:00", "2027-10-02T15:30", "2027-10-02T19:00"),
        ("22:00", "02:30", "2027-10-02T11:30", "2027-10-02T15:30"),
    ],
)
def test_half_an_hour_that_comes_twice_or_not_at_all(
    start: str, end: str, begins: str, ends: str
) -> None:
    quiet, tick = hours(start, end), timedelta(seconds=1)
    assert quiet_until(quiet, LORD_HOWE, utc(begins) - tick) is None
    at = utc(begins)
    while at < utc(ends):
        assert quiet_until(quiet, LORD_HOWE, at) == utc(ends)
        at += timedelta(minutes=5)
    assert quiet_until(quiet, LORD_HOWE, utc(ends) - tick) == utc(ends)
    assert quiet_until(quiet, LORD_HOWE, utc(ends)) is None


def test_the_quarter_of_an_hour_that_kathmandu_skipped() -> None:
    """At midnight of 1986-01-01 the clock went from 00:00 (+5:30) to 00:15 (+5:45)."""
    quiet = hours("22:00", "00:10")
    assert quiet_until(quiet, KATHMANDU, utc("1985-12-31T18:29:59")) == utc("1985-12-31T18:30")
    assert quiet_until(quiet, KATHMANDU, utc("1985-12-31T18:30")) is None


def test_days_are_those_on_which_nights_begin() -> None:
    quiet = hours("22:00", "07:00", days=["fri"])
    assert quiet_until(quiet, "UTC", utc("2026-11-21T03:00")) == utc("2026-11-21T07:00")
    assert quiet_until(quiet, "UTC", utc("2026-11-20T03:00")) is None
    assert quiet_until(quiet, "UTC", utc("2026-11-21T23:00")) is None


def test_exceptions() -> None:
    feast = {"from": "2026-12-24", "to": "2026-12-26", "quiet": "always"}
    sale = {"from": "2026-12-28", "to": "2026-12-28", "quiet": "never"}
    quiet = hours("22:00", "07:00", exceptions=[feast, sale])
    # From the night before into the night after.
    assert quiet_until(quiet, LISBON, utc("2026-12-23T22:30")) == utc("2026-12-27T07:00")
    assert quiet_until(quiet, LISBON, utc("2026-12-25T12:00")) == utc("2026-12-27T07:00")
    # The night before the sale ends with its day, and that of its day begins after it.
    assert quiet_until(quiet, LISBON, utc("2026-12-27T23:00")) == utc("2026-12-28T00:00")
    assert quiet_until(quiet, LISBON, utc("2026-12-28T23:30")) is None
    assert quiet_until(quiet, LISBON, utc("2026-12-29T00:30")) == utc("2026-12-29T07:00")
    # What is both is quiet.
    both = hours(None, None, exceptions=[feast, {**feast, "quiet": "never"}])
    assert quiet_until(both, "UTC", utc("2026-12-26T12:00")) == utc("2026-12-27T00:00")


ZONES = st.sampled_from([LORD_HOWE, KATHMANDU, LISBON, "America/Havana", "Africa/Casablanca", "UTC"])
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
WALLS = st.times().map(lambda t: t.strftime("%H:%M"))


@given(ZONES, MOMENTS, WALLS, WALLS, st.sets(st.sampled_from(["mon", "wed", "thu", "sun"])))
def test_what_the_wall_says_is_quiet_is_quiet_and_it_ends_where_it_says(
    zone: str, now: datetime, start: str, end: str, days: set[str]
) -> None:
    quiet = hours(start, end, days=sorted(days))
    until = quiet_until(quiet, zone, now)
    wall = now.astimezone(ZoneInfo(zone))
    shown = wall.strftime("%H:%M")
    today, yesterday = wall.weekday() in quiet.days, (wall.weekday() - 1) % 7 in quiet.days
    by_the_wall = (
        (today and start <= shown < end)
        if start < end
        else (today and shown >= start) or (yesterday and shown < end)
    )
    if by_the_wall:
        assert until is not None
    if until is not None:
        assert until > now
        assert quiet_until(quiet, zone, until) is None
        assert quiet_until(quiet, zone, until - timedelta(microseconds=1)) == until
