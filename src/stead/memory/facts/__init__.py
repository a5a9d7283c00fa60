"""Facts in what a person says, found by rule: where sentences end, what states something about its speaker, of
which topic, and what is junk, an echo, or an attempt to give somebody power. Pure functions; no model."""

from stead.memory.facts.echoes import is_echo, strip_injected
from stead.memory.facts.finding import IMPORTANCE, Fact, find_facts
from stead.memory.facts.topics import Topic, contradicts, topic_of
from stead.memory.facts.words import content_words

__all__ = [
    "IMPORTANCE",
    "Fact",
    "Topic",
    "content_words",
    "contradicts",
    "find_facts",
    "is_echo",
    "strip_injected",
    "topic_of",
]
