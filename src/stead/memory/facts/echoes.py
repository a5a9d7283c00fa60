"""What was put before the model comes back in what is said: it must not be remembered a second time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from stead.memory.facts.sentences import sentences
from stead.memory.facts.topics import topic_of
from stead.memory.facts.words import FUNCTION_WORDS, content_words, stem, words_of
from stead.memory.injection import OPEN

_MARKER: Final = re.compile(
    rf"<\s{{0,3}}(/?)\s{{0,3}}(?:{re.escape(OPEN.strip('<>'))}|history)\b[^<>]{{0,100}}>", re.IGNORECASE
)
_FENCE: Final = re.compile(r"\s{0,12}(```+|~~~+)")
#: One line of a block whose markers were lost on the way, and the sentence that introduces a block.
_INJECTED_LINE: Final = re.compile(
    r"\s{0,12}(?:[-*•]\s{1,4}\[\d{4}-\d\d-\d\d[^\]\n]{0,60}\]|what follows between the markers\b)",
    re.IGNORECASE,
)
_NEGATION: Final = re.compile(
    r"\b(?:not|never|no|no longer|cannot|stopped|quit|gave up|without|hate|dislike|"
    r"avoid)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(r"\W{0,5}(?:(i)\b|(?:my|our) ([\w-]{1,40})|(we)\b)", re.IGNORECASE)
_SAME: Final = 0.8


def strip_injected(text: str) -> str:
    """A text without memory blocks, quoted lines and fenced code: what its sender said in own words.

    An opened block or fence that is never closed reaches to the end.
    """
    if "<" in text:
        text = _without_blocks(text)
    if not any(sign in text for sign in (">", "```", "~~~", "[", "markers")):
        return text
    kept: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            # As in Markdown: the same sign, at least as often.
            if mark and mark[1].startswith(fence):
                fence = ""
            continue
        if mark:
            fence = mark[1]
        elif not line.lstrip().startswith(">") and not _INJECTED_LINE.match(line):
            kept.append(line)
            continue
        kept.append("")
    return "\n".join(kept)


def _without_blocks(text: str) -> str:
    kept: list[str] = []
    depth = at = 0
    for found in _MARKER.finditer(text):
        if depth == 0:
            kept.append(text[at : found.start()])
        depth = max(depth - 1, 0) if found[1] else depth + 1
        at = found.end()
    if depth == 0:
        kept.append(text[at:])
    return "\n".join(kept)


def is_echo(candidate: str, injected: Sequence[str]) -> bool:
    """Whether a statement only repeats something that was recalled.

    Same words (four fifths of the content words of one in the other, or of both together) are an echo; a
    value that changed, another number or name, or a "not" more is news.

    Args:
        candidate: The statement.
        injected: The texts that the model was given.
    """
    said = content_words(candidate)
    if not said:
        return False
    key, negated = topic_of(candidate), bool(_NEGATION.search(candidate))
    names = _names(candidate)
    for text in injected:
        for known in sentences(text):
            other = topic_of(known) if key else None
            if key and other and key.key == other.key:
                # One thing said in two ways is the same; with another value it is news, however alike it sounds.
                if key.value == other.value:
                    return True
                continue
            if bool(_NEGATION.search(known)) == negated and _same(
                candidate, set(said), said[-1], names, known
            ):
                return True
    return False


def _same(candidate: str, said: set[str], last: str, names: set[str], known: str) -> bool:
    there = set(content_words(known))
    missing = said - there
    # What a sentence ends with, and its names and figures, are where a value stands.
    if last in missing or missing & names:
        return False
    shared = len(said) - len(missing)
    if shared >= _SAME * len(said | there):
        return True
    # "My sister likes jazz" holds all of "I like jazz": a part is the same only when said of the same.
    return shared >= _SAME * len(said) and _subject(candidate) == _subject(known)


def _names(text: str) -> set[str]:
    capital = {word.lower() for word in re.findall(r"(?<=[\w,] )[A-Z][\w-]{0,40}", text)}
    return {
        stem(word)
        for word in words_of(text)
        if (word in capital and word not in FUNCTION_WORDS) or any(c.isdigit() for c in word)
    }


def _subject(text: str) -> str:
    found = _SUBJECT.match(text)
    if found is None:
        return ""
    return "i" if found[1] or found[3] else stem(found[2].lower())
