"""Words for the offline model: cleaning, sentences, kinds of sentence, and light English stemming."""

from __future__ import annotations

import re
from enum import Enum

_FUNCTION_WORDS = """
a about after again all also am an and any anybody anyone anything are as ask at be because been
before being but by can could did do does doing done else ever every everything few for get give
go got had has have having he hello help her here hey hi him his how i if in into is it its just
know known let list ll lot many may maybe me mean might mine more most much must my myself no
not now of oh ok okay on one only or other our out over per please re really recall remember
remembered remind said say says shall she should show so some something still such sure tell
than thank thanks that the their them then there these they thing things think this those to
today told too up us user ve very was we well were what whats when where which while who whom
whose why will with would yes yet you your yours
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]+")
_SENTENCE_END = re.compile(r"(?<=[\u3002\uff01\uff1f])\s*|(?<=[.!?\u061f])\s+|\n+")

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_AUXILIARY = (
    r"(?:is|are|was|were|am|do|does|did|can|could|should|would|will|shall|have|has|had|may|might|must)"
)
_QUESTION = re.compile(
    rf"(?:(?:and|so|but|ok|okay|well|please|hey|hi)\b[\s,]+)*"
    rf"(?:(?:what|who|whom|whose|where|when|why|which|how)(?:['\u2019]?s\b|\s+{_AUXILIARY}\b"
    rf"|\s+\w+\s+{_AUXILIARY}\b|\s+(?:much|many|about|often|long|old)\b|[\s.]*$)"
    rf"|{_AUXILIARY}(?:n['\u2019]t)?\s+(?:i|you|we|my|your|our|it|this|that|there|the)\b"
    r"|(?:tell|remind|show|give)\s+(?:me|us)\b|(?:list|recall|summari[sz]e|describe)\b"
    r"|remember\s+me\b)",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"(?:please\s+)?(?:write|make|create|draft|explain|translate|generate|help|plan|build|find|suggest"
    r"|compare|calculate|compute|design|improve|rewrite|fix|solve|send|book|search|look\s+up)\s+\S",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|hiya|howdy|good\s+(?:morning|afternoon|evening|day))(?:\s+(?:there|again|all))?\W*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:thanks|thank\s+you|thx|cheers)(?:\s+(?:a\s+lot|so\s+much|very\s+much))?\W*", re.IGNORECASE
)


class SentenceKind(Enum):
    """What a sentence asks of its reader."""

    QUESTION = "question"
    REQUEST = "request"
    STATEMENT = "statement"
    GREETING = "greeting"
    THANKS = "thanks"


def clean(text: str) -> str:
    """``text`` without what JSON or PostgreSQL cannot store: lone surrogates and control characters."""
    return _CONTROL.sub("", _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str) -> str:
    """``text`` with every run of whitespace made one space."""
    return " ".join(text.split())


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, cut between words where one is near."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head = cut.rsplit(" ", 1)[0]
    return (head if len(head) > limit // 2 else cut).rstrip(" ,;:") + "…"


def sentences(text: str) -> list[str]:
    """The sentences and lines of ``text``, in order, without empty ones."""
    return [part for raw in _SENTENCE_END.split(text) if (part := one_line(raw))]


def kind_of(sentence: str) -> SentenceKind:
    """Tells by the sentence's mark and opening words what kind of sentence it is."""
    if _GREETING.fullmatch(sentence):
        return SentenceKind.GREETING
    if _THANKS.fullmatch(sentence):
        return SentenceKind.THANKS
    if sentence.rstrip("\"'\u201d\u2019) ").endswith(("?", "\uff1f", "\u061f")) or _QUESTION.match(
        sentence
    ):
        return SentenceKind.QUESTION
    if _REQUEST.match(sentence):
        return SentenceKind.REQUEST
    return SentenceKind.STATEMENT


def stem(word: str) -> str:
    """The stem of a casefolded word: plural, past, -ing, -ly and a final e are taken off.

    A shortened Porter stemmer (Porter 1980, steps 1 and 5a): both sides of a comparison pass through it,
    so it only has to be consistent.
    """
    if not word.isascii() or not word.isalpha() or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix in ("ing", "ed", "ly"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word.removesuffix(suffix)
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if word.endswith("y") and len(word) > 3:
        word = word[:-1] + "i"
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def content_words(text: str) -> list[str]:
    """The stems of the words of ``text`` that carry meaning, each once, in order.

    Scripts written without spaces are cut into overlapping pairs of characters instead.
    """
    found: dict[str, None] = {}
    for match in _WORD.finditer(text.casefold()):
        word = match.group().replace("\u2019", "'").removesuffix("'s").split("'")[0]
        if not word or word in _STOP_WORDS:
            continue
        if _UNSPACED.fullmatch(word):
            for start in range(max(1, len(word) - 1)):
                found.setdefault(word[start : start + 2])
        elif len(word) > 1 or word.isdigit():
            found.setdefault(stem(word))
    return list(found)
