"""What a statement gives a value to: the key by which a later one takes the place of an earlier one.

A key is given only where one value can hold at a time (where somebody lives, what a day costs, whether coffee is
liked). Two statements of one key and different values contradict each other. What can be many things at once
(what somebody has, whom they know, where they went) has no key: to forget something true by mistake is worse
than to keep something outdated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stead.memory.facts.attributes import attribute_of
from stead.memory.facts.objects import activity, bare, noun, object_of, value_of
from stead.memory.facts.occupations import is_occupation
from stead.memory.facts.words import word_set


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A key and what a statement says of it.

    Args:
        key: ``residence``, ``name``, ``like:coffee``, ``my:car``, …
        value: Normalised, for comparison. ``not porto``: only that value is taken back. ``none``: any.
        category: The kind of fact that such a statement is.
    """

    key: str
    value: str
    category: str


def contradicts(later: Topic, earlier: Topic) -> bool:
    """Whether the later statement takes the place of the earlier one."""
    if later.key != earlier.key or later.value == earlier.value:
        return False
    if later.value.startswith("not "):
        return later.value == f"not {earlier.value}"
    return True


_I_AM: Final = r"(?:i'm|i am|im)(?: now| currently| still| actually| really| also)?"
_NOW: Final = r"(?: now| currently| actually| also| mostly| still| just| recently| usually| mainly)?"
_NO_MORE: Final = (
    r"(?:i no longer|i (?:don't|do not|dont|never)|i(?:'ve| have)? (?:stopped|quit|gave up|given up))"
)
_DWELLING: Final = re.compile(
    r"(?:an?|my|our|the same) (?:[\w-]+ ){0,4}(?:flat|apartment|house|studio|room|van|boat|"
    r"condo|dorm|cabin)\b"
)
_NO_PLACE: Final = re.compile(
    r"(?:an?|my|our|his|her|their|this|that|it|here|there|fear|peace|hope|harmony)\b|\d|"
    r"the (?!us\b|usa\b|uk\b|netherlands\b|philippines\b|bay area\b|czech)"
)
_NO_EMPLOYER: Final = re.compile(
    r"(?:nights?|home|least|weekends?|once|free|all|peanuts|me|you|it|money|now)\b|\d|"
    r"the (?:moment|weekend|office|same)\b|an? (?:while|living)\b"
)
#: What somebody changes to without moving house.
_NO_TOWN: Final = re.compile(
    r"(?:marketing|sales|support|engineering|design|product|finance|part|full|remote|next|vim|"
    r"emacs|python|rust|linux|"
    r"mac|macos|windows|postgres\w*|mysql|mongo\w*|aws|azure|gcp|vercel|supabase|netlify|react|"
    r"vue|svelte|docker|"
    r"kubernetes|slack|teams|notion|github|gitlab|chrome|firefox|android|iphone|ios|spotify|"
    r"management)\b"
)

Made = Topic | None


def _said(key: str, category: str = "identity") -> Callable[[re.Match[str]], Made]:
    def make(found: re.Match[str]) -> Made:
        value = value_of(found["v"])
        return Topic(key=key, value=value, category=category) if value else None

    return make


def _fixed(key: str, value: str, category: str = "identity") -> Callable[[re.Match[str]], Made]:
    return lambda _found: Topic(key=key, value=value, category=category)


def _residence(found: re.Match[str]) -> Made:
    place = found["v"]
    if _DWELLING.match(place):
        return Topic(key="dwelling", value=value_of(place), category="identity")
    if _NO_PLACE.match(place):
        return None
    return Topic(key="residence", value=bare(value_of(place)), category="identity")


def _moved(found: re.Match[str]) -> Made:
    return (
        None
        if _NO_TOWN.match(found["v"]) or re.search(r"\b(?:team|plan|role)\b", found["v"])
        else _residence(found)
    )


def _moving(found: re.Match[str]) -> Made:
    made = _moved(found)
    return (
        Topic(key="moving", value=made.value, category="plan")
        if made and made.key == "residence"
        else None
    )


def _left(found: re.Match[str]) -> Made:
    made = _residence(found)
    return Topic(key=made.key, value=f"not {made.value}", category="identity") if made else None


def _employer(found: re.Match[str]) -> Made:
    if _NO_EMPLOYER.match(found["v"]):
        return None
    value = bare(value_of(re.split(r" as an? | as the ", found["v"], maxsplit=1)[0]))
    negative = "no longer" in found[0] or "n't" in found[0] or "not" in found[0].split()
    return Topic(key="employer", value=f"not {value}" if negative else value, category="identity")


def _occupation(found: re.Match[str]) -> Made:
    value = bare(
        value_of(re.split(r" (?:at|for|in|from|on|of|who|living|based)\b", found["v"], maxsplit=1)[0])
    )
    return Topic(key="occupation", value=value, category="identity") if is_occupation(value) else None


def _diet(found: re.Match[str]) -> Made:
    negative = re.search(r"\b(?:no longer|not|stopped|quit)\b", found[0])
    return Topic(key="diet", value=f"{'not ' if negative else ''}{found['v']}", category="constraint")


def _allergy(found: re.Match[str]) -> Made:
    what = object_of(found["v"])
    negative = re.search(r"\b(?:no longer|not)\b", found[0])
    return (
        Topic(key=f"allergy:{what}", value="no" if negative else "yes", category="constraint")
        if what
        else None
    )


def _favourite(found: re.Match[str]) -> Made:
    what, value = noun(found["n"]), bare(value_of(found["v"]))
    return Topic(key=f"favourite:{what}", value=value, category="preference") if what and value else None


def _liking(found: re.Match[str]) -> Made:
    words = found.groupdict()
    what = object_of(words["v"])
    if not what or (words["verb"] == "stand" and not words["no"]):
        return None
    taken_back = bool(words["no"]) or words["verb"] in {"hate", "dislike", "loathe", "despise", "detest"}
    return Topic(key=f"like:{what}", value="no" if taken_back else "yes", category="preference")


_HABITS: Final = sorted(
    word_set(
        "eat drink smoke use play wear drive speak watch own study practise practice run swim read take "
        "cook bike cycle ride teach learn sing dance code paint write"
    )
)
_HABIT: Final = {activity(verb): verb for verb in _HABITS}


def _habit(found: re.Match[str]) -> Made:
    verb = _HABIT.get(activity(found["verb"]))
    what = object_of(found["v"] or "", alone=True)
    if (
        verb is None
        or what is None
        or (not what and verb not in {"smoke", "drink", "cook", "drive", "dance"})
    ):
        return None
    negative = bool(found.groupdict().get("no"))
    category = "constraint" if negative and verb in {"eat", "drink"} else "statement"
    return Topic(key=f"{verb}:{what}".rstrip(":"), value="no" if negative else "yes", category=category)


#: (how it is said, what it says), tried in order on a clause in lower case that begins with its subject.
_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Made]], ...]] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (
            (
                r"(?:my (?:full |real |first )?name is|my name's|i'm called|"
                r"i am called) (?P<v>(?!spelled|spelt|pronounced|not\b|hard|on\b|in\b|too\b|"
                r"very|a\b).{2,60})"
            ),
            _said("name"),
        ),
        (
            (
                r"(?:you can |people |everyone |friends )?(?:call me|calls me|"
                r"i go by) (?P<v>(?!back|when|if|at|on|later|tomorrow)\w.{1,40})"
            ),
            _said("nickname"),
        ),
        (r"(?:i no longer live|i (?:don't|do not) live) (?:in|at|near) (?P<v>.{2,80})", _left),
        (
            rf"(?:i|we){_NOW} (?:live|reside)(?: now| currently)? (?:in|near|at) (?P<v>.{{2,80}})",
            _residence,
        ),
        (
            (
                rf"(?:{_I_AM}|we're|we are) (?:living |based |located |residing |"
                r"settled )(?:in|near|out of|at) (?P<v>.{2,80})"
            ),
            _residence,
        ),
        (
            (
                rf"(?:i|we)(?:'ve| have)?{_NOW} (?:moved|relocated)(?: back|"
                r" over)? (?:from [^,]{1,40} )?to (?P<v>.{2,80})"
            ),
            _moved,
        ),
        (
            (
                rf"(?:{_I_AM}|we're|we are)(?: going to be)? (?:moving|relocating)(?: back|"
                r" over)? to (?P<v>.{2,80})"
            ),
            _moving,
        ),
        (r"i was born (?:on|the) (?P<v>.{3,40})", _said("birthday")),
        (r"i was born in (?P<v>(?:19|20)\d\d)\b", _said("birth-year")),
        (
            (
                r"i was born in (?P<v>(?!(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|"
                r"dec)|"
                r"the |an? )\w.{1,60})"
            ),
            _said("birthplace"),
        ),
        (
            (
                rf"(?:{_I_AM}|i (?:just |recently )?turned) (?P<v>\d{{1,3}})(?: years? old|"
                r" yo\b| y/o\b| years young)?(?: now| today| already)?$"
            ),
            _said("age"),
        ),
        (rf"(?:{_I_AM}) (?P<v>\d{{1,3}}) years? old\b", _said("age")),
        (
            (
                rf"(?:{_I_AM}) (?P<v>\d(?:[.,]\d\d?)? ?m|\d{{2,3}} ?cm|\d ?(?:ft|feet|foot|"
                r"').{0,12})(?: tall)?$"
            ),
            _said("height"),
        ),
        (r"i weigh (?P<v>.{1,30})", _said("weight")),
        (
            (
                rf"(?:{_I_AM}|i got|i(?:'ve| have) been|we got|we're|we are)(?: happily|"
                r" recently| just| newly| finally)? "
                r"(?P<v>married|single|divorced|engaged|widowed|separated)(?!-|"
                r" (?:to (?:my (?:work|job))|in\b|with\b))"
            ),
            _said("marital status"),
        ),
        (r"(?:i no longer work|i (?:don't|do not) work) (?:at|for|with) (?P<v>.{2,80})", _employer),
        (
            (
                rf"(?:i{_NOW} work|{_I_AM} (?:working|employed))(?: [\w-]+ly| full[- ]time|"
                r" part[- ]time)? (?:at|for|by) (?P<v>.{2,80})"
            ),
            _employer,
        ),
        (
            r"(?:i|i've|i have)(?: just| recently)? (?:quit|lost|left) my (?:job|position)\b",
            _fixed("employer", "none"),
        ),
        (rf"(?:i{_NOW} work|{_I_AM} working|{_I_AM} employed) as (?P<v>.{{2,80}})", _said("occupation")),
        (rf"{_I_AM} (?P<v>(?:an?|the) .{{2,80}})", _occupation),
        (
            (
                rf"(?:{_I_AM}|i became|i(?:'ve| have) (?:become|been|gone)|i went|"
                r"i turned)(?: an?| mostly| strictly| fully| completely| no longer| not)* ?"
                r"(?P<v>vegan|vegetarian|veggie|pescatarian|pescetarian|keto|carnivore|"
                r"halal|"
                r"kosher|gluten[- ]free|lactose[- ]free)\b"
                r"(?! (?:chef|restaurant|cook|blogger))"
            ),
            _diet,
        ),
        (
            (
                rf"{_I_AM}(?: no longer| not)?(?: very| severely| mildly| deathly|"
                r" highly)? allergic to (?P<v>.{2,60})"
            ),
            _allergy,
        ),
        (r"i (?:have|'ve got) an? (?P<v>[\w -]{2,30}) allergy\b", _allergy),
        (
            (
                r"(?:my|our) favou?rite (?P<n>[\w' -]{2,40}?) (?:is|are|"
                r"has always been)(?: probably| definitely| still| now|"
                r" actually)? (?P<v>.{2,80})"
            ),
            _favourite,
        ),
        (
            (
                r"(?!(?:my|our) )(?P<v>[\w' -]{2,50}?) (?:is|are) my (?:all[- ]time |"
                r"absolute )?favou?rite (?P<n>[\w' -]{2,40})"
            ),
            _favourite,
        ),
        (
            (
                r"i(?: really| just| absolutely| actually| also| still| do| never| kind of|"
                r" quite)? (?P<no>(?:don't|do not|dont|no longer|never|can't|cannot|stopped)"
                r"(?: really| actually| even)? )?(?:really )?(?P<verb>like|love|enjoy|adore|"
                r"hate|dislike|loathe|despise|detest|stand|liking|enjoying)s? (?P<v>.{2,80})"
            ),
            _liking,
        ),
        (rf"(?P<no>{_NO_MORE})(?: ever| really)? (?P<verb>\w{{3,12}})(?: (?P<v>.{{2,60}}))?$", _habit),
        (
            (
                rf"i{_NOW}(?: mostly| only| often| always| regularly|"
                rf" rarely)? (?P<verb>{'|'.join(_HABITS)})(?: (?P<v>.{{2,60}}))?$"
            ),
            _habit,
        ),
        (r"(?:you can )?(?:reach|email|mail) me (?:at|on) (?P<v>\S{1,64}@\S{3,80})", _said("email")),
        (
            r"(?:you can )?(?:reach|call|phone|text) me (?:at|on) (?P<v>\+?\d[\d ()-]{5,20})",
            _said("phone"),
        ),
    )
)


def topic_of(clause: str) -> Topic | None:
    """The key and value of a clause, or None where it gives no single-valued thing a value.

    Args:
        clause: One statement that begins with its subject ("I …", "my …").
    """
    # The case of a value tells a name from a word; the rules themselves are about lower case.
    plain = " ".join(clause.replace("\u2019", "'").split()).rstrip(" .!…;,")
    low = plain.lower()
    for pattern, make in _RULES:
        if (found := pattern.match(low)) is not None and (made := make(found)) is not None:
            return made
    if (said := attribute_of(plain)) is not None:
        return Topic(key=said[0], value=said[1], category=said[2])
    return None


_KEY: Final = re.compile(r"[^\W_][\w '+-]{0,38}(?::[\w '+-]{1,40}){0,2}")


def topic_named(key: str | None) -> str | None:
    """A key as a model wrote it, in the form of those here; None where it is none."""
    plain = " ".join((key or "").lower().replace("_", " ").split()).replace(": ", ":")
    return plain if _KEY.fullmatch(plain) and plain not in {"none", "null", "other"} else None
