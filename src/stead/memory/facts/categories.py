"""Which kind of fact a clause is: the first pattern that fits names it."""

from __future__ import annotations

import re
from typing import Final

_CATEGORIES: Final = tuple(
    (category, re.compile(pattern, re.IGNORECASE))
    for category, pattern in (
        (
            "constraint",
            (
                r"(?:i|we)(?: really| also| just)? (?:can't|cannot|cant|must|mustn't|"
                r"don't eat|"
                r"do not eat|don't drink|don't drive|never eat|never drink|only eat|have to|"
                r"may not|am not allowed|no longer eat)\b|"
                r"(?:i'm|i am) (?:severely |mildly |very |deathly |highly )?(?:allergic|"
                r"intolerant|vegan|vegetarian|lactose|gluten|celiac|coeliac|diabetic|"
                r"pregnant|"
                r"not allowed|unable|afraid of|scared of|colou?r-?blind|asthmatic|deaf|"
                r"blind|"
                r"dyslexic)\b|"
                r"i (?:have|suffer from|'ve got|was diagnosed with) (?:\w+ ){0,3}(?:allergy|"
                r"allergies|diabetes|asthma|intolerance|arthritis|migraines?|epilepsy|adhd|"
                r"anxiety|celiac|coeliac|condition|disease|back pain|injury|disorder|"
                r"dyslexia)\b|"
                r"(?:my|our) (?:[\w-]+ ){0,3}?(?:budget|limit|blocker|allergy|allergies|"
                r"fear|"
                r"deadline|disability|condition)\b|i'm (?:un)?able\b"
            ),
        ),
        (
            "preference",
            (
                r"i(?: really| just| absolutely| also| still| always| usually| do|"
                r" generally|"
                r" never| actually| only| much| quite| kind of| no longer|"
                r" definitely)* (?:like|love|enjoy|prefer|hate|dislike|avoid|adore|loathe|"
                r"detest|can't stand|cannot stand|favou?r)\b|"
                r"i(?:'d| would)(?: much| really)? (?:rather|prefer)|i (?:can't|"
                r"cannot) stand|"
                r"i (?:don't|do not)(?: really)? (?:like|enjoy|care|mind|want)|"
                r"my (?:\w+ ){0,2}?(?:favou?rite|preference)\b|(?:i'm|i am) (?:a (?:big |"
                r"huge )?fan|into|fond|obsessed|keen|not a fan|not into|more of an?|"
                r"a \w+ person)\b|i stopped (?:liking|enjoying)"
            ),
        ),
        (
            "goal",
            (
                r"my (?:[\w-]+ ){0,3}?(?:goal|aim|dream|target|ambition|objective|"
                r"resolution)s?\b|(?:i'm|i am|we're|we are)(?: currently| now)? (?:trying|"
                r"hoping|aiming|saving|training for|working towards?|looking for|"
                r"studying for|"
                r"preparing)\b|i(?:'d| would) (?:really )?(?:like|love) to|"
                r"(?:i|we)(?: really| also| just)? (?:want|hope|aim|intend|aspire|wish|need|"
                r"should)\b"
            ),
        ),
        (
            "plan",
            (
                r"(?:i'll|i will|we'll|we will)\b|(?:i'm|i am|we're|we are)(?: also|"
                r" currently)? (?:going|gonna|moving|travell?ing|flying|starting|meeting|"
                r"getting|visiting|planning|leaving|expecting|taking|having|due|attending|"
                r"hosting|renovating|launching|"
                r"opening|switching|relocating|driving to|heading|seeing)\b|(?:i|"
                r"we) (?:booked|"
                r"scheduled|plan|planned)\b|(?:i|we)(?:'ve|"
                r" have)(?: got)? an? (?:\w+ ){0,3}(?:appointment|interview|exam|flight|"
                r"meeting|trip|wedding|surgery|deadline|party|race|marathon|concert|trial|"
                r"hearing|date)\b|"
                r"my (?:\w+ ){0,3}(?:appointment|interview|exam|flight|trip|wedding|surgery|"
                r"holiday|vacation|graduation) (?:is|starts|begins|got|was moved)"
            ),
        ),
        (
            "identity",
            (
                r"my name\b|(?:i'm|i am) (?:called|an?|the|from|based|married|divorced|"
                r"single|"
                r"engaged|retired|\d+|originally|half|bilingual|left-handed|trans|gay|"
                r"lesbian|"
                r"bisexual|jewish|muslim|catholic|christian|buddhist|hindu|[a-z]+(?:ese|ish|"
                r"ian)\b)|"
                r"i (?:was born|grew up|was raised)|(?:i|we)(?: currently| now|"
                r" still)? (?:live|reside|work|run|own|teach|study|come from)\b|(?:i've|"
                r"i have) been (?:an?|working|living|married|teaching|running|studying)\b|"
                r"(?:i|"
                r"we) (?:moved|relocated) to|"
                r"my (?:job|company|business|shop|studio|wife|husband|partner|girlfriend|"
                r"boyfriend|son|daughter|kids?|children|mother|mom|mum|father|dad|parents|"
                r"brothers?|sisters?|dog|cat|birthday|email|phone|address|occupation|"
                r"profession|employer|hometown|nationality|family|surname|nickname|pronouns|"
                r"boss|team)\b|"
                r"i (?:have|'ve got) (?:an? |one |two |three |four |five |\d+ |"
                r"my own )(?:\w+ ){0,2}(?:sons?|daughters?|kids?|children|brothers?|"
                r"sisters?|"
                r"dogs?|cats?|wife|husband|twins|siblings?|degree|phd|master's)\b|i speak\b|"
                r"i went to (?:school|university|college)"
            ),
        ),
    )
)


def category_of(clause: str) -> str:
    """The kind of fact, by the first pattern that fits."""
    return next((name for name, pattern in _CATEGORIES if pattern.match(clause)), "statement")
