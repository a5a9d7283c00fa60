"""Whether a piece of text is somebody's words in English, not code, a log, or another language."""

from __future__ import annotations

import re
from typing import Final

from stead.memory.facts.words import FUNCTION_WORDS, word_set, words_of

_FOREIGN: Final = word_set(
    "sono che della è och det jag inte ikke nie się jest hebben zijn een het niet ook ik mijn "
    "wonen und ich der die das nicht ist está são "
    "não você pero est les dans avec pas je nous où miei tuoi suoi nostri dag går morgen "
    "morgon natt kveld aften år ja też jesteśmy mamy "
    "piger drenge bambini ragazzi giocano fuori mi ji su od sa ma ale czy jak tak dziś jutro "
    "wczoraj alla den som på och til med å av"
)
_ENGLISH: Final = FUNCTION_WORDS | word_set(
    "live lives work works like love have has go went want need eat drink name charge"
)
_CODE: Final = re.compile(
    r"\w\(.{0,80}\)\s?[;{]?$|[;{}]\s*$|=>|==|!=|&&|\|\||::|</|/>|^\s*[\[{<#@$]|\bdef \w+\(|"
    r"\bfunction\b.{0,30}\(|\b(?:const|let|var) \w+ =|^\w+ = |"
    r"^(?:select|insert|update|delete|import|from|return|print|console|class|public|private|"
    r"curl|sudo|git|npm|pip)\b.{0,80}[;({=*\"']|\\n|\w\.\w+\(|"
    r"^\d{4}[-/]\d\d[-/]\d\d[T ]\d|^\[?\d\d:\d\d|^(?:error|warn(?:ing)?|info|debug|trace|fatal|"
    r"traceback|exception|caused by)\b[ :\[]|\bat [\w.$]+\(|^file \"|\"\w+\"\s*:",
    re.IGNORECASE,
)


def is_pasted(sentence: str) -> bool:
    """Whether this is code, a log line, JSON or an address rather than somebody's words."""
    if _CODE.search(sentence):
        return True
    odd = sum(sentence.count(sign) for sign in "{}[]<>|\\=;`#_^~*")
    return odd > max(3, len(sentence) // 20) or ("://" in sentence and len(sentence.split()) < 5)


def is_english(clause: str) -> bool:
    """Whether a clause that begins like an English one is English: in others too "I" and "my" are words."""
    words = words_of(clause)[1:]
    foreign = sum(word in _FOREIGN for word in words)
    english = sum(word in _ENGLISH for word in words)
    if foreign and foreign >= english:
        return False
    latin = sum(
        c.isascii()
        or c in "áéíóúàèìòùâêîôûäëïöüãõñçåøæśłżźćńęąěščřžýůßœÁÉÍÓÚÄÖÜÇÑ€£\u2013—…“”\u2019\u2018"
        for c in clause
    )
    if latin < len(clause) * 0.7:
        return False
    # The Italian article, as in "I bambini giocano": English verbs do not end so.
    return not (
        clause[0] in "Ii"
        and clause[1:2] == " "
        and words
        and not english
        and re.search(r"[^o][aio]$", words[0])
        and words[0] not in {"ski", "do"}
    )
