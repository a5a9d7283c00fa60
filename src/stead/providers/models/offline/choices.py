"""Choices for the offline model's structured output: which enum value, and yes or no."""

from __future__ import annotations

from stead.providers.models.offline.jsonschema import Schema, elements
from stead.providers.models.offline.source import Source, name_words, plain

_SAID = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False}
_NEGATIONS = frozenset(
    {"not", "no", "never", "without", "isn't", "wasn't", "hasn't", "haven't", "didn't"}
)


def choose(schema: Schema, named: object, source: Source, index: int) -> object:
    """The choice that the text names or mentions; else the default; else the first.

    Args:
        schema: A schema with ``enum``.
        named: The value that the text gives for this place, or None.
        source: The text in which a choice may be mentioned.
        index: The place's position among its siblings, which take the choices in turn.
    """
    options = elements(schema["enum"])
    for text in filter(None, (plain(named), source.line)):
        for option in options:
            if isinstance(option, str) and mentions(text, option):
                return option
    return schema["default"] if "default" in schema else options[index % len(options)]


def mentions(text: str, option: str) -> bool:
    """Whether the words of ``option`` stand in ``text``, however they are joined there."""
    spoken = _spaced(option)
    return bool(spoken) and f" {spoken} " in f" {_spaced(text)} "


def stated(name: str, named: object, source: Source) -> bool:
    """True only if the text says so: by name, or by the property's words without a negation before."""
    said = plain(named).strip().casefold()
    if said in _SAID:
        return _SAID[said]
    wanted = name_words(name)
    words = source.line.casefold().replace("\u2019", "'").split()
    for position, word in enumerate(words):
        if wanted & name_words(word):
            return not _NEGATIONS & set(words[max(0, position - 3) : position])
    return False


def _spaced(text: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())
