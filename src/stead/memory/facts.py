"""Facts that people state about themselves, found by rule. No model is asked: this always runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_MIN_CHARS: Final = 8
_MAX_CHARS: Final = 400
_MAX_FACTS: Final = 12

_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+(?=\S)|\n+|(?<=[。！？])")  # noqa: RUF001 - CJK full stops
_FILLER: Final = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|well|so|and|but|oh|yes|yeah|no|thanks|thank you|sure|please|also)\b[,!. ]*)+",
    re.IGNORECASE,
)
_CORRECTION: Final = re.compile(
    r"\b(?:actually|correction|i meant|not anymore|no longer)\b", re.IGNORECASE
)

#: The first pattern that fits names the kind. First person only: what somebody says of the agent, of the
#: weather or of the world is a turn, not a fact about that person.
_PATTERNS: Final = (
    ("identity", re.compile(
        r"\b(?:my name is|call me|i(?:'m| am) called|i(?:'m| am) (?:an?|the|from|based|married|\d+)\b|i was born|"
        r"i live|i work|i(?:'ve| have) been (?:a|an|working|living)|i run\b|i own\b|my (?:job|company|business|"
        r"wife|husband|partner|son|daughter|kids?|children|mother|father|brother|sister|dog|cat|birthday|"
        r"email|phone|address)\b)", re.IGNORECASE)),
    ("preference", re.compile(
        r"\b(?:i (?:really |just |absolutely |also )?(?:like|love|enjoy|prefer|hate|dislike|avoid)\b|"
        r"i(?:'d| would) rather|i can(?:'t|not) stand|my favou?rite)", re.IGNORECASE)),
    ("goal", re.compile(
        r"\b(?:my (?:\w+ )?(?:goal|aim|dream|plan|target)\b|i(?:'m| am) (?:trying|hoping|aiming|saving)|"
        r"i(?:'d| would) like to|i want|i hope to|i need to)", re.IGNORECASE)),
    ("constraint", re.compile(
        r"\b(?:i (?:can(?:'t|not)|don't|do not|never|only|must)\b|i(?:'m| am) (?:allergic|vegan|vegetarian|afraid|"
        r"scared|not able)|my (?:\w+ )?(?:budget|limit|blocker|problem|allergy|fear)\b)", re.IGNORECASE)),
    ("plan", re.compile(
        r"\b(?:i(?:'ll| will)|i(?:'m| am) (?:going|moving|travell?ing|flying|starting|meeting|getting|visiting)|"
        r"i(?:'ve| have) (?:a|an|got)\b|we(?:'re| are) (?:going|moving|planning|getting)|i booked|i scheduled)",
        re.IGNORECASE)),
    ("statement", re.compile(
        r"\b(?:i charge|i earn|i make|i use|i bought|i sold|i moved|i started|i stopped|i quit|i got|i have|i had|"
        r"i(?:'ve| have)|my [\w' -]{2,40} (?:is|are|was|were)\b|we (?:have|are|moved|bought)\b|remember that)",
        re.IGNORECASE)),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A sentence that states something about its speaker.

    Args:
        text: The sentence, as it was said.
        category: ``identity``, ``preference``, ``goal``, ``constraint``, ``plan`` or ``statement``.
        correction: It takes back something said before.
    """

    text: str
    category: str
    correction: bool


def find_facts(text: str) -> list[Fact]:
    """The facts in what a person said: statements in the first person, never questions or commands.

    Args:
        text: One message.

    Returns:
        At most twelve, in their order, without repetition.
    """
    found: dict[str, Fact] = {}
    for raw in _SENTENCE_END.split(text):
        sentence = _FILLER.sub("", raw.strip()).strip()
        if (
            not _MIN_CHARS <= len(sentence) <= _MAX_CHARS
            or sentence.endswith("?")
            or sentence.startswith("/")
        ):
            continue
        for category, pattern in _PATTERNS:
            if pattern.search(sentence.replace("\u2019", "'")):
                fact = Fact(
                    text=sentence, category=category, correction=bool(_CORRECTION.search(sentence))
                )
                found.setdefault(sentence.lower(), fact)
                break
        if len(found) == _MAX_FACTS:
            break
    return list(found.values())
