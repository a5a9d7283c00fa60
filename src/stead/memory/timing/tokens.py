"""A text as words with their places."""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import date
from typing import Final, NamedTuple

MAX_CHARS: Final = 4_000
"""What stands behind is not read: who asks about a time does so in the question."""

_TOKEN: Final = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?(?![\d-])"  # 2023-05-08, 2023-05
    r"|\d{1,4}([/.])\d{1,2}\1\d{1,4}(?!\d)"  # 8/5/2023, 8.5.2023
    r"|[^\W_]+(?:'[^\W\d_]+)*"
    r"|[^\w\s]"
)
_QUOTED: Final = re.compile(r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|«[^»\n]{1,200}»|„[^“”\n]{1,200}[“”]")
_WITH_S: Final = frozenset(
    {"he's", "she's", "it's", "that's", "what's", "who's", "there's", "here's", "where's", "let's"}
)
_SENTENCE_ENDS: Final = frozenset(".!?;。！？")  # noqa: RUF001 - CJK full stops


class Token(NamedTuple):
    """A word, a number, a date in figures, or a single mark.

    Args:
        word: In lower case, without a possessive ``'s``; in English where the text is not.
        start: Where it begins in the text, in characters.
        end: Where it ends.
        capital: Whether it begins with a capital letter.
        given: Whether the word was translated: then it is surely what it says.
        owns: Whether a possessive ``'s`` stood behind it.
    """

    word: str
    start: int
    end: int
    capital: bool = False
    given: bool = False
    owns: bool = False


_NONE: Final = Token("", 0, 0)


class Tokens:
    """The words of a text, and the day on which it was said. Beyond its ends all words are empty."""

    def __init__(self, tokens: list[Token], today: date) -> None:
        self._tokens = tokens
        self._ends = [at for at, token in enumerate(tokens) if token.word in _SENTENCE_ENDS]
        self.today = today

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, at: int) -> Token:
        return self._tokens[at] if 0 <= at < len(self._tokens) else _NONE

    def word(self, at: int) -> str:
        """The word at a place, or an empty one."""
        return self[at].word

    def follow(self, at: int, words: str) -> bool:
        """Whether these words, apart by spaces, stand here."""
        return all(self.word(at + offset) == word for offset, word in enumerate(words.split()))

    def skip(self, at: int, *words: str) -> int:
        """The place, or the next one if one of these words stands here."""
        return at + 1 if self.word(at) in words else at

    def begins_sentence(self, at: int) -> bool:
        return at == 0 or self.word(at - 1) in _SENTENCE_ENDS

    def sentence(self, at: int) -> range:
        """The places of the sentence around a place, no further than 40 words to each side."""
        behind = bisect_left(self._ends, at)
        first = self._ends[behind - 1] + 1 if behind else 0
        return range(max(first, at - 40), min(self.sentence_end(at), at + 40))

    def sentence_end(self, at: int) -> int:
        """The place of the mark that ends the sentence, or the one behind the text."""
        behind = bisect_left(self._ends, at)
        return self._ends[behind] if behind < len(self._ends) else len(self)


def _token(found: re.Match[str]) -> Token:
    word = found[0].lower()
    bare = word if word in _WITH_S else word.removesuffix("'s")
    return Token(bare, *found.span(), capital=found[0][0].isupper(), owns=bare != word)


def read(text: str) -> list[Token]:
    """The tokens of the first 4,000 characters. What is quoted is a single mark: titles name no time."""
    plain = text[:MAX_CHARS].replace("\u2019", "'").replace("\u2013", "-")
    plain = _QUOTED.sub(lambda found: '"' + "_" * (len(found[0]) - 1), plain)
    return [_token(found) for found in _TOKEN.finditer(plain)]
