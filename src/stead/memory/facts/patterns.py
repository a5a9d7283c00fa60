"""How a sentence begins, and whose words it holds: what may stand before a statement, what makes it none."""

from __future__ import annotations

import re
from typing import Final

from stead.memory.facts.words import word_set

#: Taken off the front of a sentence: it is not part of what is said.
FILLER: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|yo|ok|okay|well|so|and|but|oh|ah|yes|yeah|yep|yup|no(?! wait|"
    r" me gust)|nope|thanks|"
    r"thank you|thx|sure|please|pls|also|"
    r"btw|by the way|fyi|lol|haha|hmm+|um+|uh|right|great|cool|nice|perfect|awesome|sorry|"
    r"anyway|plus|oops|honestly|tbh|good (?:morning|"
    r"afternoon|evening)|just so you know|so you know|for (?:the record|context|reference|"
    r"background|what it's worth)|as i said|"
    r"like i said|quick (?:update|note)|update|one more thing|to be clear|great question|"
    r"no worries)(?:[,!.:;)]{1,3} ?| [-\u2013—] | |$)"
    r"(?:there[,!.]? |everyone[,!.]? |so much[,!.]? |very much[,!.]? |a lot[,!.]? )?){1,6}",
    re.IGNORECASE,
)
#: "Remember that": what follows is wanted kept.
REMEMBER: Final = re.compile(
    r"(?:(?:can|could|will) you )?(?:please )?(?:(?:remember|note|keep in mind|bear in mind|"
    r"don't forget|do not forget|never forget|save|"
    r"memorise|memorize|store|take note)(?: (?:for (?:later|next time|the future)|this|"
    r"also))?(?: that\b|[:,] |(?= (?:i|i'm|my|we|our)\b))) ?",
    re.IGNORECASE,
)
_STANDING: Final = (
    r"(?:always|never|from now on,?|in (?:the )?future,?|going forward,?|by default,?|"
    r"whenever you (?:answer|reply|write),?|"
    r"(?:please )?remember to(?: always| never)?|(?:please )?make sure to always)"
)
#: How somebody wants to be answered, from now on: style only, never what may be done.
MANNERS: Final = re.compile(
    rf"(?:please )?(?:{_STANDING} (?:please )?(?P<verb>answer|reply|respond|write|speak|talk|"
    r"call|address|use|format|explain|keep|"
    r"give me|be)\b|(?P<late>answer|reply|respond|write|speak|talk|call me|address me|use|"
    r"explain|keep)\b.{2,80}\b(?:from now on|in (?:the )?future|"
    r"going forward|by default|every time)\W*$)",
    re.IGNORECASE,
)
_DEED: Final = re.compile(
    r"\b(?:tools?|account|money|email(?:s|ed)?|send|delete|execute|run|purchase|buy|order|"
    r"call(?:ing)? (?!me)|password|key|link|url|http)\b",
    re.IGNORECASE,
)
ROLE_PLAY: Final = re.compile(
    r"^\W{0,3}(?:(?:can|could|will) (?:you|we) |please |now |let's |let us |i want you to |"
    r"i'd like you to ){0,2}(?:imagine|pretend|suppose|"
    r"supposing|assume|assuming|role-?play|act (?:as|like)|play (?:the|a) (?:role|part|"
    r"character)|play a (?:character|game)|say (?:that )?i\b|"
    r"picture this|write (?:me )?(?:a |an |the )?(?:\w+ )?(?:story|scene|dialogue|poem|"
    r"monologue|script|song|character|novel)|in this (?:story|scenario|game)|"
    r"you are (?:a|an|the)\b|hypothetically)",
    re.IGNORECASE,
)
#: What follows is a text to work on, not the speaker's own words.
_PAYLOAD: Final = re.compile(
    r"^\W{0,3}(?:(?:can|could|would|will) you |please |help me |now |i (?:need|want) you to |"
    r"kindly |just ){0,3}(?:"
    r"(?:translate|rewrite|rephrase|proofread|correct|fix|summari[sz]e|improve|edit|paraphrase|"
    r"polish|shorten|analy[sz]e|review|classify|check|"
    r"convert|explain|extract|repeat|complete|continue|format|parse|transcribe|grade|"
    r"caption)\b.{0,200}(?::(?!\d)|\b(?:this|the following|these|"
    r"below|text|sentences?|paragraph|e-?mail|message|essay|letter|bio|article|passage|lyrics|"
    r"review|post|tweet|(?:in)?to (?:english|german|french|"
    r"spanish|portuguese|italian|chinese|arabic))\b)|"
    r"(?:write|draft|reply|respond|say|compose|post|send|tell|type|answer)\b.{0,200}(?::(?!\d)|"
    r"\b(?:this|the following|below)\b))",
    re.IGNORECASE,
)
_BELOW: Final = re.compile(
    r".{0,80}\b(?:here(?:'s| is| are)|this is|see|below is) (?:my|the|our|a|an|"
    r"what) (?:\w+ ){0,4}(?:email|message|letter|draft|text|essay|"
    r"log|logs|output|error|trace|code|script|post|paragraph|sentence|bio|transcript|he wrote|"
    r"she wrote|they wrote)\b.{0,40}:\s*$",
    re.IGNORECASE,
)
#: A statement with a question behind it: "I'm allergic to nuts, what can I eat?"
ASKS_AFTER: Final = re.compile(
    r",? (?:so |and |but )?(?:what|which|where|who|when|how|why|can|could|do|does|did|is|"
    r"are|any|should|would|will|got any|which)\b",
    re.IGNORECASE,
)
HYPOTHETICAL: Final = re.compile(
    r"^(?:even )?if (?!.{2,80}, (?:i|my) )|\b(?:if only|as if|as though|what if|i wish (?:i|we|"
    r"it|he|she|they|you|there|my)|"
    r"(?:would|could|should|might|'d) have (?:been )?\w+|were i\b|if i (?:were|was|had|could|"
    r"did|won|got)|imagine|pretend|"
    r"suppose (?:i|that|we)|let's say|hypothetical\w*|for (?:example|instance),? (?:i|my)|"
    r"say,? i\b|in (?:the|this) (?:story|book|film|movie|"
    r"game|novel|song|scenario|dream)\b)|\bif\b.{1,60}\b(?:i|we)(?: would|'d| could)\b|\b(?:i|"
    r"we)(?: would|'d| could)\b.{1,60}\bif\b",
    re.IGNORECASE,
)
HEARSAY: Final = re.compile(
    r"\b(?!(?:i|we|don't|not|really|just|also|never|to|always|do|used|first|"
    r"then)\b)[a-z]+(?:'s|'ve|'d| has| have| had)? (?:said|says|say|"
    r"told|tells|tell|claims?|claimed|thinks?|thought|believes?|believed|wrote|writes|asked|"
    r"asks|keeps? saying|insists?|insisted|accused?)\b",
    re.IGNORECASE,
)
_CARER: Final = re.compile(
    r"my (?:doctor|gp|dentist|therapist|nutritionist|cardiologist|physio\w*|dermatologist|"
    r"psychiatrist|midwife) ",
    re.IGNORECASE,
)

#: What may stand before the subject without taking anything from what is said.
LEAD: Final = re.compile(
    r"(?:(?:actually|correction|unfortunately|luckily|fortunately|sadly|personally|honestly|"
    r"usually|normally|generally|typically|nowadays|"
    r"currently|recently|lately|sometimes|often|originally|basically|today|yesterday|tomorrow|"
    r"tonight|now|right now|these days|at the moment|"
    r"no wait|wait|the thing is|in fact|in (?:19|20)\d\d|(?:last|this|next) (?:week|month|year|"
    r"summer|winter|spring|autumn|fall|weekend|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday)|on (?:mon|tues|wednes|thurs|"
    r"fri|satur|sun)days?|on weekends|since (?:19|20)\d\d|"
    r"(?:\w+ )?(?:years?|months?|weeks?|days?) ago|every (?:day|week|year|morning|evening|"
    r"night|summer|winter|monday|friday|sunday)|for work|"
    r"at work|at home|as you know|in my (?:spare|free) time|as of (?:today|now|this \w+)|"
    r"i (?:just )?(?:realised|realized|found out) (?:that)?|"
    r"(?:the )?(?:fact|truth) is(?: that)?)[,:]? |(?:-|—|\u2013) ){1,3}",
    re.IGNORECASE,
)
HEDGE: Final = re.compile(
    r"(?:i (?:think|guess|believe|suppose|suspect|feel like|assume)(?: that)?|"
    r"i'm (?:not (?:entirely |completely )?sure but|pretty sure|fairly sure)(?: that)?|"
    r"maybe|probably|perhaps|possibly|as far as i know|it (?:seems|looks like)(?: that)?|"
    r"i'd say(?: that)?|apparently),? (?=(?:i|i'\w{1,2}|my|we|our)\b)",
    re.IGNORECASE,
)
HEDGED: Final = re.compile(
    r"\b(?:maybe|probably|perhaps|possibly|might|not sure|i guess|i think|i suppose|"
    r"kind of|sort of|kinda|or something|or so)\b|^(?:i|we) should\b",
    re.IGNORECASE,
)
CORRECTION: Final = re.compile(
    r"\b(?:actually|correction|i meant|i was wrong|not any ?more|any ?more|no longer|no wait|"
    r"in fact|i (?:mis(?:spoke|typed)|made a mistake)|"
    r"changed my mind|stopped|quit|gave up|instead of|scratch that|used to)\b",
    re.IGNORECASE,
)
#: A clause before the subject: the statement is kept, but a rule for "I live in" must not read "when I lived in".
ADVERBIAL: Final = re.compile(
    r"(?:when|whenever|while|after|before|since|because|as|although|even though|though|every|"
    r"in|on|at|for|with|without|during|until|by|most|"
    r"from|one of|between|once|apart from|besides|due to|thanks to|despite|like|of course|"
    r"if)\b[^?]{1,80}?,? (?=(?:i|i'\w{1,2}|my|we|we're|our)\b)",
    re.IGNORECASE,
)
SUBJECT: Final = re.compile(r"(?:i|i'm|im|i've|i'll|i'd|my|we|we're|we've|our)(?= )", re.IGNORECASE)
#: The subject is left out in chat: "Moved to Lisbon last month", "Allergic to nuts btw".
ELIDED: Final = re.compile(
    r"(?:just |recently |currently |also |now )?(?:(?P<am>allergic to|based in|living in|"
    r"working (?:at|for|as)|born in|married to|vegan here|vegetarian here|"
    r"moving to|retired)|(?P<i>(?:moved|relocated) to|bought (?:a|an|our|my)|quit (?:my|"
    r"smoking|drinking)|stopped (?:eating|drinking|smoking)|"
    r"got (?:married|engaged|divorced|a (?:dog|cat|puppy|new job))))\b",
    re.IGNORECASE,
)
#: The speaker is not the subject, but it is about them.
ABOUT_ME: Final = (
    (
        re.compile(
            r"(?!(?:it|that|this|these|those|which|what|sounds?|either|"
            r"whatever)\b)[\w' -]{3,60} (?:works?|suits?) (?:best |better |well |great |fine )?"
            r"(?:for )?(?:me|us)\b",
            re.IGNORECASE,
        ),
        "preference",
    ),
    (
        re.compile(
            r"(?!(?:it|that|this|these|those|which|what|there|here|one|not|you|"
            r"your)\b)[\w' -]{2,50} (?:is|are) my (?:\w+[- ]){0,3}\w+",
            re.IGNORECASE,
        ),
        "preference",
    ),
    (
        re.compile(
            r"(?!(?:it|that|this|these|those|which|what|you)\b)[\w' -]{3,40} (?:makes?|gives?) me "
            r"(?:sick|anxious|nervous|sleepy|ill|migraines?|headaches?|hives|a rash|happy)",
            re.IGNORECASE,
        ),
        "constraint",
    ),
    (
        re.compile(
            r"(?:you can |people |friends |everyone )?(?:call|calls) me (?!back|when|if|at|"
            r"later|tomorrow|on|a\b|an\b|crazy|old)\w{2}",
            re.IGNORECASE,
        ),
        "identity",
    ),
    (
        re.compile(
            r"(?:you can )?(?:reach|email|mail|phone|text|call) me (?:at|on) \S{6}", re.IGNORECASE
        ),
        "identity",
    ),
)

#: One of these is in every sentence that says something, in any of the languages.
_MAY_SAY: Final = word_set(
    "i im my me we our us ive ill id remember note mind forget save store always never future "
    "forward default answer reply respond write "
    "speak talk call address use explain keep allergic based living working born married vegan "
    "vegetarian moving retired moved relocated "
    "bought quit stopped got reach email ich mein meine mi yo ya vivo tengo soy trabajo estoy "
    "prefiero quiero odio no je j mon ma moi eu meu "
    "minha moro sou tenho trabalho gosto adoro odeio prefiro quero não chamo"
)
_ANY_WORD: Final = re.compile(r"\w+")


def may_say(sentence: str) -> bool:
    """Whether a sentence is worth a closer look. Cheap, and never wrong about one that says something."""
    return not _MAY_SAY.isdisjoint(_ANY_WORD.findall(sentence.lower()))


def is_payload(sentence: str) -> bool:
    """Whether what follows, here or after it, is a text to work on and not the speaker's own words."""
    return bool(_PAYLOAD.match(sentence)) or (sentence.endswith(":") and bool(_BELOW.match(sentence)))


def is_manner(sentence: str) -> bool:
    """Whether a sentence says how its speaker wants to be answered from now on."""
    return bool(MANNERS.match(sentence)) and not _DEED.search(sentence)


def is_hearsay(clause: str) -> bool:
    """Whether a clause reports what somebody said; a doctor's word about the speaker is not counted as such."""
    return bool(HEARSAY.search(clause)) and not _CARER.match(clause)
