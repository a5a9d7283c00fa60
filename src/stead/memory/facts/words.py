"""Words of a statement, so far as telling two of them apart needs it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final


def word_set(words: str) -> frozenset[str]:
    """A set from words in a row."""
    return frozenset(words.split())


_WORD: Final = re.compile(r"[^\W_]+(?:[.,:'@/+#-][^\W_]+)*[+#]{0,2}")
_SPELLINGS: Final = {
    "color": "colour",
    "favorite": "favourite",
    "flavor": "flavour",
    "neighborhood": "neighbourhood",
    "theater": "theatre",
    "center": "centre",
    "cell": "phone",
    "mobile": "phone",
    "telephone": "phone",
    "e-mail": "email",
}
_NOT_PLURAL: Final = word_set(
    "glass bus news gas tennis chess maths paris lens address process business boss swiss "
    "jeans pants series "
    "always diabetes asthma lewis texas athens brussels naples alias class yes us this "
    "christmas is was has "
    "its his physics mathematics politics economics athletics gymnastics analysis basis stress "
    "grass dress "
    "express wireless js css aws ios rails redis postgres kubernetes canvas atlas cyprus sales"
)

#: Words that say nothing by themselves. What is left of a sentence without them is what it is about.
FUNCTION_WORDS: Final = word_set(
    "a an the this that these those some any each every all both no not nor my mine our ours "
    "your yours his "
    "her hers its their theirs i me we us you he him she it they them myself yourself who whom "
    "whose which "
    "what there here am is are was were be been being do does did done doing have has had "
    "having will would "
    "shall should can could may might must 'm 's 're 've 'll 'd i'm i've i'll i'd we're we've "
    "we'll we'd "
    "it's that's there's don't doesn't didn't isn't aren't wasn't weren't won't can't cannot "
    "couldn't "
    "wouldn't shouldn't haven't hasn't hadn't and or but if so as than then because since "
    "while when where "
    "why how to of in on at by for from with without about into onto over under up down out "
    "off between "
    "through during before after until per via too also very really just quite only even still "
    "yet again "
    "now actually currently nowadays lately maybe probably perhaps more most much many lot "
    "lots bit little "
    "such same other another own let's ok okay yes yeah please sorry well oh anymore any-more "
    "longer"
)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, with typographic variants made one."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").lower()
    return [
        word[:-2] if word.endswith("'s") and len(word) > 3 else word for word in _WORD.findall(plain)
    ]


def singular(word: str) -> str:
    """A noun as one thing, where that is simple; British spelling for the commonest American."""
    word = _SPELLINGS.get(word, word)
    if (
        len(word) < 4
        or word in _NOT_PLURAL
        or not word.endswith("s")
        or word.endswith(("ss", "us", "is"))
    ):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes", "oes")):
        return word[:-2]
    return _SPELLINGS.get(word[:-1], word[:-1])


def stem(word: str) -> str:
    """A word without plural, ``-ing`` or ``-ed``: enough to see that two forms are one word."""
    word = singular(word)
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and re.search(r"[aeiouy]", base):
            word = base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def content_words(text: str) -> list[str]:
    """Stems of the words that carry what a text says."""
    return [stem(word) for word in words_of(text) if word not in FUNCTION_WORDS]
