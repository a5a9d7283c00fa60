"""Requests in a moving window: what is let through, and what is remembered."""

from __future__ import annotations

import random

from limits import parse

from stead.http.windows import Count, MovingWindows


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_as_many_as_allowed_in_any_stretch() -> None:
    time, limit = Time(), parse("3/10second")
    windows = MovingWindows(time)
    for at_s in (0.0, 4.0, 8.0):
        time.now_s = 1000 + at_s
        assert windows.hit(limit, "k", "a") is None
    time.now_s = 1009.0
    assert windows.hit(limit, "k", "a") == 1.0
    # Refused ones do not count, so that who keeps asking gets in when there is room.
    time.now_s = 1009.5
    assert windows.hit(limit, "k", "a") == 0.5
    time.now_s = 1010.0
    assert windows.hit(limit, "k", "a") is None
    assert windows.hit(limit, "k", "a") == 4.0


def test_callers_and_limits_apart() -> None:
    windows = MovingWindows(Time())
    one, two = parse("1/minute"), parse("2/minute")
    assert windows.hit(one, "k", "a") is None
    assert windows.hit(one, "k", "a") is not None
    assert windows.hit(one, "k", "b") is None
    assert windows.hit(one, "other", "a") is None
    assert windows.hit(two, "k", "a") is None
    assert windows.hit(two, "k", "a") is None
    assert windows.hit(two, "k", "a") is not None


def test_against_a_count_of_all_requests() -> None:
    """Whatever comes in whatever order: never more in any window, and never refused while there is room."""
    chance = random.Random(3)
    time, limit = Time(), parse("5/10second")
    windows = MovingWindows(time)
    taken: dict[str, list[float]] = {}
    for _ in range(5000):
        time.now_s += chance.choice([0.0, 0.1, 1.0, 7.0])
        who = chance.choice("abc")
        mine = taken.setdefault(who, [])
        there = [at_s for at_s in mine if at_s > time.now_s - 10]
        late_s = windows.hit(limit, "k", who)
        assert (late_s is None) == (len(there) < 5)
        if late_s is None:
            mine.append(time.now_s)
        else:
            assert late_s == there[0] - (time.now_s - 10)


def test_who_no_longer_comes_is_forgotten() -> None:
    time, limit = Time(), parse("5/minute")
    windows = MovingWindows(time)
    for number in range(1000):
        windows.hit(limit, "k", str(number))
        time.now_s += 0.01
    assert len(windows) == 1000
    time.now_s += 55
    windows.hit(limit, "k", "0")
    assert len(windows) > 500
    time.now_s += 55
    windows.hit(limit, "k", "1")
    assert len(windows) == 2


def test_all_limits_or_none() -> None:
    time, few, many = Time(), parse("1/minute"), parse("2/hour")
    windows = MovingWindows(time)
    ann, bob = Count(few, "identity", "ann"), Count(few, "identity", "bob")
    here = Count(many, "address", "here")
    assert windows.take([ann, here]) is None
    time.now_s += 10
    # Ann's is full and the address's is not: it keeps its room for Bob.
    assert windows.take([ann, here]) == (ann, 50.0)
    assert windows.take([bob, here]) is None
    # Of two that are full, the one that is so for longer.
    assert windows.take([ann, here]) == (here, 3590.0)
    assert windows.take([here, ann]) == (here, 3590.0)


def test_who_only_looks_takes_no_room() -> None:
    windows, limit = MovingWindows(Time()), parse("1/minute")
    looking = Count(limit, "ids", "ann", looks=True)
    for _ in range(3):
        assert windows.take([looking]) is None
    assert len(windows) == 0
    assert windows.take([Count(limit, "ids", "ann")]) is None
    assert windows.take([looking, Count(limit, "ids", "bob")]) == (looking, 60.0)
    assert windows.take([Count(limit, "ids", "bob")]) is None


def test_a_flood_of_callers_takes_a_bounded_place() -> None:
    windows, limit = MovingWindows(Time(), most=100), parse("1/minute")
    for number in range(10_000):
        assert windows.hit(limit, "address", str(number)) is None
    assert len(windows) == 100
    # The latest are remembered.
    for number in range(9_900, 10_000):
        assert windows.hit(limit, "address", str(number)) == 60.0
    assert windows.hit(limit, "address", "9899") is None
