"""Facts drawn from a conversation by a model: what is asked of it, and what of its answer is believed.

No provider is known here: whoever has a model hands in a `Completion`. What a model says is a proposal. Its
references are checked against what it was given, only a person's own words may be the source of a fact, and
the rule against poison holds for its words as for theirs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, Protocol, cast

from jsonschema import Draft202012Validator

from stead.memory.errors import ExtractionInvalid
from stead.memory.extraction.prompt import (
    ANSWER_SCHEMA,
    INSTRUCTIONS,
    MAX_FACTS,
    MAX_TEXT_CHARS,
    as_text,
)
from stead.memory.facts.echoes import is_echo, strip_injected
from stead.memory.facts.poisoning import is_poison, takes_over
from stead.memory.facts.topics import topic_named, topic_of
from stead.memory.facts.words import content_words

MAX_TURNS: Final = 64
MAX_KNOWN: Final = 200
_MIN_CHARS: Final = 6
_VALIDATOR: Final = Draft202012Validator(ANSWER_SCHEMA)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model answered.

    Args:
        data: The answer, which should follow the schema that was asked for.
        input_tokens: All that were read.
        output_tokens: All that were written.
        cost_usd: By list price; None for a model whose price is not known.
        model: Its name with the provider.
    """

    data: dict[str, Any]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    model: str


class Completion(Protocol):
    """A model that answers in JSON. Called outside of any transaction; its own failures pass through."""

    async def __call__(self, *, instructions: str, text: str, schema: dict[str, Any]) -> Answer: ...


@dataclass(frozen=True, kw_only=True)
class ExtractionTurn:
    """One turn of the conversation.

    Args:
        speaker: Only what a ``user`` said can be the source of a fact; the rest is there to be understood by.
        text: What was said.
        said_at: When: what "tomorrow" is counted from.
    """

    speaker: Literal["user", "assistant"]
    text: str
    said_at: datetime


@dataclass(frozen=True, kw_only=True)
class KnownFact:
    """A fact that holds already.

    Args:
        text: As it is stored.
        topic: Its topic, if it has one.
    """

    text: str
    topic: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExtractedFact:
    """A fact that a model proposed and that passed every check.

    Args:
        text: A sentence in the first person that can be understood by itself.
        category: As of `stead.memory.Fact`.
        topic: By rule where a rule knows one, otherwise the model's.
        confidence: From 0 to 1; ``importance`` likewise.
        turn_indices: The turns of a person that it comes from, in ascending order.
        supersedes: The known fact that it takes the place of.
        event_from: The first day of what it tells of, ``event_to``: the last.
    """

    text: str
    category: str
    topic: str | None
    confidence: float
    importance: float
    turn_indices: tuple[int, ...]
    supersedes: int | None
    event_from: date | None
    event_to: date | None


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What came of asking a model.

    Args:
        facts: Those that passed.
        dropped: How many did not, by reason: ``source`` (a turn that is not there, or not a person's),
            ``supersedes`` (a known fact that is not there), ``text`` (empty, too long, not storable), ``number``
            (out of bounds), ``dates``, ``poison``, ``echo`` (known already), ``repeated``, ``ungrounded`` (none of
            its words was said), ``too_many``.
        model: None when none had to be asked.
        cost_usd: None when the model's price is not known.
    """

    facts: tuple[ExtractedFact, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    model: str | None = None


async def extract(
    complete: Completion, turns: Sequence[ExtractionTurn], known: Sequence[KnownFact]
) -> Extraction:
    """Asks a model for the facts in some turns and keeps those that can be believed.

    A turn in which somebody speaks to the machine and its rules is not shown to the model. If no person said
    anything, no model is asked. Nothing is tried twice.

    Args:
        complete: The model.
        turns: In their order; at most 64. What was injected into them or quoted in them is taken out.
        known: Facts that hold and could be repeated or superseded; at most 200.

    Raises:
        ExtractionInvalid: The answer does not follow the schema. Its tokens are in the error's ``extra``.
        ValueError: There are more turns or known facts than allowed.
    """
    if len(turns) > MAX_TURNS or len(known) > MAX_KNOWN:
        raise ValueError(f"at most {MAX_TURNS} turns and {MAX_KNOWN} known facts at a time")
    said = [_said(turn) for turn in turns]
    if not any(text for turn, text in zip(turns, said, strict=True) if turn.speaker == "user"):
        return Extraction()
    shown = [
        (n, turn.speaker, turn.said_at, text)
        for n, (turn, text) in enumerate(zip(turns, said, strict=True))
        if text
    ]
    answer = await complete(
        instructions=INSTRUCTIONS,
        text=as_text(shown, [(fact.text, fact.topic) for fact in known]),
        schema=ANSWER_SCHEMA,
    )
    facts, dropped = _checked(_proposals(answer), turns, said, known)
    return Extraction(
        facts=tuple(facts),
        dropped=dropped,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        cost_usd=answer.cost_usd,
        model=answer.model,
    )


def _said(turn: ExtractionTurn) -> str:
    text = strip_injected(turn.text).strip()
    return "" if any(takes_over(line) for line in text.splitlines()) else text


def _proposals(answer: Answer) -> list[dict[str, Any]]:
    problem = next(iter(_VALIDATOR.iter_errors(answer.data)), None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if problem is not None:
        # Where, not what: what stands there may be somebody's words.
        where = "/".join(str(step) for step in problem.absolute_path) or "the answer"
        raise ExtractionInvalid(
            f"{where} does not follow the schema ({problem.validator})",
            hint="It is tried again with the next turns; a model that keeps failing is better replaced.",
            model=answer.model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cost_usd=answer.cost_usd,
        )
    return cast("list[dict[str, Any]]", answer.data["facts"])


def _checked(
    proposals: Sequence[dict[str, Any]],
    turns: Sequence[ExtractionTurn],
    said: Sequence[str],
    known: Sequence[KnownFact],
) -> tuple[list[ExtractedFact], dict[str, int]]:
    facts: list[ExtractedFact] = []
    dropped: Counter[str] = Counter()
    for proposal in proposals:
        reason, fact = _check(proposal, turns, said, known)
        if fact is not None and len(facts) == MAX_FACTS:
            reason = "too_many"
        elif fact is not None and is_echo(fact.text, [other.text for other in facts]):
            reason = "repeated"
        if fact is None or reason:
            dropped[reason] += 1
        else:
            facts.append(fact)
    return facts, dict(dropped)


def _check(
    proposal: dict[str, Any],
    turns: Sequence[ExtractionTurn],
    said: Sequence[str],
    known: Sequence[KnownFact],
) -> tuple[str, ExtractedFact | None]:
    text = " ".join(str(proposal["text"]).split())
    sources = sorted({int(n) for n in proposal["turn_indices"]})
    old = proposal["supersedes_index"]
    confidence, importance = float(proposal["confidence"]), float(proposal["importance"])
    span = _span(proposal["event_from"], proposal["event_to"])
    reasons = (
        ("text", not _MIN_CHARS <= len(text) <= MAX_TEXT_CHARS or not _storable(text)),
        ("source", not sources or any(not _is_source(n, turns, said) for n in sources)),
        ("supersedes", old is not None and not 0 <= old < len(known)),
        ("number", not _share(confidence) or not _share(importance)),
        ("dates", span is None),
    )
    reason = next((name for name, failed in reasons if failed), "")
    if reason or span is None:
        return reason, None
    if is_poison(text):
        return "poison", None
    if is_echo(text, [fact.text for fact in known]):
        return "echo", None
    if not _grounded(text, sources, said):
        return "ungrounded", None
    ruled = topic_of(text)
    return "", ExtractedFact(
        text=text,
        category=proposal["category"],
        topic=ruled.key if ruled else topic_named(proposal["topic"]),
        confidence=confidence,
        importance=importance,
        turn_indices=tuple(sources),
        supersedes=None if old is None else int(old),
        event_from=span[0],
        event_to=span[1],
    )


def _is_source(n: int, turns: Sequence[ExtractionTurn], said: Sequence[str]) -> bool:
    return 0 <= n < len(turns) and turns[n].speaker == "user" and bool(said[n])


def _share(number: float) -> bool:
    # JSON as Python reads it has NaN, which is neither below 0 nor above 1.
    return math.isfinite(number) and 0 <= number <= 1


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _span(first: str | None, last: str | None) -> tuple[date | None, date | None] | None:
    """The days, or None where they are none or run backwards."""
    try:
        start = date.fromisoformat(first) if first else None
        end = date.fromisoformat(last) if last else None
    except ValueError:
        return None
    return None if start and end and end < start else (start, end or start)


def _grounded(text: str, sources: Sequence[int], said: Sequence[str]) -> bool:
    """Whether anything of it was said. "Yes, the blue one" is understood by the turn before it."""
    near = " ".join(said[m] for n in sources for m in (n - 1, n) if m >= 0)
    words = set(content_words(text))
    # Where words are not set apart by spaces, they cannot be compared.
    spaced = all(len(word) < 25 and word.isascii() for word in words)
    return not spaced or not near.isascii() or not words or not words.isdisjoint(content_words(near))
