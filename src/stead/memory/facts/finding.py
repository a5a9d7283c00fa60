"""Facts that people state about themselves, found by rule. No model is asked: this always runs.

What is found counts (``importance``) by its kind: constraint 0.9, identity 0.8, goal 0.7, preference 0.6, plan
0.6, statement 0.4; never less than 0.7 where it was asked to be remembered. How sure it is (``confidence``): a
plain statement 0.9, one about "us" and one in another language 0.8, one that leaves out its subject 0.7, a hedged
one ("I think", "maybe") 0.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from stead.memory.facts import patterns
from stead.memory.facts.categories import category_of
from stead.memory.facts.echoes import strip_injected
from stead.memory.facts.idle import is_idle
from stead.memory.facts.languages import foreign_fact
from stead.memory.facts.own_words import is_english, is_pasted
from stead.memory.facts.poisoning import gives_power, is_poison, may_take_over, takes_over
from stead.memory.facts.sentences import clauses, sentences
from stead.memory.facts.topics import Topic, topic_of

_MIN_CHARS: Final = 6
_MAX_CHARS: Final = 400
_MAX_FACTS: Final = 12
#: What is longer than this is a text and not something said. Sentences beyond the first are not looked at, nor
#: candidates after so many characters of them: the work for one message has an end, whatever is in it.
_MAX_SENTENCES: Final = 1000
_MAX_LOOKED_CHARS: Final = 3000

IMPORTANCE: Final = {
    "constraint": 0.9,
    "identity": 0.8,
    "goal": 0.7,
    "preference": 0.6,
    "plan": 0.6,
    "statement": 0.4,
}
_PLAIN, _SHARED, _ELIDED, _HEDGED = 0.9, 0.8, 0.7, 0.5
_ASKED: Final = 0.7

_ONE_CHARACTER: Final = {
    **{ord(c): " " for c in "\t\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u202f\u205f\u3000"},
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    0x2019: "'",
    0x02BC: "'",
}
_BULLET: Final = re.compile(r"(?:[-*•+]|\d{1,2}[.)]) ")
_LANGUAGE: Final = re.compile(
    r"\b(?:answer|reply|respond|write|speak|talk)\b.{0,20}\bin (\w{4,12})\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A sentence that states something about its speaker.

    Args:
        text: The sentence, or the clause of it, as it was said.
        category: ``identity``, ``preference``, ``goal``, ``constraint``, ``plan`` or ``statement``.
        topic: What can have one value at a time, and has one here: a later fact of the same topic with another
            value holds instead. None where any number can hold side by side.
        value: What it says of its topic, normalised: equal where two say the same. ``not porto`` takes back that
            value only, ``none`` any.
        correction: It takes back something said before.
        confidence: How sure it is, from 0 to 1.
        importance: How much it matters, from 0 to 1.
        said_at: When it was said: what its "tomorrow" is counted from.
    """

    text: str
    category: str
    topic: str | None = None
    value: str | None = None
    correction: bool = False
    confidence: float = _PLAIN
    importance: float = 0.5
    said_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class _Clause:
    text: str
    category: str
    topic: Topic | None
    confidence: float


def find_facts(text: str, *, said_at: datetime | None = None) -> list[Fact]:
    """The facts in what a person said: statements in the first person, never questions or commands.

    Nothing comes from memory blocks, quoted lines, quotations, fenced code, from a text that the agent was given
    to work on, from role-play, or from what follows an attempt to give the agent other rules.

    Args:
        text: One message.
        said_at: When it was said; kept with each fact.

    Returns:
        At most twelve, in their order, without repetition. Each one's text is a stretch of the message.
    """
    found: dict[str, Fact] = {}
    seen: set[str] = set()
    left = _MAX_LOOKED_CHARS
    for raw in islice(sentences(strip_injected(text)), _MAX_SENTENCES):
        if (key := raw.casefold()) in seen:
            continue
        seen.add(key)
        # Of what is too long to be a sentence, the beginning tells whether what follows is the speaker's own.
        plain = _plain(raw[:_MAX_CHARS])
        if patterns.ROLE_PLAY.match(plain) or patterns.is_payload(plain):
            break
        if not (may_say := patterns.may_say(plain)) and not may_take_over(plain):
            continue
        left -= len(plain)
        if left < 0 or takes_over(plain):
            break
        if may_say and _is_sentence(raw, plain):
            for fact in _in_sentence(_before_question(raw, plain), said_at):
                if not is_poison(raw):
                    found.setdefault(fact.text.casefold().rstrip(" .!…"), fact)
        if len(found) >= _MAX_FACTS:
            break
    return list(found.values())[:_MAX_FACTS]


def _plain(text: str) -> str:
    """As many characters as before, so that places in one are places in the other."""
    return text.translate(_ONE_CHARACTER)


def _is_sentence(raw: str, plain: str) -> bool:
    return (
        _MIN_CHARS <= len(raw) <= _MAX_CHARS
        and not raw.startswith("/")
        and not is_pasted(plain)
        and not patterns.HYPOTHETICAL.search(plain)
    )


def _before_question(raw: str, plain: str) -> str:
    """The statement that a question follows in one sentence; empty where all of it asks."""
    if "?" not in raw[-4:]:
        return raw
    comma = patterns.ASKS_AFTER.search(plain, max(plain.find(","), 0))
    return raw[: comma.start()] if comma and plain[comma.start()] == "," else ""


def _in_sentence(raw: str, said_at: datetime | None) -> Iterator[Fact]:
    start, asked = _without_front(raw)
    said = raw[start:].rstrip()
    plain = _plain(said)
    if len(said) < 3 or "?" in said[-4:]:
        return
    if patterns.is_manner(plain) or (asked and patterns.is_manner(f"always {plain}")):
        language = _LANGUAGE.search(plain)
        topic = (
            Topic(key="answer:language", value=language[1].lower(), category="preference")
            if language
            else None
        )
        yield _fact(
            said,
            plain,
            _Clause(text=said, category="preference", topic=topic, confidence=_PLAIN),
            said_at,
            asked=asked,
        )
        return
    spans = clauses(plain)
    first = plain[slice(*spans[0])]
    # Whoever reports what others say, reports it to the end of the sentence.
    if patterns.is_hearsay(first):
        return
    pieces = [(a, b, _clause(said[a:b])) for a, b in spans]
    facts = [piece for piece in pieces if piece[2] is not None]
    if not facts:
        if asked and (fact := _asked_for(said, plain)):
            yield _fact(said, plain, fact, said_at, asked=True)
        return
    for text, clause in _joined(said, pieces):
        yield _fact(text, _plain(text), clause, said_at, asked=asked)


def _without_front(raw: str) -> tuple[int, bool]:
    """Where the sentence begins behind fillers, list signs and "remember that"; whether the last was there."""
    plain = _plain(raw)
    at, asked = 0, False
    for _ in range(3):
        before = at
        if bullet := _BULLET.match(plain, at):
            at = bullet.end()
        if filler := patterns.FILLER.match(plain, at):
            at = filler.end()
        if remember := patterns.REMEMBER.match(plain, at):
            at, asked = remember.end(), True
        while at < len(plain) and plain[at] in " ,!.:;-\u2013—":
            at += 1
        if at == before:
            break
    return at, asked


def _joined(said: str, pieces: list[tuple[int, int, _Clause | None]]) -> Iterator[tuple[str, _Clause]]:
    """Clauses with a topic stand by themselves, so that one can be superseded without the other. Otherwise the
    sentence stays whole: "I went to Rome and I loved it" is one thing."""
    facts = [clause for _, _, clause in pieces if clause is not None]
    if len(facts) == 1 or not any(clause.topic for clause in facts):
        yield said, facts[0]
        return
    start, held = 0, None
    end = 0
    for begin, stop, clause in pieces:
        if clause is not None:
            if held is not None:
                yield said[start:end].strip(" ,;"), held
                start = begin
            held = clause
        end = stop
    if held is not None:
        yield said[start:end].strip(" ,;"), held


def _clause(text: str) -> _Clause | None:
    """What a clause says, or None where it says nothing worth keeping."""
    plain = " ".join(_plain(text).split())
    if foreign := foreign_fact(plain):
        category, topic = foreign
        return _Clause(text=text, category=category, topic=topic, confidence=0.8)
    hedged = bool(patterns.HEDGED.search(plain))
    for _ in range(2):
        if lead := patterns.LEAD.match(plain):
            plain = plain[lead.end() :]
        if hedge := patterns.HEDGE.match(plain):
            plain, hedged = plain[hedge.end() :], True
    confidence = _HEDGED if hedged else _PLAIN
    named = True
    if adverbial := patterns.ADVERBIAL.match(plain):
        plain, named = plain[adverbial.end() :], False
    elif elided := patterns.ELIDED.match(plain):
        plain = f"{'I am' if elided['am'] else 'I'} {plain[0].lower()}{plain[1:]}"
        confidence = min(confidence, _ELIDED)
    subject = patterns.SUBJECT.match(plain)
    if subject is None:
        return _about_me(text, plain, confidence)
    if not is_english(plain) or patterns.is_hearsay(plain):
        return None
    topic = topic_of(plain) if named else None
    if topic is None and is_idle(plain):
        return None
    if subject[0].lower().startswith("w"):
        confidence = min(confidence, _SHARED)
    return _Clause(
        text=text,
        category=topic.category if topic and topic.category != "statement" else category_of(plain),
        topic=topic,
        confidence=confidence,
    )


def _about_me(text: str, plain: str, confidence: float) -> _Clause | None:
    for pattern, category in patterns.ABOUT_ME:
        if pattern.match(plain):
            if patterns.is_hearsay(plain) or is_idle(plain):
                return None
            topic = topic_of(plain)
            return _Clause(
                text=text,
                category=topic.category if topic else category,
                topic=topic,
                confidence=confidence,
            )
    return None


def _asked_for(said: str, plain: str) -> _Clause | None:
    """What is to be remembered though it is not about the speaker: kept unless it could give anybody power."""
    if gives_power(said) or len(plain.split()) < 3 or is_idle(plain) or not is_english(plain):
        return None
    if re.match(r"(?:when|how|what|who|where|why|if|to|it|this|that|the time)\b", plain, re.IGNORECASE):
        return None
    return _Clause(text=said, category="statement", topic=None, confidence=_PLAIN)


def _fact(text: str, plain: str, clause: _Clause, said_at: datetime | None, *, asked: bool) -> Fact:
    importance = IMPORTANCE[clause.category]
    return Fact(
        text=text,
        category=clause.category,
        topic=clause.topic.key if clause.topic else None,
        value=clause.topic.value if clause.topic else None,
        correction=bool(patterns.CORRECTION.search(plain)),
        confidence=clause.confidence,
        importance=max(importance, _ASKED) if asked else importance,
        said_at=said_at,
    )
