"""Whether a question asks for what holds now, or for what no longer does."""

from __future__ import annotations

from typing import Final, NamedTuple

from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import listed

_NOW: Final = (
    "these days", "right now", "at the moment", "at present", "as of now", "currently", "nowadays", "presently",
)  # fmt: skip
_THEN: Final = ("previously", "formerly", "in the past", "before that")
_BE: Final = listed("am is are was were be been being get got getting become i'm it's he's she's")
_NOT_AFTER: Final = listed("until till by from just and up even")


class State(NamedTuple):
    """Words that ask for a state.

    Args:
        at: Where they begin.
        end: The place behind them.
        still: Whether it holds now, or no longer.
    """

    at: int
    end: int
    still: bool


def state(tokens: Tokens) -> State | None:
    """The first words that ask for what is so now, or was so before.

    "Used to" and its like are told because what no longer holds is left out of an answer otherwise.
    """
    for at in range(len(tokens)):
        for words, still in _SIGNS.get(tokens.word(at), ()):
            if tokens.follow(at, words):
                return State(at, at + len(words.split()), still)
        found = _used_to(tokens, at) or _now(tokens, at) or _still(tokens, at)
        if found is not None:
            return found
    return None


def _signs() -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for words, still in [*((w, True) for w in _NOW), *((w, False) for w in _THEN)]:
        found.setdefault(words.split()[0], []).append((words, still))
    return found


_SIGNS: Final = _signs()


def _used_to(tokens: Tokens, at: int) -> State | None:
    """``I used to live``, ``did I use to live``; not ``what am I used to``, ``a tool used to build``."""
    if tokens.word(at) not in {"used", "use"} or tokens.word(at + 1) != "to":
        return None
    who = tokens[at - 1]
    pronoun = who.word in {"i", "we", "you", "he", "she", "they", "it", "who", "that", "never", "always"}
    if {who.word, tokens.word(at - 2)} & _BE or not (pronoun or (who.capital and at > 1)):
        return None
    asked = any(tokens.word(place) in {"did", "didn't"} for place in range(max(at - 6, 0), at))
    return State(at, at + 2, still=False) if tokens.word(at) == "used" or asked else None


def _now(tokens: Tokens, at: int) -> State | None:
    ends = tokens.word(at + 1) in {"", "?", ".", "!"}
    if tokens.word(at) != "now" or not ends or tokens.word(at - 1) in _NOT_AFTER or at == 0:
        return None
    return State(at, at + 1, still=True)


def _still(tokens: Tokens, at: int) -> State | None:
    """``do I still live in Rome?``"""
    if tokens.word(at) != "still" or not {tokens.word(at - 1), tokens.word(at - 2)} & _PRESENT:
        return None
    return State(at, at + 1, still=True)


_PRESENT: Final = listed("do does am is are have has i'm")
