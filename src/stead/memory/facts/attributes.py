"""``My <something> is <value>``, prices and budgets: which of them can have one value only."""

from __future__ import annotations

import re
from typing import Final

from stead.memory.facts.objects import MONTHS, WEEKDAYS, bare, noun, value_of
from stead.memory.facts.occupations import is_occupation
from stead.memory.facts.words import word_set

Attribute = tuple[str, str, str]

_NUMBERS: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred"
)
_AMOUNT: Final = (
    r"(?:about |around |roughly |up to |only |just |at most |under |approximately )?"
    r"(?:[$€£]|usd |eur |gbp )?(?P<v>\d[\d.,]{0,12}k?)(?: ?(?:€|\$|£|usd|eur|gbp|euros?|"
    r"dollars?|pounds?|bucks))?"
)
_UNIT: Final = r"(?: (?:an?|per|each|every|for an?|for my|for each|for the|for) |/| ?p(?=[hdwm]\b))"
_CHARGE: Final = re.compile(
    rf"(?:i|we)(?: now| currently| usually)? charge {_AMOUNT}(?P<rest>(?:{_UNIT}[a-z-]{{1,20}}){{0,3}})",
    re.IGNORECASE,
)
_EARN: Final = re.compile(rf"i(?: now| currently)? (?:earn|make) {_AMOUNT}\b", re.IGNORECASE)
_HAVE_BUDGET: Final = re.compile(
    rf"(?:i|we)(?:'ve got|'ve| have(?: got)?)(?: an?) (?P<n>(?:[\w-]+ ){{0,2}})budget of {_AMOUNT}"
    r"(?: for (?P<m>[\w' -]{2,40}))?",
    re.IGNORECASE,
)
_IS: Final = re.compile(
    r"(?:my|our) (?P<n>[\w'-]+(?: [\w'-]+){0,6}?) (?:is|are)(?: now| currently| still|"
    r" actually| always| usually| about)*"
    r" (?P<v>.{1,100})",
    re.IGNORECASE,
)
_SHORT_IS: Final = re.compile(
    r"(?:my|our) (?P<n>[\w-]+(?: [\w-]+){0,3}?)'s (?P<v>(?!\w+ (?:is|are)\b).{1,100})", re.IGNORECASE
)

_NAMES: Final = {
    "email address": "email",
    "mail": "email",
    "phone number": "phone",
    "number": "phone",
    "birth date": "birthday",
    "date of birth": "birthday",
    "birthdate": "birthday",
    "salary": "income",
    "pay": "income",
    "timezone": "time zone",
    "home town": "hometown",
    "mother tongue": "native language",
    "first language": "native language",
    "star sign": "zodiac sign",
    "last name": "surname",
    "family name": "surname",
    "full name": "name",
    "first name": "name",
    "profession": "occupation",
    "job": "occupation",
    "job title": "occupation",
}
_DATES: Final = word_set("birthday deadline") | {
    "due date",
    "wedding date",
    "wedding anniversary",
}
_MONEY: Final = word_set("income rent mortgage")
_WORDS: Final = word_set(
    "nationality surname username hometown religion pronoun nickname height weight postcode employer"
) | {
    "time zone",
    "blood type",
    "blood group",
    "native language",
    "zodiac sign",
    "shoe size",
    "zip code",
    "dress size",
    "middle name",
    "maiden name",
    "ring size",
    "shirt size",
}
_PETS: Final = word_set("dog cat puppy kitten horse pony parrot hamster rabbit bunny tortoise")
_PEOPLE: Final = word_set(
    "wife husband partner girlfriend boyfriend fiancé fiancée fiance fiancee spouse mother mum mom father dad "
    "boss manager therapist dentist landlord landlady ex"
)
_ONE_OF_A_KIND: Final = (_PEOPLE - {"ex"}) | word_set("company business shop studio band boat car")
#: Of these there are several, or they are many things at once: a brother is tall, and a nurse, and in Porto.
_MANY: Final = word_set(
    "sister brother son daughter child kid baby friend colleague coworker cousin aunt uncle "
    "niece nephew neighbour "
    "roommate flatmate client customer student patient parent grandmother grandfather grandma "
    "grandpa family team "
    "hobby interest goal aim plan problem issue dream fear skill strength weakness concern "
    "idea thing point reason "
    "experience opinion thought worry advice name favourite life day health mood hair eye body "
    "pet fish bird people "
    "twin teacher doctor tattoo book project question choice option preference way"
)
_PRICES: Final = word_set("rate price fee")
_NO_PRICE: Final = word_set("heart interest mortgage exchange birth tax success growth pulse")
_UNITS: Final = {
    "daily": "day",
    "hourly": "hour",
    "hr": "hour",
    "h": "hour",
    "d": "day",
    "weekly": "week",
    "monthly": "month",
    "m": "month",
    "w": "week",
    "yearly": "year",
    "annual": "year",
}
_COLOURS: Final = (
    "red|blue|green|yellow|black|white|grey|gray|orange|purple|pink|brown|silver|gold|golden|"
    "beige|turquoise|violet"
)
_NO_VALUE: Final = re.compile(
    r"(?:a (?:bit|lot|little|mess|pain|problem|disaster|nightmare|joke|total|huge|"
    r"big (?:problem|mess))|an? (?:issue|\w+ problem)|"
    r"the (?:best|worst|same|problem|reason|only|most)|one of|not (?:sure|that|very|really|"
    r"going))\b"
)
_WHEN: Final = re.compile(
    rf"(?:on|at|every|from|by|until|before|after|in) (?:the )?(?:\d|{MONTHS}|{WEEKDAYS}|noon|"
    r"midnight|mornings?|evenings?|"
    rf"afternoons?|weekends?|night|spring|summer|autumn|winter)|(?:{MONTHS}|{WEEKDAYS}|"
    r"tomorrow|today|tonight)s?\b|next "
)
_WHERE: Final = re.compile(r"(?:in|at|near|inside|under|behind|next to|on) ")


def attribute_of(clause: str) -> Attribute | None:
    """The key, value and category of a clause that gives something of the speaker's a value, or None.

    Args:
        clause: In its own case: a capital tells a name from a word.
    """
    if found := _CHARGE.match(clause):
        rest = re.sub(r"\b(?:an?|per|each|every|for|my|the|p)\b|/", " ", found["rest"].lower())
        return _priced("price", rest.split(), found["v"].lower(), "statement")
    if found := _EARN.match(clause):
        return "income", found["v"].lower(), "identity"
    if found := _HAVE_BUDGET.match(clause):
        about = (
            noun(f"{found['n']} {found['m'] or ''}") if (found["n"] + (found["m"] or "")).strip() else ""
        )
        return _priced("budget", about.split(), found["v"].lower(), "constraint")
    found = _IS.match(clause) or _SHORT_IS.match(clause)
    return _mine(found["n"].lower(), found["v"]) if found else None


def _priced(kind: str, about: list[str], value: str, category: str) -> Attribute:
    what = " ".join(sorted({_UNITS.get(word, word) for word in map(noun, about) if word}))
    return (f"{kind}:{what}" if what else kind), value.rstrip(".,"), category


def _mine(thing: str, said: str) -> Attribute | None:
    value = value_of(said)
    if called := re.fullmatch(r"(.{1,40}?)'s name|name of (?:the |my )?(.{1,40})", thing):
        return _named(called[1] or called[2], value)
    what = noun(thing)
    if not what or not value or _NO_VALUE.match(value):
        return None
    words = what.split()
    if re.match(r"(?:called|named) ", value):
        return _named(what, bare(value))
    if "budget" in words or not _PRICES.isdisjoint(words):
        return _money(words, value)
    what = _NAMES.get(what, what)
    if made := _known(what, value):
        return made
    if what in _DATES | _MONEY | _WORDS or not (_MANY | _PEOPLE | _PETS).isdisjoint(
        (words[0], words[-1])
    ):
        return (
            ("rent:due" if "due" in value else f"{what}:due", value, "statement")
            if value.startswith("due ")
            else None
        )
    return _anything(what, value, said)


def _money(words: list[str], value: str) -> Attribute | None:
    amount = re.search(rf"\d[\d.,]*k?|\b(?:{_NUMBERS})\b", value)
    if amount is None or not _NO_PRICE.isdisjoint(words):
        return None
    kind = "budget" if "budget" in words else "price"
    about = [
        w
        for w in words
        if w not in {"budget", "for", "per", "of", "on", "to", "total", "max", "maximum"} | _PRICES
    ]
    per = re.search(r"\d\S* (?:an?|per|each) (hour|day|week|month|year|session|night)\b", value)
    if kind == "price" and per:
        about.append(per[1])
    return _priced(kind, about, amount[0], "constraint" if kind == "budget" else "statement")


def _named(what: str, value: str) -> Attribute | None:
    what = noun(what)
    if what in _PETS:
        return f"pet-name:{what}", bare(value), "identity"
    return (f"name:{what}", bare(value), "identity") if what in _ONE_OF_A_KIND else None


def _known(what: str, value: str) -> Attribute | None:
    figures = re.search(rf"\d|\b(?:{_NUMBERS})\b", value)
    fits = {
        "email": "@" in value,
        "phone": sum(c.isdigit() for c in value) >= 6,
        "age": bool(figures),
        "address": bool(figures),
        "occupation": is_occupation(bare(value)),
        "home": False,
    }
    if what in fits:
        return (what, bare(value), "identity") if fits[what] else None
    if what in _DATES and (figures or _WHEN.match(value)) and not value.startswith("due"):
        return what, value, "identity"
    if what in _MONEY and figures and not value.startswith("due"):
        return what, value, "identity"
    # "My hometown is small" is about it, not which it is: a describing word alone is taken only for few of them.
    short = len(value.split()) <= 4 and not re.match(r"(?:very|too|so|really|quite|pretty|not)\b", value)
    return (what, bare(value), "identity") if what in _WORDS and short else None


def _anything(what: str, value: str, said: str) -> Attribute | None:
    key = f"my:{what}"
    if value.startswith("due "):
        return f"{key}:due", value, "statement"
    if _WHEN.match(value):
        return f"{key}:when", value, "statement"
    if _WHERE.match(value):
        return (f"{key}:where", value, "statement") if value.rsplit(maxsplit=1)[-1] != "way" else None
    if re.fullmatch(rf"(?:(?:dark|light|bright|pale|deep) )?(?:{_COLOURS})", value):
        return f"{key}:colour", value, "statement"
    article = re.match(r"(?:an?|the) ", value)
    if article or value[0].isdigit() or re.match(r"[$€£]?\d", value) or said.strip()[0].isupper():
        return key, bare(value) if article else value, "statement"
    return None
