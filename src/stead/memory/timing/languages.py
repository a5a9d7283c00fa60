"""A text of another language with its times in English, each in its place, so that one grammar reads all."""

from __future__ import annotations

from typing import Final

from stead.memory.timing.foreign import FRENCH, GERMAN, PHRASES, SPANISH, Language
from stead.memory.timing.tokens import Token
from stead.memory.timing.words import MONTHS, UNITS, listed

#: Adjectives that stand behind their noun in Spanish and French.
_NOUNS: Final = frozenset(UNITS) | {
    *MONTHS, "weekend", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "spring", "summer", "autumn", "winter", "christmas", "easter", "night",
}  # fmt: skip
_ELISIONS: Final = listed("l d j m t s c n qu jusqu lorsqu")


def in_english(tokens: list[Token]) -> list[Token]:
    """The tokens with the words for times in English, and in the order of English.

    A text is in the one language that most of its telling words belong to; English where none leads.
    """
    language = _language_of(tokens)
    if language is None:
        return tokens
    if language is FRENCH:
        tokens = [part for token in tokens for part in _without_elision(token)]
    translated = _translated(tokens, language)
    return _reordered(translated, language)


def _language_of(tokens: list[Token]) -> Language | None:
    words = {token.word for token in tokens}
    words |= {word.partition("'")[2] for word in words}
    told = [(len(words & language.signs), -place, language) for place, language in enumerate(_LANGUAGES)]
    most = max(told)
    # "die", "an", "on" or "me" alone tell nothing; one sure word for a time does.
    english = len(words & _ENGLISH_SIGNS)
    return most[2] if most[0] > english else None


_LANGUAGES: Final = (GERMAN, SPANISH, FRENCH)
_ENGLISH_SIGNS: Final = listed(
    "i you we he she they it the what when where who why how which did do does was were is are have has had my "
    "your our of to with about and that this last next in on since ago will"
) - {"in", "on", "do", "was", "will", "he", "me"}


def _without_elision(token: Token) -> list[Token]:
    head, mark, rest = token.word.partition("'")
    if not mark or head not in _ELISIONS:
        return [token]
    cut = token.start + len(head) + 1
    return [token._replace(word=head, end=cut), token._replace(word=rest, start=cut)]


def _translated(tokens: list[Token], language: Language) -> list[Token]:
    words = [token.word for token in tokens]
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        phrase = next((p for p in PHRASES if tuple(words[at : at + len(p[0])]) == p[0]), None)
        if phrase is not None:
            start, end = tokens[at].start, tokens[at + len(phrase[0]) - 1].end
            found += [Token(word, start, end, given=True) for word in phrase[1]]
            at += len(phrase[0])
            continue
        token = tokens[at]
        at += 1
        if language is GERMAN and token.word == "." and at > 1 and words[at - 2].isdecimal():
            continue  # "8. Mai"
        english = language.words.get(token.word)
        if english is None:
            found.append(token)
        elif english:
            found.append(token._replace(word=english, given=True))
    return found


def _reordered(tokens: list[Token], language: Language) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        here = tokens[at]
        after = _quantity(tokens, at + _length_of_before(tokens, at, language))
        if after and _length_of_before(tokens, at, language):
            begin = at + _length_of_before(tokens, at, language)
            found += [t._replace(start=here.start) for t in tokens[begin:after]]
            found.append(Token("ago", here.start, tokens[after - 1].end, given=True))
            at = after
        elif at + 1 < len(tokens) and here.word in _NOUNS and tokens[at + 1].word in {"last", "next"}:
            behind = tokens[at + 1]
            found += [
                Token(behind.word, here.start, behind.end, given=True),
                here._replace(end=behind.end),
            ]
            at += 2
        else:
            found.append(here)
            at += 1
    return found


def _length_of_before(tokens: list[Token], at: int, language: Language) -> int:
    """How many words stand here for "ago": ``vor``, ``hace``, ``il y a``."""
    if language is FRENCH:
        words = [token.word for token in tokens[at : at + 3]]
        return 3 if words[:2] == ["il", "y"] and len(words) == 3 and words[2] in {"was", "a"} else 0
    words_of_before = {language.words.get(word, word) for word in language.before}
    return 1 if tokens[at].word in words_of_before else 0


def _quantity(tokens: list[Token], at: int) -> int | None:
    """Where a number with a unit ends that begins here."""
    unit = at + 1
    if unit < len(tokens) and tokens[at].word == "a" and tokens[unit].word in {"few", "couple"}:
        unit += 1
    if unit < len(tokens) and tokens[unit].word in UNITS and unit - at <= 2:
        return unit + 1
    return None
