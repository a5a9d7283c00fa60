"""Who and what a question names, by its spelling alone: for matching with speakers and with memories."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from stead.memory.timing.words import listed

MAX_CHARS: Final = 4_000
MAX_NAMES: Final = 20
_MAX_NAME_CHARS: Final = 80

_EMAIL: Final = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_HANDLE: Final = re.compile(r"(?<![\w@/.])@(\w[\w.-]{0,63})")
_QUOTED: Final = re.compile(
    r"\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|«([^»\n]{1,80})»|„([^“”\n]{1,80})[“”]"
    r"|(?<!\w)[‘']([^‘\u2019'\n]{2,80})[\u2019'](?!\w)|「([^」\n]{1,80})」|《([^》\n]{1,80})》"  # noqa: RUF001
)
_WORD: Final = re.compile(
    r"(?<!\w)(?![Ii]\.)[^\W\d_]\.(?=\s*[^\W\d_])|[^\W_]+(?:['\u2019.-][^\W_]+)*|[^\w\s]|\n"
)
_POSSESSIVE: Final = re.compile(r"['’](?:s|S)?$")  # noqa: RUF001

_ENDS: Final = frozenset('.!?:;\n"“„«(¿¡-–—')  # noqa: RUF001
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "sir", "mister", "miss", "herr", "frau", "señor"}
)
_LINKS: Final = listed("de da do dos del della di van von der den ter la le al bin ibn el y of the")
_TIMES: Final = listed("""
    january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday christmas easter halloween thanksgiving
    """)
_OPENERS: Final = listed("""
    i i'm i've i'll i'd we you he she it they my your his her our their its this that these those the a an what
    when where who whom whose which why how did do does don't didn't is are am was were will would can could should
    shall may might must have has had and or but so then if in on at to for from with about of by as after before
    since until during while tell show give list find remember remind recall say said ask please hi hello hey
    thanks ok okay yes no not also actually well today yesterday tomorrow tonight now recently lately last next
    there here let let's any all some every each both remind describe explain summarize compare name according
    speaking regarding given
    """)
"""Words that begin sentences, in capitals without being names."""

_UNSPACED: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "HANGUL")
"""Scripts in which words stand together, or grow endings: a name is found within them."""

_COMMON: Final = listed("""
    will may mark bill art grace hope rose jack faith joy summer june april august autumn dawn drew chase grant
    guy pat rob sue sky iris ivy lily daisy olive pearl ruby amber cliff dean duke earl frank gene rich rusty sandy
    an man person user ok so my you
    """)
"""Names that are words as well: they count in capitals only, and not where a sentence begins."""

_TIMELY: Final = listed("may june april august summer autumn dawn")
_BEFORE_TIMES: Final = listed(
    "in on at of by since until till during before after last next this early mid late between from over every"
)
_ME: Final = frozenset({"i", "me", "my", "mine", "myself", "i'm", "i've", "i'd", "i'll"})
_FOLDED: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)


class _Word(NamedTuple):
    text: str
    first: bool
    """Whether a sentence begins with it."""


def find_names(text: str, *, known: Collection[str] = ()) -> list[str]:
    """Names in a question: capitalised words and runs of them, quoted titles, @handles, local parts of emails.

    A capital at the beginning of a sentence tells nothing: such a word counts if it is ``known``, has a
    capital elsewhere too, or begins a run (``Anna Smith``). Where a script has no capitals, a word in it
    counts within a text of another script, or if it is known. Nouns in German come out as names.

    Args:
        text: The question. Its first 4,000 characters are read.
        known: Names that are known; case does not matter.

    Returns:
        At most 20, each once, without possessive endings: addresses, titles and handles, then the others in
        their order.
    """
    text = _composed(text)
    found: dict[str, str] = {}

    def keep(name: str) -> None:
        name = " ".join(name.split()).strip(" .,'’-")  # noqa: RUF001 both apostrophes
        if name and len(name) <= _MAX_NAME_CHARS:
            found.setdefault(_folded(name), name)

    for pattern in (_EMAIL, _QUOTED, _HANDLE):
        for match in pattern.finditer(text):
            keep(next(group for group in match.groups() if group))
        text = pattern.sub(" , ", text)
    words = list(_words(text))
    familiar = {_folded(name) for name in known}
    for name in _runs(words, familiar):
        keep(name)
    for name in _uncased(words, text, known):
        keep(name)
    return list(found.values())[:MAX_NAMES]


def speaker_of(text: str, speakers: Collection[str], *, me: str | None = None) -> set[str]:
    """Which of the known speakers a question is about.

    A speaker is named by the whole name or by its first word, in any case and with or without accents, also
    as a possessive, but never by a part of a word. A name that is a common word too (Will, May) needs its
    capital, and another place than the beginning of a sentence unless it is a possessive there.

    Args:
        text: The question. Its first 4,000 characters are read.
        speakers: Names as they are stored.
        me: The asking person's own among them, whom "I", "me" and "my" mean.

    Returns:
        The names as they were given.
    """
    text = _composed(text)
    words = list(_words(text))
    plain = [_folded(_POSSESSIVE.sub("", word.text)) for word in words]
    places: dict[str, list[int]] = {}
    for place, word in enumerate(plain):
        places.setdefault(word, []).append(place)
        head = word.partition("'")[0]
        if head != word and head:
            places.setdefault(head, []).append(place)  # "Anna'll"
    whole = _folded(text)
    found = {name for name in speakers if _is_named(name, words, plain, places, whole)}
    if me is not None and any(_straight(word.text.lower()) in _ME for word in words):
        found.add(me)
    return found


def _is_named(
    name: str, words: list[_Word], plain: list[str], places: dict[str, list[int]], whole: str
) -> bool:
    folded = _folded(name.strip().lstrip("@"))
    if not folded:
        return False
    if _is_unspaced(folded):
        return folded in whole
    parts = [_folded(word.text) for word in _words(folded)]
    if not parts or not parts[0][0].isalnum():
        return False
    for place in places.get(parts[0], ()):
        if len(parts) > 1 and plain[place : place + len(parts)] == parts:
            return True
        if parts[0] in _COMMON and (not _is_surely_a_name(words[place]) or _is_a_time(plain, place)):
            continue
        if len(parts) == 1 or (len(parts[0].strip(".")) > 1 and parts[0] not in _TITLES):
            return True
    return False


def _is_surely_a_name(word: _Word) -> bool:
    possessive = _POSSESSIVE.search(word.text) is not None
    return word.text[:1].isupper() and (possessive or not word.first) and not _is_shouted(word.text)


def _is_a_time(plain: list[str], place: int) -> bool:
    """Whether May, April or Dawn is the month or the hour here."""
    if plain[place] not in _TIMELY:
        return False
    behind = plain[place + 1] if place + 1 < len(plain) else ""
    return (place > 0 and plain[place - 1] in _BEFORE_TIMES) or behind[:1].isdecimal()


def _is_shouted(word: str) -> bool:
    return len(word) > 1 and word.isupper()


def _words(text: str) -> Iterator[_Word]:
    first = True
    before = ""
    for match in _WORD.finditer(text):
        word = match[0]
        if word[0].isalnum():
            yield _Word(word, first)
            first = False
            before = word
        elif word == "." and before.lower() in _TITLES:
            continue  # Dr. Smith
        else:
            first = first or word in _ENDS
            yield _Word(word, first=False)


def _runs(words: list[_Word], familiar: set[str]) -> Iterator[str]:
    """Capitalised words that stand together, with what links them: Ludwig van Beethoven."""
    letters = [c for word in words for c in word.text if c.isalpha() and c.lower() != c.upper()]
    shouting = len(letters) > 20 and sum(c.isupper() for c in letters) > 0.7 * len(letters)
    inside = {_folded(_bare(word.text)) for word in words if not word.first and _is_name(word.text)}
    run: list[str] = []
    links: list[str] = []
    for word in (*words, _Word(",", first=False)):
        text = _bare(word.text)
        named = _is_name(word.text) and not shouting
        if word.first and named:
            if run:
                yield from _told(run, familiar)
            run, links = [], []
        if named and _straight(text.lower()) not in _OPENERS:
            run += [*links, text] if run else [text]
            links = []
            if word.first:
                run[0] = f"\0{text}" if _folded(text) not in familiar | inside else text
            if text != word.text:  # a possessive ends a name
                yield from _told(run, familiar)
                run = []
        elif run and text.lower() in _LINKS and not links:
            links = [text]
        elif run and links and text.lower() in _LINKS and len(links) == 1:
            links.append(text)
        elif run and text.isdecimal() and len(text) <= 3 and not links:  # iPhone 15
            run.append(text)
        elif _folded(text) in familiar and not named:
            yield text
        else:
            if run:
                yield from _told(run, familiar)
            run, links = [], []


def _told(run: list[str], familiar: set[str]) -> Iterator[str]:
    """The run as a name, unless all that tells it is the capital of a sentence."""
    unsure = run[0].startswith("\0")
    names = [part.removeprefix("\0") for part in run]
    while names and names[0].lower().strip(".") in _TITLES:
        names, unsure = names[1:], False
    if not names or (unsure and (len(names) == 1 or names[1].isdecimal())):
        return
    if len(names) == 1 and names[0].lower() in _TIMES and _folded(names[0]) not in familiar:
        return
    yield " ".join(names)


def _is_name(word: str) -> bool:
    """A capital at its beginning or within: Anna, iPhone, McDonald."""
    return word[:1].isupper() or word[:1].istitle() or any(c.isupper() for c in word[1:])


def _uncased(words: list[_Word], text: str, known: Collection[str]) -> Iterator[str]:
    """Names in scripts without capitals."""
    alone = [word.text for word in words if word.text[0].isalpha() and _has_no_case(word.text)]
    letters = sum(c.isalpha() for c in text)
    if 2 * sum(map(len, alone)) < letters:  # within another script
        yield from alone
        return
    for name in filter(None, map(str.strip, known)):
        if _has_no_case(name) and (name in alone or (_is_unspaced(name) and name in text)):
            yield name


def _has_no_case(word: str) -> bool:
    return all(c.lower() == c.upper() for c in word if c.isalpha())


def _is_unspaced(word: str) -> bool:
    return unicodedata.name(word[0], "").startswith(_UNSPACED)


def _bare(word: str) -> str:
    return _POSSESSIVE.sub("", word)


def _straight(word: str) -> str:
    return word.replace("’", "'")  # noqa: RUF001


def _composed(text: str) -> str:
    """The text that is read, with accents in their letters: a mark of its own would end a word."""
    return unicodedata.normalize("NFC", text[:MAX_CHARS])


def _folded(word: str) -> str:
    """Without case and accents: Łukasz and lukasz are one."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", _straight(word).casefold())
    kept = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", kept).translate(_FOLDED)
