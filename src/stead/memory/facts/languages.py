"""The commonest first-person statements in German, Spanish, French and Portuguese."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from stead.memory.facts.topics import Topic
from stead.memory.facts.words import singular, word_set

_END: Final = re.compile(
    r"[,;.(!?]| (?:und|aber|weil|y|pero|porque|et|mais|parce|car|e|mas|jetzt|ahora|maintenant|"
    r"agora|seit|desde|depuis|mit|con|"
    r"avec|com) "
)
_ARTICLE: Final = re.compile(
    r"(?:der|die|das|den|dem|eine?n?|el|la|los|las|une?|un|una|le|les|l'|du|des|de la|o|a|os|"
    r"as|um|uma|mucho|muito|beaucoup|sehr|"
    r"gerne?) ?(?=\w{2})"
)
_LATE: Final = re.compile(
    r" (?:jetzt|nicht mehr|ahora|actualmente|maintenant|actuellement|agora|atualmente|sehr|gerne)$"
)
_PRONOUNS: Final = word_set(
    "es das dich sie ihn dir ihr mir wenn dass wie lo la te que cuando eso esto si ça cela te "
    "vous quand que isso isto você quando o "
    "dein deine deinen tu tus ton ta votre seu sua"
)

_Made = Callable[[re.Match[str]], Topic | None]


def _value(text: str) -> str:
    value = text.lower()
    if end := _END.search(value + " "):
        value = value[: end.start()]
    return _LATE.sub("", value.strip())


def _said(key: str, category: str = "identity") -> _Made:
    def make(found: re.Match[str]) -> Topic | None:
        value = _value(found["v"])
        return Topic(key=key, value=value, category=category) if value else None

    return make


def _keyed(kind: str, value: str, category: str) -> _Made:
    def make(found: re.Match[str]) -> Topic | None:
        words = _ARTICLE.sub("", _value(found["v"]), count=1).split()
        if not words or len(words) > 4 or words[0] in _PRONOUNS:
            return None
        return Topic(
            key=f"{kind}:{' '.join([*words[:-1], singular(words[-1])])}", value=value, category=category
        )

    return make


def _favourite(found: re.Match[str]) -> Topic | None:
    return Topic(key=f"favourite:{found['n'].lower()}", value=_value(found["v"]), category="preference")


_PLAIN: Final = "plain"

#: (category, how it is said, what it gives a value to; `_PLAIN`: a fact without a key).
_RULES: Final[tuple[tuple[str, re.Pattern[str], _Made | str], ...]] = tuple(
    (category, re.compile(pattern, re.IGNORECASE), made)
    for category, pattern, made in (
        # German
        ("identity", r"(?:mein name ist|ich hei(?:ß|ss)e) (?P<v>.{2,60})", _said("name")),
        (
            "identity",
            (
                r"ich (?:wohne|lebe)(?: jetzt| aktuell| derzeit|"
                r" seit [\w ]{2,20}?)? in (?!ein|"
                r"der n|d[a-z]+ wohnung|mein)(?P<v>.{2,60})"
            ),
            _said("residence"),
        ),
        (
            "identity",
            r"ich bin (?:[\w ]{2,20} )?nach (?P<v>[\wäöüß -]{2,40}) (?:um)?gezogen",
            _said("residence"),
        ),
        ("identity", r"ich bin (?P<v>\d{1,3})(?: jahre alt)?\W*$", _said("age")),
        ("identity", r"ich arbeite (?:bei|für) (?P<v>.{2,60})", _said("employer")),
        ("identity", r"ich arbeite als (?P<v>.{2,60})", _said("occupation")),
        (
            "identity",
            r"ich bin (?P<v>verheiratet|ledig|geschieden|verwitwet|verlobt)\b",
            _said("marital status"),
        ),
        (
            "constraint",
            r"ich bin (?:jetzt )?(?P<v>vegan|vegetarisch|veganer(?:in)?|vegetarier(?:in)?)\b",
            _said("diet", "constraint"),
        ),
        (
            "constraint",
            r"ich bin allergisch gegen (?P<v>.{2,40})",
            _keyed("allergy", "yes", "constraint"),
        ),
        ("preference", r"meine? lieblings(?P<n>\w{2,30}) ist (?P<v>.{2,60})", _favourite),
        (
            "preference",
            r"ich (?:mag|liebe) kein(?:e|en)? (?P<v>.{2,40})",
            _keyed("like", "no", "preference"),
        ),
        ("preference", r"ich hasse (?P<v>.{2,40})", _keyed("like", "no", "preference")),
        (
            "preference",
            r"ich (?:mag|liebe) (?!nicht)(?P<v>.{2,40}?) nicht(?: mehr)?\W*$",
            _keyed("like", "no", "preference"),
        ),
        (
            "preference",
            r"ich (?:mag|liebe) (?!nicht)(?P<v>.{2,40})",
            _keyed("like", "yes", "preference"),
        ),
        ("preference", r"ich (?:bevorzuge|trinke gerne?|esse gerne?) (?P<v>.{2,60})", _PLAIN),
        (
            "goal",
            (
                r"(?:mein ziel ist|ich (?:möchte|will) (?!wissen|fragen|dich|sie|dass|"
                r"eine frage|nur|mich|das|es|etwas))(?P<v>.{6,120})"
            ),
            _PLAIN,
        ),
        # Spanish
        ("identity", r"(?:yo )?(?:me llamo|mi nombre es) (?P<v>.{2,60})", _said("name")),
        ("identity", r"(?:yo )?(?:ahora )?vivo en (?!una? |mi )(?P<v>.{2,60})", _said("residence")),
        ("identity", r"(?:yo )?me mud[eé] a (?P<v>.{2,60})", _said("residence")),
        ("identity", r"(?:yo )?tengo (?P<v>\d{1,3}) años", _said("age")),
        ("identity", r"(?:yo )?trabajo (?:como|de) (?P<v>.{2,60})", _said("occupation")),
        (
            "identity",
            r"(?:yo )?trabajo (?:para|en) (?!casa|una? |equipo)(?P<v>.{2,60})",
            _said("employer"),
        ),
        (
            "identity",
            r"(?:yo )?estoy (?P<v>casad[oa]|solter[oa]|divorciad[oa]|separad[oa])\b",
            _said("marital status"),
        ),
        (
            "constraint",
            r"(?:yo )?soy (?P<v>vegan[oa]|vegetarian[oa]|cel[ií]ac[oa])\b",
            _said("diet", "constraint"),
        ),
        (
            "constraint",
            r"(?:yo )?soy alérgic[oa] (?:a|al) (?P<v>.{2,40})",
            _keyed("allergy", "yes", "constraint"),
        ),
        ("preference", r"mi (?P<n>[\wñáéíóú]{2,30}) favorit[oa] es (?P<v>.{2,60})", _favourite),
        ("preference", r"(?:ya )?no me gustan? (?P<v>.{2,40})", _keyed("like", "no", "preference")),
        ("preference", r"(?:yo )?odio (?P<v>.{2,40})", _keyed("like", "no", "preference")),
        (
            "preference",
            r"(?:a mí )?me (?:gustan?|encantan?)(?: mucho)? (?P<v>.{2,40})",
            _keyed("like", "yes", "preference"),
        ),
        ("preference", r"(?:yo )?prefiero (?!que|no )(?P<v>.{2,60})", _PLAIN),
        (
            "goal",
            (
                r"(?:mi (?:objetivo|meta|sueño) es|(?:yo )?quiero (?!saber|preguntar|que|"
                r"una? pregunta|decir|ver)(?=\w+r(?:me|lo)?\b))(?P<v>.{6,120})"
            ),
            _PLAIN,
        ),
        # French
        ("identity", r"(?:moi )?(?:je m'appelle|mon nom est) (?P<v>.{2,60})", _said("name")),
        (
            "identity",
            (
                r"(?:j'habite|je vis)(?: maintenant| actuellement)? (?:à|en|au|aux|dans le|"
                r"près de) (?P<v>.{2,60})"
            ),
            _said("residence"),
        ),
        ("identity", r"j'ai déménagé (?:à|en|au) (?P<v>.{2,60})", _said("residence")),
        ("identity", r"j'ai (?P<v>\d{1,3}) ans\b", _said("age")),
        ("identity", r"je travaille comme (?P<v>.{2,60})", _said("occupation")),
        ("identity", r"je travaille (?:chez|pour) (?P<v>.{2,60})", _said("employer")),
        (
            "identity",
            r"je suis (?P<v>marié|mariée|célibataire|divorcé|divorcée|veuf|veuve|fiancé|fiancée)\b",
            _said("marital status"),
        ),
        (
            "constraint",
            r"je suis (?:devenue? )?(?P<v>végane?|végétarien(?:ne)?|vegan|végétalien(?:ne)?)\b",
            _said("diet", "constraint"),
        ),
        (
            "constraint",
            r"je suis allergique (?:à la|à l'|aux|au|à) ?(?P<v>.{2,40})",
            _keyed("allergy", "yes", "constraint"),
        ),
        ("preference", r"m(?:on|a) (?P<n>[\wéèêàçôî]{2,30}) préférée? est (?P<v>.{2,60})", _favourite),
        ("preference", r"je n'aime (?:pas|plus) (?P<v>.{2,40})", _keyed("like", "no", "preference")),
        ("preference", r"je déteste (?P<v>.{2,40})", _keyed("like", "no", "preference")),
        (
            "preference",
            r"(?:j'aime|j'adore)(?: beaucoup| bien)? (?P<v>.{2,40})",
            _keyed("like", "yes", "preference"),
        ),
        ("preference", r"je préfère (?!que)(?P<v>.{2,60})", _PLAIN),
        (
            "goal",
            (
                r"(?:mon (?:objectif|but|rêve) est|je (?:veux|voudrais) (?!savoir|demander|"
                r"que|"
                r"dire|voir|une|poser)(?=\w+(?:er|ir|re|oir)\b))(?P<v>.{6,120})"
            ),
            _PLAIN,
        ),
        # Portuguese
        ("identity", r"(?:o )?meu nome é (?P<v>.{2,60})", _said("name")),
        ("identity", r"(?:eu )?(?:me chamo|chamo-me) (?P<v>.{2,60})", _said("name")),
        (
            "identity",
            r"(?:eu )?(?:agora )?(?:moro|vivo) (?:em|no|na) (?!uma? |minha|meu)(?P<v>.{2,60})",
            _said("residence"),
        ),
        ("identity", r"(?:eu )?(?:me mudei|mudei-me) para (?!uma? )(?P<v>.{2,60})", _said("residence")),
        ("identity", r"(?:eu )?tenho (?P<v>\d{1,3}) anos\b(?! de)", _said("age")),
        ("identity", r"(?:eu )?trabalho como (?P<v>.{2,60})", _said("occupation")),
        ("identity", r"(?:eu )?trabalho (?:na|no|para a|para o) (?P<v>.{2,60})", _said("employer")),
        (
            "identity",
            r"(?:eu )?sou (?P<v>casad[oa]|solteir[oa]|divorciad[oa]|viúv[oa])\b",
            _said("marital status"),
        ),
        ("constraint", r"(?:eu )?sou (?P<v>vegan[oa]?|vegetarian[oa])\b", _said("diet", "constraint")),
        (
            "constraint",
            r"(?:eu )?sou alérgic[oa] (?:a|ao|à) (?P<v>.{2,40})",
            _keyed("allergy", "yes", "constraint"),
        ),
        (
            "preference",
            (
                r"(?:o |a )?(?:meu|minha) (?P<n>[\wãçáéíóú]{2,30}) (?:favorit[oa]|"
                r"preferid[oa]) é (?P<v>.{2,60})"
            ),
            _favourite,
        ),
        (
            "preference",
            r"(?:eu )?(?:já )?não gosto (?:mais )?(?:de|do|da|dos|das) (?P<v>.{2,40})",
            _keyed("like", "no", "preference"),
        ),
        ("preference", r"(?:eu )?odeio (?P<v>.{2,40})", _keyed("like", "no", "preference")),
        (
            "preference",
            r"(?:eu )?(?:gosto(?: muito)? (?:de|do|da|dos|das)|adoro) (?P<v>.{2,40})",
            _keyed("like", "yes", "preference"),
        ),
        ("preference", r"(?:eu )?prefiro (?!que|não )(?P<v>.{2,60})", _PLAIN),
        (
            "goal",
            (
                r"(?:(?:o )?meu (?:objetivo|sonho) é|(?:eu )?quero (?!saber|perguntar|que|"
                r"uma? pergunta|dizer|ver)(?=\w+r\b))(?P<v>.{6,120})"
            ),
            _PLAIN,
        ),
    )
)

_BEGINNINGS: Final = word_set(
    "ich mein meine yo me mi vivo tengo trabajo estoy soy ya no odio a prefiero quiero moi je "
    "j mon ma o eu meu minha chamo moro tenho "
    "trabalho sou não gosto adoro odeio prefiro quero mudei agora ahora já"
)
_GREETING: Final = re.compile(
    r"(?:(?:hallo|guten (?:tag|morgen|abend)|servus|moin|ja|nein|also|hola|buen[oa]s (?:días|"
    r"tardes|noches)|sí|bueno|bonjour|salut|bonsoir|"
    r"oui|non|alors|olá|oi|bom dia|boa (?:tarde|noite)|sim|bem|danke|gracias|merci|"
    r"obrigad[oa])\b[,!. ]{1,3}){1,3}",
    re.IGNORECASE,
)


def foreign_fact(sentence: str) -> tuple[str, Topic | None] | None:
    """The category and topic of a statement in one of the four languages, or None.

    Args:
        sentence: In its own case, without surrounding white space.
    """
    plain = " ".join(sentence.replace("\u2019", "'").split())
    if greeting := _GREETING.match(plain):
        plain = plain[greeting.end() :]
    if (first := re.match(r"\w+", plain)) is None or first[0].lower() not in _BEGINNINGS:
        return None
    for category, pattern, made in _RULES:
        if found := pattern.match(plain):
            if isinstance(made, str):
                return category, None
            topic = made(found)
            return category, topic
    return None
