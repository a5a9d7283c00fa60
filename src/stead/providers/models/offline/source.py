"""What a user's text offers to fill a schema with: named values, list elements, numbers, phrases."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import cast

from stead.providers.models.offline.words import clean, one_line, sentences, shorten, stem

_NAMED = re.compile(r"\s*(?:[-*•]\s*)?(?P<key>[^\W\d_][\w /-]{0,40}?)\s*:(?:\s+(?P<value>\S.*))?$")
_BULLET = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+(?P<element>\S.*)$")
_LIST_LEAD = re.compile(
    r".*\b(?:with|including|includes|like|as|for|are|is|using|use|need|needs|want)\s+", re.IGNORECASE
)
_COMMA = re.compile(r"[,;\u3001\uff0c]")
_QUOTED = re.compile(r"[\"\u201c\u00ab]([^\"\u201c\u201d\u00ab\u00bb]{1,80})[\"\u201d\u00bb]")
_CALLED = re.compile(r"\b(?:called|named|titled)\s+([^\s,.;:!?]+(?:\s+[A-Z][^\s,.;:!?]*){0,5})")
_NUMBER = re.compile(
    r"(?<![\w.,])-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.[0-9]{1,6})?(?![.,]?[0-9])"
)
_WORDS_OF_NAME = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")
_TITLE_WORDS = 6
_TITLE_LIMIT = 80
_ELEMENT_LIMIT = 200
_MOST_ELEMENTS = 20
_TEXT_LIMIT = 20_000
_DEEPEST_JSON = 32


def name_words(name: str) -> frozenset[str]:
    """The stems of the words in an identifier or a heading: ``app_name`` and ``App names`` are alike."""
    return frozenset(stem(word.casefold()) for word in _WORDS_OF_NAME.findall(name))


@dataclass(frozen=True, kw_only=True)
class Source:
    """A text and what it names and lists.

    ``named`` are the members of a JSON object or lines such as ``Key: value``; ``listed`` the elements
    of a list that stands under no name; ``lead`` the part that a title is taken from, if not the whole.
    """

    text: str = ""
    named: tuple[tuple[frozenset[str], object], ...] = ()
    listed: tuple[object, ...] = ()
    lead: str = ""
    is_element: bool = False

    def lookup(self, name: str) -> object:
        """The value named ``name``, or named by some of its words or more than them; else None."""
        words = name_words(name)
        if not words:
            return None
        for key, value in self.named:
            if key == words:
                return value
        return next((value for key, value in self.named if key and (key <= words or words < key)), None)

    @cached_property
    def line(self) -> str:
        """The whole text on one line."""
        return one_line(self.text)

    @cached_property
    def title(self) -> str:
        """A short phrase for the text: what it quotes or calls by name, else its first words."""
        lead = self.lead or self.text
        if match := _QUOTED.search(lead) or _CALLED.search(lead):
            return one_line(match.group(1))
        first = next(iter(sentences(lead)), "")
        head = first.split(": ", 1)[0].split(" - ", 1)[0].split(" \u2014 ", 1)[0]
        words = head.split()
        if len(words) > _TITLE_WORDS:
            return shorten(" ".join(words[:_TITLE_WORDS]).rstrip(",;:") + "…", _TITLE_LIMIT)
        return shorten(head.rstrip(".!?,;: ") or head, _TITLE_LIMIT)

    def number_near(self, name: str) -> float | None:
        """The number that stands beside a word of ``name`` in the text, as in ``about 40 hours``."""
        words = name_words(name)
        for match in _NUMBER.finditer(self.text) if words else ():
            before = self.text[max(0, match.start() - 30) : match.start()].split()[-1:]
            after = self.text[match.end() : match.end() + 30].split()[:1]
            if words & name_words(" ".join([*before, *after])):
                return _parsed(match.group())
        return None


def source_of(value: object) -> Source:
    """Reads a string (plain, or one that holds a JSON document) or a JSON value."""
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, Mapping):
        return _of_object(cast("Mapping[str, object]", value))
    if isinstance(value, list):
        listed = tuple(cast("list[object]", value)[:_MOST_ELEMENTS])
        return Source(text="\n".join(f"- {plain(element)}" for element in listed), listed=listed)
    return _of_text(plain(value))


def element_source(element: object) -> Source:
    """The source of one element of a list."""
    return replace(source_of(element), is_element=True)


def split_list(text: str) -> list[str]:
    """The parts of ``text`` between commas and semicolons."""
    return [part for raw in _COMMA.split(text) if (part := raw.strip())]


def plain(value: object) -> str:
    """A JSON value as words."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return ", ".join(filter(None, map(plain, cast("list[object]", value))))
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value).items()
        return "; ".join(f"{clean(key)}: {plain(member)}" for key, member in members)
    return "" if value is None else json.dumps(value)


def as_number(value: object) -> float | None:
    """A finite number of ordinary size from a JSON value or the first number in a string."""
    if isinstance(value, str):
        match = _NUMBER.search(value)
        return _parsed(match.group()) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -1e12 < value < 1e12 and math.isfinite(value) else None


def _parsed(number: str) -> float:
    return float(number.replace(",", ""))


def _of_text(text: str) -> Source:
    text = clean(text)[:_TEXT_LIMIT].strip()
    if text[:1] in ("{", "[") and text[-1] in "}]" and _is_shallow(text):
        try:
            return source_of(json.loads(text))
        except ValueError:
            pass
    named: list[tuple[frozenset[str], object]] = []
    loose: list[str] = []
    under_heading: list[object] | None = None
    for raw in text.split("\n"):
        bullet = _BULLET.match(raw)
        if bullet and under_heading is not None:
            under_heading.append(one_line(bullet["element"])[:_ELEMENT_LIMIT])
        elif match := _NAMED.match(raw):
            under_heading = None if match["value"] else []
            value = one_line(match["value"]) if match["value"] else under_heading
            named.append((name_words(match["key"]), value))
        elif raw.strip():
            under_heading = None
            loose.append(raw)
    # A heading with nothing under it names nothing.
    filled = tuple((key, value) for key, value in named if value)
    lead = "\n".join(loose) or next((value for _, value in filled if isinstance(value, str)), "")
    return Source(text=text, named=filled, listed=_listed(loose), lead=lead)


def _of_object(value: Mapping[str, object]) -> Source:
    given = {key: member for key, member in value.items() if member not in (None, "")}
    strings = {
        name_words(key): clean(member) for key, member in given.items() if isinstance(member, str)
    }
    return Source(
        text=plain(given)[:_TEXT_LIMIT],
        named=tuple((name_words(key), member) for key, member in given.items()),
        lead=strings.get(name_words("title"))
        or strings.get(name_words("name"))
        or next(iter(strings.values()), ""),
    )


def _is_shallow(text: str) -> bool:
    """Whether ``text`` nests so little that reading it as JSON cannot exhaust the stack."""
    steps = ((char in "[{") - (char in "]}") for char in text)
    return max(accumulate(steps), default=0) <= _DEEPEST_JSON


def _listed(lines: Sequence[str]) -> tuple[str, ...]:
    """The elements of a list in loose text: bullet lines, else the longest comma list."""
    found = [match["element"] for raw in lines if (match := _BULLET.match(raw))]
    for sentence in () if found else sentences("\n".join(lines)):
        found = max(found, _comma_list(sentence), key=len)
    return tuple(one_line(element)[:_ELEMENT_LIMIT] for element in found[:_MOST_ELEMENTS])


def _comma_list(sentence: str) -> list[str]:
    """The elements of ``a, b and c`` in a sentence; at least three, or it is ordinary punctuation."""
    body = sentence.rpartition(": ")[2].rstrip(".!?")
    parts = split_list(body)
    if len(parts) < 2:
        return []
    last = re.split(r"\s+(?:and|or|&)\s+", re.sub(r"^(?:and|or|&)\s+", "", parts[-1]))
    parts[-1:] = [part for part in last if part] or parts[-1:]
    if lead := _LIST_LEAD.match(parts[0]):
        parts[0] = parts[0][lead.end() :] or parts[0]
    return parts if len(parts) >= 3 and all(len(part.split()) <= 6 for part in parts) else []
