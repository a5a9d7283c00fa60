"""The words of the offline model: what it answers, and where each sentence comes from.

Every answer is labelled, and everything it says about the user is quoted from a memory, from this
conversation or from a tool's output. It makes nothing up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stead.providers.models.offline.context import answers_in, context_in
from stead.providers.models.offline.input import Reading
from stead.providers.models.offline.memories import Remembered, rank
from stead.providers.models.offline.words import (
    SentenceKind,
    content_words,
    kind_of,
    one_line,
    sentences,
    shorten,
)

LABEL = "[offline model]"
NOTICE = (
    "No language model is configured, so this answer is put together by rule "
    "(set STEAD_MODEL to use a real one)."
)

_MOST_QUOTED = 5
_MOST_ANSWERS = 50
_FACT_LIMIT = 400
_QUESTION_LIMIT = 2000
_OUTPUT_LIMIT = 4000
# These ask about the person as a whole, whatever other words stand beside them.
_ABOUT_ME = re.compile(
    r"\bwho\s+am\s+i\b|\b(?:remember|recall)\s+(?:me|us)\b"
    r"|\b(?:know|remember|recall|noted|learned)\s+(?:(?:anything|everything|so\s+far)\s+)?"
    r"(?:about|of)\s+(?:me|myself|us)\b"
    r"|\b(?:have|did)\s+i\s+(?:told|tell)\s+you(?:\s+so\s+far|\s+before)?\W*$"
    r"|\bdid\s+we\s+(?:talk|speak|discuss)(?:\s+about)?(?:\s+last\s+time|\s+before)?\W*$",
    re.IGNORECASE,
)
# These do so only where the question has no words of its own to search for.
_REMEMBERING = re.compile(r"\b(?:know|remember|recall|remind|tell|told|said|say)\b", re.IGNORECASE)
_ASKED_TO_REMEMBER = re.compile(r"^(?:please\s+)?(?:remember|note)(?:\s+that|:)\s+", re.IGNORECASE)
_ABOUT_YOU = re.compile(r"\b(?:who|what)\s+are\s+you\b|\bwhat\s+can\s+you\s+do\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"(?:i|i['\u2019](?:m|ve|d|ll)|my|we|our)\b", re.IGNORECASE)
_USER_IS = re.compile(r"(?:the\s+)?user\s+(is|was|has)\s+", re.IGNORECASE)
_USERS = re.compile(r"(?:the\s+)?user['\u2019]s\s+", re.IGNORECASE)
_SECOND_PERSON = {"is": "You are ", "was": "You were ", "has": "You have "}


def labelled(body: str, *, first: bool) -> str:
    """``body`` under the label; the first answer of a conversation also says what the label means."""
    return f"{LABEL} {body}\n\n{NOTICE}" if first else f"{LABEL} {body}"


def answer(reading: Reading, memories: Sequence[Remembered]) -> str:
    """The answer to a reading of the input, without its label."""
    if reading.results:
        return "\n".join(
            f"The tool `{result.tool}` returned: {_shown(result.output)}" for result in reading.results
        )
    given = context_in(reading.user_text)
    if given is not None:
        return _told_again(answers_in(given))
    by_kind: dict[SentenceKind, list[str]] = {kind: [] for kind in SentenceKind}
    for sentence in sentences(reading.user_text):
        by_kind[kind_of(sentence)].append(sentence)
    facts = _ASKED_TO_REMEMBER.sub("", " ".join(by_kind[SentenceKind.STATEMENT]))
    asked = shorten(" ".join(by_kind[SentenceKind.QUESTION]), _QUESTION_LIMIT)
    wanted = " ".join(by_kind[SentenceKind.REQUEST])

    parts: list[str] = []
    if by_kind[SentenceKind.GREETING]:
        parts.append("Hello.")
    if by_kind[SentenceKind.THANKS]:
        parts.append("You are welcome.")
    if facts:
        parts.append(f"Noted: {_ended(shorten(facts, _FACT_LIMIT))}")
    if wanted:
        parts.append("Doing that takes a language model.")
    if asked:
        parts.append(_answer_question(asked, reading, memories))
    elif facts or wanted:
        related = _without(facts, rank(facts + " " + wanted, memories, least_shared=2))
        if related:
            parts.append(_quoted(related[:2], "Related, as far as I remember:"))
    elif by_kind[SentenceKind.GREETING]:
        parts.append(_how_much(memories))
    return " ".join(parts) or "There was nothing to answer."


def _told_again(answers: Sequence[str]) -> str:
    """What there is to generate something from."""
    if not answers:
        return "Nothing was answered yet."
    rest = len(answers) - _MOST_ANSWERS
    more = [f"- … and {rest} more"] if rest > 0 else []
    listed = [f"- {answer}" for answer in answers[:_MOST_ANSWERS]]
    return "\n".join(["Making something of it takes a language model. You answered:", *listed, *more])


def _answer_question(asked: str, reading: Reading, memories: Sequence[Remembered]) -> str:
    if _ABOUT_YOU.search(asked):
        return (
            "I am Stead's offline model: I quote what is remembered about you, note what you tell me, "
            "and call a tool when you write /tool name {json}."
        )
    said = _said_before(reading)
    hits = rank(asked, memories)
    for entry in rank(asked, said):
        if not _same_words(entry, hits):
            hits.append(entry)
    if hits:
        return _quoted(hits[:_MOST_QUOTED], "This is what I remember about that:")
    if _ABOUT_ME.search(asked) or (not content_words(asked) and _REMEMBERING.search(asked)):
        known = [*memories, *(entry for entry in said if not _same_words(entry, memories))]
        if not known:
            return "Nothing is remembered about you yet. Tell me something about yourself."
        rest = len(known) - _MOST_QUOTED
        more = "There is 1 further thing." if rest == 1 else f"There are {rest} further things."
        tail = f"\n{more}" if rest > 0 else ""
        return _quoted(known[:_MOST_QUOTED], "This is what I remember about you:") + tail
    return "Nothing is remembered about that yet."


def _said_before(reading: Reading) -> list[Remembered]:
    """The statements of earlier user messages, newest first."""
    return [
        Remembered(text=shorten(sentence, _FACT_LIMIT), from_conversation=True)
        for text in reversed(reading.earlier)
        if not text.startswith("/tool")
        for sentence in sentences(text)
        if kind_of(sentence) is SentenceKind.STATEMENT
    ]


def _same_words(entry: Remembered, others: Sequence[Remembered]) -> bool:
    words = set(content_words(entry.text))
    return any(words == set(content_words(other.text)) for other in others)


def _without(facts: str, found: Sequence[Remembered]) -> list[Remembered]:
    """``found`` without the lines that only repeat what was just said."""
    words = set(content_words(facts))
    return [entry for entry in found if not set(content_words(entry.text)) <= words]


def _quoted(found: Sequence[Remembered], heading: str) -> str:
    if len(found) == 1:
        return _in_words(found[0])
    return "\n".join([heading, *(f"- {_in_words(entry)}" for entry in found)])


def _in_words(entry: Remembered) -> str:
    """One remembered thing as a sentence: in the second person where that is safe, else quoted."""
    text = _ended(entry.text)
    if entry.from_conversation:
        return f"Earlier in this conversation you said: {text}"
    noted = f" (Noted on {entry.date}.)" if entry.date else ""
    if _FIRST_PERSON.match(text):
        return f"You said on {entry.date}: {text}" if entry.date else f"You said: {text}"
    if match := _USERS.match(text):
        return f"Your {text[match.end() :]}{noted}"
    if match := _USER_IS.match(text):
        return f"{_SECOND_PERSON[match.group(1).lower()]}{text[match.end() :]}{noted}"
    return f"I remember: {text}{noted}"


def _how_much(memories: Sequence[Remembered]) -> str:
    if not memories:
        return "Nothing is remembered about you yet. Tell me something about yourself."
    count = "1 thing" if len(memories) == 1 else f"{len(memories)} things"
    return f"I remember {count} about you; ask: what do you know about me?"


def _shown(output: str) -> str:
    text = output if "\n" in output and len(output) <= _OUTPUT_LIMIT else one_line(output)
    if not text:
        return "nothing."
    if len(text) > _OUTPUT_LIMIT:
        return f"{text[:_OUTPUT_LIMIT]}… (cut after {_OUTPUT_LIMIT} characters)"
    return text


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", "\u3002", "\uff01", "\uff1f")) else f"{text}."
