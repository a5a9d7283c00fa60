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
_MINDS: Final = listed("remember recall know think believe")


def looks_ahead(tokens: Tokens, at: int, *, otherwise: bool) -> bool:
    """Whether the time at this place is one to come. The nearest verb before it decides, else one behind.

    Where the sentence has none, the one before it goes on.

    Args:
        otherwise: What to take where no verb tells.
    """
    sentence = tokens.sentence(at)
    before = range(at - 1, sentence.start - 1, -1)
    earlier = range(sentence.start - 1, max(sentence.start - 20, 0) - 1, -1)
    for place in (*before, *range(at, sentence.stop), *earlier):
        told = _tells(tokens, place, at)
        if told is not None:
            return told
    return otherwise


def _tells(tokens: Tokens, place: int, at: int) -> bool | None:
    word = tokens.word(place)
    if word in _ARRANGED and tokens.word(at) in {"for", "next", *_LIMITS}:
        return True
    if word in _GRANTED and tokens.word(at) in _LIMITS:
        return True
    if word in _HAVE_SHORT or (word == "got" and tokens.word(place - 1) in _HAVE):
        owned = word == "got" or tokens.word(place + 1) in {"a", "an", "got", "to", "no", "my", "our"}
        return True if owned else False if word in _HAVE_SHORT else None
    if word in {"was", "were"} and tokens.word(place + 1) == "to":
        return True
    if word.endswith("ed") and (
        tokens.word(place - 1) in _PASSIVE
        or {tokens.word(place - back) for back in (2, 3, 4)} & _LETTING
    ):  # "gets married", "is scheduled", "having a knee replaced"
        return True
    if word in PAST or (len(word) > 3 and word.endswith("ed") and word not in _NOT_PAST):
        return False
    if word in _FUTURE or word.endswith("'ll"):
        return True
    if word.endswith("ing") and word not in {"during", "morning", "evening", "thing", "anything"}:
        auxiliaries = {tokens.word(place - back) for back in (1, 2, 3)}
        return True if auxiliaries & _PROGRESSIVE and "been" not in auxiliaries else None
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
