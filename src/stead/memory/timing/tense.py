"""Whether a sentence speaks of what was or of what is to come."""

from __future__ import annotations

from typing import Final

from stead.memory.timing.tokens import Tokens
from stead.memory.timing.words import HABITS, listed

PAST: Final = listed("""
    did didn't was wasn't were weren't had hadn't been born went said told spoke bought made took got met saw ate
    read heard thought felt knew gave found left came began ran wrote sent flew drove won lost became broke built
    chose slept swam sang taught caught cost fell grew held hurt kept led paid rode rose sold shot sat stood stole
    wore stuck woke understood spent quit
    """)
_NOT_PAST: Final = listed("need feed speed seed bed red wed indeed breed hundred embed exceed proceed")
_FUTURE: Final = listed(
    "will won't shall gonna upcoming plan plans planning due tomorrow must should might let's"
)
_PRESENT: Final = listed(
    "am are is i'm we're you're they're he's she's it's do does don't doesn't have has need want hope "
    "starts begins ends opens closes leaves arrives lands comes goes happens moves takes"
)
_PROGRESSIVE: Final = listed("am are is i'm we're you're they're he's she's it's aren't isn't")
_ARRANGED: Final = listed("booked scheduled planned arranged reserved invited signed")
_LETTING: Final = frozenset({"having", "getting", "gets"})
_PASSIVE: Final = _PROGRESSIVE | {"get", "gets", "getting", "be"}
_LIMITS: Final = frozenset({"until", "till", "by", "up"})
_GRANTED: Final = frozenset({"gave", "given", "got", "asked", "extended", "wanted"})
"""With a limit, these say what is to come: they gave me till Friday."""

_HAVE_SHORT: Final = frozenset({"i've", "we've", "you've", "they've"})
_HAVE: Final = _HAVE_SHORT | {"have", "has", "he's", "she's"}
_IS_BEFORE: Final = frozenset({"on", "in", "at", "from", "not"})
_MINDS: Final = listed("remember recall know think believe")


def looks_ahead(tokens: Tokens, at: int) -> bool | None:
    """Whether the time at this place is one to come, as far as the sentence tells.

    The nearest verb before it decides, else the first behind; None where there is none.
    """
    sentence = tokens.sentence(at)
    for place in (*range(at - 1, sentence.start - 1, -1), *range(at, sentence.stop)):
        told = _tells(tokens, place, at)
        if told is not None:
            return told
    return None


def _tells(tokens: Tokens, place: int, at: int) -> bool | None:
    """What the word at ``place`` tells of the time at ``at``; None if it is no verb."""
    word, before, behind = tokens.word(place), tokens.word(place - 1), tokens.word(place + 1)
    arranged = _arranged(tokens, place, at)
    if arranged is not None:
        return arranged
    if tokens[place].owns and (behind in _IS_BEFORE or behind.isdecimal()):
        return True  # "the announcement's on 18 June"
    if word.endswith("ed") and (
        before in _PASSIVE or {tokens.word(place - back) for back in (2, 3, 4)} & _LETTING
    ):
        return True  # "gets married", "is scheduled", "having a knee replaced"
    if word in PAST or (len(word) > 3 and word.endswith("ed") and word not in _NOT_PAST):
        return word in {"was", "were"} and behind == "to"
    if word in _FUTURE or word.endswith("'ll"):
        return True
    return _present(tokens, place, at)


def _arranged(tokens: Tokens, place: int, at: int) -> bool | None:
    """Whether something is settled that is to come: ``booked for Friday``, ``I've got an exam on Friday``."""
    word, before, behind = tokens.word(place), tokens.word(place - 1), tokens.word(place + 1)
    limit = tokens.word(at) in _LIMITS
    if word in _ARRANGED and (limit or tokens.word(at) in {"for", "next"} or before in _HAVE):
        return True
    if (word in _GRANTED and limit) or (word == "got" and before in _HAVE):
        return True
    if word in _HAVE_SHORT:
        return behind in {"a", "an", "got", "to", "no", "my", "our", "one"} or behind in _ARRANGED
    return None


def _present(tokens: Tokens, place: int, at: int) -> bool | None:
    word = tokens.word(place)
    if word == "can":
        return None if tokens.word(place + 1) == "you" or tokens.word(at) == "in" else True
    if word.endswith("ing") and word not in {"during", "morning", "evening", "thing", "anything"}:
        auxiliaries = {tokens.word(place - back) for back in (1, 2, 3)}
        going_on = auxiliaries & _PROGRESSIVE or tokens[place - 1].owns
        return True if going_on and "been" not in auxiliaries else None
    if word in _PRESENT:
        auxiliaries = {tokens.word(place - back) for back in (1, 2, 3, 4)}
        if auxiliaries & {"did", "didn't"}:  # "what did I do"
            return False
        minds = {tokens.word(place + 1), tokens.word(place + 2)} & _MINDS
        return None if minds else True
    return None


def is_habit(tokens: Tokens, at: int) -> bool:
    """Whether the sentence asks for what is so each time."""
    return any(tokens.word(place) in HABITS for place in tokens.sentence(at))
