"""Times on the clocks of the world, also in the nights in which they are changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from stead.scheduling import Cron, ScheduleInvalid
from stead.scheduling.firing import MOST_MISSED, plan

#: An hour at 1, an hour at 2, half an hour, none at all, an hour at midnight, and a day.
ZONES = [
    "Europe/Lisbon",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "America/St_Johns",
]
#: Around each change of a clock in 2026.
WINDOWS = {
    "Europe/Lisbon": ["2026-03-27", "2026-10-23"],
    "America/New_York": ["2026-03-06", "2026-10-30"],
    "Australia/Lord_Howe": ["2026-04-03", "2026-10-02"],
    "Asia/Kathmandu": ["2026-03-27"],
    "Asia/Beirut": ["2026-03-27", "2026-10-23"],
    "America/St_Johns": ["2026-03-06", "2026-10-30"],
}


#: What an expression means, said once more.
MEANS: dict[str, Callable[[datetime], bool]] = {
    "*/20 * * * *": lambda t: t.minute % 20 == 0,
    "0 * * * *": lambda t: t.minute == 0,
    "7 * * * sun": lambda t: t.minute == 7 and t.weekday() == 6,
    "0,30 1-3 * * *": lambda t: t.minute in {0, 30} and 1 <= t.hour <= 3,
    "*/10 0-22 * * *": lambda t: t.minute % 10 == 0 and t.hour != 23,
    "5 */2 * * *": lambda t: t.minute == 5 and t.hour % 2 == 0,
}


def ticks(cron: Cron, begin: datetime, end: datetime) -> list[datetime]:
    """All after one moment, up to another."""
    found: list[datetime] = []
    tick = cron.following(begin)
    while tick is not None and tick <= end:
        found.append(tick)
        tick = cron.following(tick)
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "cron", "begin", "wanted"),
    [
        # The clock goes from 2:00 to 3:00: as long after the night before as ever.
        ("America/New_York", "30 2 * * *", "2026-03-08T00:00-05:00", "2026-03-08T03:30-04:00"),
        ("Europe/Lisbon", "30 1 * * *", "2026-03-29T00:00+00:00", "2026-03-29T02:30+01:00"),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-04T00:00+10:30", "2026-10-04T02:45+11:00"),
        ("Asia/Beirut", "0 0 * * *", "2026-03-28T12:00+02:00", "2026-03-29T01:00+03:00"),
        # It goes back: the first of two.
        ("America/New_York", "30 1 * * *", "2026-11-01T00:00-04:00", "2026-11-01T01:30-04:00"),
        ("America/New_York", "30 1 * * *", "2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"),
        ("Europe/Lisbon", "30 1 * * *", "2026-10-25T00:00+01:00", "2026-10-25T01:30+01:00"),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-05T00:00+11:00", "2026-04-05T01:45+11:00"),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"),
        # Registered between the two.
        ("America/New_York", "45 1 * * *", "2026-11-01T01:40-05:00", "2026-11-02T01:45-05:00"),
        ("America/New_York", "30 2 * * *", "2026-03-08T03:10-04:00", "2026-03-08T03:30-04:00"),
        ("Asia/Kathmandu", "30 7 * * *", "2026-01-01T00:00+00:00", "2026-01-01T07:30+05:45"),
        # A day that never was.
        ("Pacific/Apia", "0 12 30 12 *", "2011-12-28T00:00+00:00", "2011-12-31T12:00+14:00"),
    ],
)
def test_the_next_tick(zone: str, cron: str, begin: str, wanted: str) -> None:
    assert Cron(cron, zone).following(utc(begin)) == utc(wanted)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["0 0", "30 0", "30 1", "45 1", "0 2", "15 2", "30 2", "59 2", "0 3"])
def test_a_time_of_day_comes_once_a_day(zone: str, clock: str) -> None:
    begin = datetime(2025, 12, 31, 23, 59, tzinfo=ZoneInfo(zone))
    end = datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)) - timedelta(seconds=1)
    found = ticks(Cron(f"{clock} * * *", zone), begin, end)
    days = Counter(tick.astimezone(ZoneInfo(zone)).date() for tick in found)
    assert set(days.values()) == {1}
    assert len(days) == 365


@pytest.mark.parametrize("zone", ZONES)
def test_what_comes_every_so_often_keeps_its_pace(zone: str) -> None:
    for day in WINDOWS[zone]:
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        found = ticks(Cron("*/15 * * * *", zone), begin, begin + timedelta(days=4))
        assert len(found) == 4 * 24 * 4
        assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=15)}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", MEANS)
def test_against_every_minute_there_is(zone: str, cron: str) -> None:
    """What the times are is looked up minute by minute, and compared."""
    where = ZoneInfo(zone)
    all_hours = cron.split()[1] == "*"
    for day in WINDOWS[zone]:
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        end = begin + timedelta(days=4)
        wanted: set[datetime] = set()
        if all_hours:
            for minute in range(4 * 24 * 60 + 1):
                moment = begin + timedelta(minutes=minute)
                if MEANS[cron](moment.astimezone(where)):
                    wanted.add(moment)
        else:
            wall = begin.replace(tzinfo=None) - timedelta(days=1)
            for minute in range(6 * 24 * 60):
                there = wall + timedelta(minutes=minute)
                if MEANS[cron](there):
                    wanted.add(there.replace(tzinfo=where, fold=0).astimezone(UTC))
        found = ticks(Cron(cron, zone), begin, end)
        assert found == sorted(moment for moment in wanted if begin < moment <= end)


@pytest.mark.parametrize("zone", ZONES)
def test_wherever_one_begins_the_next_tick_is_the_same(zone: str) -> None:
    cron = Cron("15,45 1-3 * * *", zone)
    for day in WINDOWS[zone]:
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        found = ticks(cron, begin, begin + timedelta(days=4))
        for minute in range(0, 3 * 24 * 60, 23):
            moment = begin + timedelta(minutes=minute)
            assert cron.following(moment) == next(tick for tick in found if tick > moment)


@pytest.mark.parametrize(
    "cron",
    [
        "@hourly", "@daily", "@weekly", "0 0 l * *", "0 9 15W * *", "0 0 * jan mon-fri", "0 0 29 2 *",
        "0 0 * * mon#1", " 0  7 * * 1-5 ", "0 0 ? * 7",
    ],
)  # fmt: skip
def test_in_utc_it_is_croniter(cron: str) -> None:
    begin = utc("2026-01-01T00:00+00:00")
    times = croniter(cron.strip(), begin)
    found = Cron(cron)
    moment: datetime | None = begin
    for _ in range(20):
        assert moment is not None
        moment = found.following(moment)
        assert moment == times.get_next(datetime)


@pytest.mark.parametrize(
    "cron",
    [
        "", "7", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "0 0 31 2 *", "a b c d e", "@reboot",
        "@every 5m", "R * * * *", "H H * * *", "0 R(1-5) * * *", "* * * * *\n", "*/0 * * * *",
        f"0 0 {'1,' * 200}1 * *",
        "\u0660 * * * *", "0 7 * * *; drop table", "0 0 0 * *",
    ],
)  # fmt: skip
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(ScheduleInvalid) as refused:
        Cron(cron)
    assert refused.value.hint


@pytest.mark.parametrize(
    "zone", ["", "Lisbon", "Europe", "../../etc/passwd", "/etc/passwd", "Europe/Lisbon\0", "UTC+2"]
)
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ScheduleInvalid):
        Cron("0 7 * * *", zone)


HOURLY = Cron("0 * * * *", "Europe/Lisbon")
NOW = utc("2026-05-05T12:30+00:00")


def at(hour: int, day: int = 5) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=UTC)


def test_a_tick_that_is_in_time_is_fired_whatever_the_policy() -> None:
    for missed in ("skip", "once", "all"):
        done = plan(HOURLY, missed, at(12), at(12) + timedelta(seconds=1))
        assert (list(done.ticks), done.following) == ([at(12)], at(13))


def test_missed_ticks_are_left_out_merged_or_made_up_for() -> None:
    assert list(plan(HOURLY, "skip", at(9), NOW).ticks) == []
    assert list(plan(HOURLY, "once", at(9), NOW).ticks) == [at(12)]
    assert list(plan(HOURLY, "all", at(9), NOW).ticks) == [at(9), at(10), at(11), at(12)]
    assert {plan(HOURLY, missed, at(9), NOW).following for missed in ("skip", "once", "all")} == {at(13)}
    # The latest is in time, those before were missed.
    soon = at(12) + timedelta(seconds=5)
    assert list(plan(HOURLY, "skip", at(9), soon).ticks) == [at(12)]


def test_of_many_missed_ticks_the_latest_are_made_up_for() -> None:
    long_ago = utc("2025-05-05T00:00+00:00")
    done = plan(HOURLY, "all", long_ago, NOW)
    assert len(done.ticks) == MOST_MISSED
    assert done.ticks[-1] == at(12)
    assert all(later - earlier == timedelta(hours=1) for earlier, later in pairwise(done.ticks))
    assert done.following == at(13)
    assert list(plan(HOURLY, "once", long_ago, NOW).ticks) == [at(12)]


def test_some_at_a_time_leave_the_rest_for_next() -> None:
    done = plan(HOURLY, "all", at(9), NOW, at_once=3)
    assert (list(done.ticks), done.following) == ([at(9), at(10), at(11)], at(12))
    rest = plan(HOURLY, "all", at(12), NOW, at_once=3)
    assert (list(rest.ticks), rest.following) == ([at(12)], at(13))
