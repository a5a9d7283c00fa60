"""The English vocabulary of times."""

from __future__ import annotations

from typing import Final

from stead.memory.timing.calendar import Which
from stead.memory.timing.spans import Unit


def listed(words: str) -> frozenset[str]:
    """The words of a text, apart by white space."""
    return frozenset(words.split())


MONTHS: Final = {
    name: number
    for number, name in enumerate(
        (
            "january", "february", "march", "april", "may", "june", "july", "august", "september",
            "october", "november", "december",
        ),
        start=1,
    )
}  # fmt: skip
SHORT_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10,
    "nov": 11, "dec": 12,
}  # fmt: skip
"""Some are names of people too: they count beside a number, or in capitals behind a preposition."""

VERBS: Final = frozenset({"may", "march"})
"""Months that are verbs as well."""

WEEKDAYS: Final = {
    name: number
    for number, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
}
SHORT_WEEKDAYS: Final = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip

SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12, "summertime": 6}

UNITS: Final[dict[str, Unit]] = {
    "minute": "minute", "minutes": "minute", "min": "minute", "mins": "minute",
    "hour": "hour", "hours": "hour", "hrs": "hour",
    "day": "day", "days": "day",
    "week": "week", "weeks": "week", "wks": "week",
    "month": "month", "months": "month",
    "year": "year", "years": "year", "yrs": "year",
}  # fmt: skip
LONGER: Final[dict[str, tuple[Unit, int]]] = {
    "fortnight": ("week", 2), "fortnights": ("week", 2), "quarters": ("month", 3),
    "decade": ("year", 10), "decades": ("year", 10),
}  # fmt: skip

WHICH: Final[dict[str, Which]] = {
    "last": "last", "previous": "last", "past": "last",
    "this": "this", "current": "this",
    "next": "next", "coming": "next", "upcoming": "next",
}  # fmt: skip

NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        (
            "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
            "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
        ),
        start=1,
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100}  # fmt: skip

VAGUE: Final = {"couple": (1, 3), "few": (2, 5), "several": (3, 8), "some": (2, 8)}
"""What people mean by them, from and to."""

ORDINALS: Final = {
    word: number
    for number, word in enumerate(
        (
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
            "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
            "eighteenth", "nineteenth", "twentieth",
        ),
        start=1,
    )
} | {"thirtieth": 30}  # fmt: skip

HOURS: Final = {"morning": (4, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 30)}
"""From and to, counted from the day's midnight."""

OWNERS: Final = frozenset({"my", "your", "his", "her", "its", "our", "their", "whose"})
"""Whose last week it was makes it another week."""

HABITS: Final = frozenset(
    {
        "usually",
        "normally",
        "typically",
        "generally",
        "often",
        "always",
        "every",
        "each",
        "never",
        "tend",
    }
)

GOES_ON: Final = frozenset(
    {
        "", ",", ".", "?", "!", ";", ":", ")", "-", '"', "and", "or", "but", "that", "when", "while", "with",
        "without", "about", "at", "in", "on", "to", "for", "from", "of", "by", "did", "do", "does", "was",
        "were", "is", "are", "had", "have", "has", "will", "would", "can", "could", "should", "i", "we", "you",
        "he", "she", "they", "it", "what", "who", "where", "which", "why", "how", "because", "as", "if", "than",
        "after", "before", "since", "until", "the", "my", "our", "your", "again", "already", "this", "last",
    }
)  # fmt: skip
"""Words that do not make one thing with what stands before them, as "floor" does with "the 8th"."""
