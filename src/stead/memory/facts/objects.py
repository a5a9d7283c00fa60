"""Noun phrases and values, normalised so that two ways to say one thing compare as equal."""

from __future__ import annotations

import re
from typing import Final

from stead.memory.facts.words import singular, word_set

_MAX_VALUE_CHARS: Final = 80
_MAX_OBJECT_WORDS: Final = 5

MONTHS: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
WEEKDAYS: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_TIMES: Final = rf"week|month|year|summer|winter|spring|autumn|fall|night|{WEEKDAYS}|{MONTHS}"

_CLAUSE_END: Final = re.compile(
    r"[;(!?]|,(?!\d)| [-\u2013—] |\.(?=\s|$)| (?:because|but|since|although|though|so|which|where|"
    r"who|when|while|until|"
    r"and (?:i|my|we|our|it|the|it's|i'm)|if|unless|as of)\b"
)
_TAIL: Final = re.compile(
    r" (?:now|today|currently|nowadays|lately|recently|any ?more|again|too|as well|either|"
    r"though|actually|right now|"
    r"at the moment|these days|at present|for now|at all|btw|by the way|haha|lol|thanks|please|"
    r"permanently|"
    rf"(?:last|this|next) (?:{_TIMES})|in (?:{MONTHS})(?: \d{{4}})?|in \d{{4}}|"
    r"(?:for|about)? ?(?:\w+ ){1,2}(?:years?|months?|weeks?|days?)(?: ago| now)?|"
    r"very much|so much|a lot|that much|every ?day|daily|all the time)$"
)
_NARROWER: Final = re.compile(r" (?:with|from|near|close to|for the|as an?|by)\b.*")
_DETERMINER: Final = re.compile(
    r"(?:the|an?|my|our|some|any|all|every|each|most|more|much|many|too|very|really|lots? of|"
    r"a lot of|plenty of|"
    r"only|just|mostly|both|kinds? of|those|these) "
)
_PRONOUN: Final = re.compile(
    r"(?:it|that|this|them|these|those|him|her|you|your|us|me|what|how|when|where|who|one|ones|"
    r"something|anything|"
    r"nothing|everything|everyone|someone|being able|the (?:idea|way|fact|first|second|third|"
    r"last|other|following|above|one|rest|same|result|answer|code)|option|to be)\b"
)
_SEVERAL: Final = re.compile(r" (?:and|or|nor|than|as|&) |[,/]")
_ADJECTIVES: Final = word_set(
    "new current present latest own actual very personal usual regular dear beloved lovely "
    "little brand-new"
)
#: In a noun phrase these mean that it is none: the pattern ran over a verb or into another clause.
_NO_NOUN: Final = word_set(
    "i you he she it we they who that which said says say thinks think told tells claims asked "
    "wants is are was "
    "were be been had has have does did old former previous past ex late first last next other "
    "another not and "
    "or but if because when while as so than then will would can could should might must there "
    "here what how"
)


def value_of(text: str) -> str:
    """What a thing is said to be: to the end of its clause, without the time at its end."""
    value = text.lower()
    if end := _CLAUSE_END.search(value):
        value = value[: end.start()]
    value = value[:_MAX_VALUE_CHARS].strip(" .:\"'“”\u2019")
    for _ in range(4):
        shorter = _TAIL.sub("", value)
        if shorter == value:
            break
        value = shorter.strip()
    return value


def bare(value: str) -> str:
    """A value without article and without what only narrows it: ``the lisbon from porto`` is ``lisbon``."""
    return _NARROWER.sub("", re.sub(r"^(?:an?|the|my|called|named) ", "", value)).strip()


def activity(verb: str) -> str:
    """A verb without ``-ing`` and final ``e``, so that ``dance`` and ``dancing`` are one."""
    base = verb.removesuffix("ing")
    if base == verb or len(base) < 2 or not re.search(r"[aeiouy]", base):
        return verb[:-1] if verb.endswith("e") and len(verb) > 2 else verb
    return base[:-1] if len(base) > 2 and base[-1] == base[-2] and base[-1] not in "lsz" else base


def object_of(text: str, *, alone: bool = False) -> str | None:
    """What is liked, eaten or used; None where it is several things, a pronoun, or too long to be a key.

    Args:
        text: What follows the verb.
        alone: The verb may stand without an object; then that is an empty text.
    """
    value = value_of(text)
    if not value:
        return "" if alone else None
    if _PRONOUN.match(value) or _SEVERAL.search(value):
        return None
    for _ in range(3):
        value = _DETERMINER.sub("", value, count=1) if _DETERMINER.match(value) else value
    words = value.split()
    if words and words[0] == "to":
        words = words[1:]
        words[:1] = [activity(word) for word in words[:1]]
    elif words and words[0].endswith("ing"):
        words[0] = activity(words[0])
    if not words or len(words) > _MAX_OBJECT_WORDS or _PRONOUN.match(words[0]):
        return None
    words[-1] = singular(words[-1].strip("'\".:"))
    return " ".join(words) or None


def noun(text: str) -> str:
    """A noun phrase as a key: lower case, singular, without ``new`` and ``current``; empty where it is none."""
    words = [word.removesuffix("'s") for word in text.lower().split()]
    words = [
        singular(w) for w in words if w not in _ADJECTIVES and w not in {"the", "a", "an", "my", "our"}
    ]
    if not 0 < len(words) <= _MAX_OBJECT_WORDS or not _NO_NOUN.isdisjoint(words):
        return ""
    return " ".join(words)
