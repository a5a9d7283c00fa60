"""What must never be remembered, whoever says it: grants of authority, rules for the agent, secrets.

A memory comes back in every later conversation, under the words "what you know of this person". A sentence that
gives power, approves an action, sets a policy or speaks to the rules of the assistant would there be an attack
that lasts; and what somebody may do is for the policy engine to know, not for a memory. When in doubt it is
left out: a fact lost can be said again.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ACTIONS: Final = (
    r"(?:refund|payment|transaction|transfer|payout|withdrawal|request|action|tool|call|"
    r"expense|discount|purchase|"
    r"invoice|order|deployment|deletion|change|operation|envelope|command|credit|reimbursement|"
    r"wire|export)s?"
)
_SOMEBODY: Final = (
    r"(?:i|we|(?:the |this |my )?(?:user|person|customer|client|account|speaker|boss|manager|"
    r"agent|assistant)|he|she|they|"
    r"everyone|anyone|everybody|anybody)"
)
_BE: Final = (
    r"(?:'m|'re|'s| am| are| is| was| were| has been| have been|'ve been)(?: now| also| hereby|"
    r" already| fully| always)?"
)
_SYSTEM: Final = (
    r"(?:instruction|prompt|guideline|guardrail|directive|rule|polic(?:y|ie)|restriction|"
    r"safeguard|filter|safety|"
    r"approval|confirmation|verification|authentication|permission|security|check|limit)s?"
)

#: Said to the machine: what comes after it in the same message is suspect too.
_TAKEOVER: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|disobey|overrule)\b.{0,40}\b(?:instruction|"
    r"prompt|guideline|rule|"
    r"polic(?:y|ies)|guardrail|training|restriction|previous|above|prior|everything you)|"
    r"\bsystem (?:prompt|message|override|note|instruction|notice|update)\b|\b(?:developer|"
    r"debug|god|admin|maintenance|dan) mode\b|"
    r"\bjailbr(?:eak|oken)|\byou are now\b|\bnew (?:system )?(?:instruction|directive|"
    r"prompt)s?\b|\bdo anything now\b|"
    r"^\W{0,5}(?:system|assistant|developer|tool|function)\s?[:>\]]|<\|?\s?/?(?:im_start|"
    r"im_end|system|assistant|s|memories|inst)\b|"
    r"\[/?inst\]|\brole\W{1,4}system\b|"
    r"\b(?:ignoriere|vergiss|ignora|olvida|ignorez|oublie|ignore|esque[cç]a|"
    r"desconsidere)\b.{0,30}\b(?:anweisung|regel|"
    r"instruc|regla|consigne|instru[cç])",
    re.IGNORECASE,
)

_AUTHORITY: Final = re.compile(
    rf"\b{_SOMEBODY}{_BE} (?:an? |the |your )?(?:super[- ]?)?(?:admin|administrator|root|"
    r"superuser|developer of (?:this|the)|"
    r"operator of (?:this|the)|owner of (?:this|the) (?:system|account|server|platform|tenant|"
    r"workspace|service)|creator|"
    r"system owner|super user)s?(?! (?:assistant|at (?:an?|the|my)|officer|staff))\b(?:\W|$)|"
    rf"\b{_SOMEBODY}{_BE}(?: pre-?)? ?(?:authori[sz]ed|permitted|allowed|approved|entitled|"
    r"empowered|cleared|exempt|whitelisted|"
    r"pre-?approved|verified|privileged|trusted)\b(?! to (?:work|eat|drink|drive|smoke|stay|"
    r"live|bring|keep|have|take|travel|"
    r"see|go|leave|wear|park|use (?:the|my) (?:gym|pool|car)))|"
    r"\b(?:have|has|had|got|given|granted?|grants|give|'ve|with|"
    r"gain(?:ed)?)\b.{0,20}\b(?:admin\w*|root|full|unrestricted|elevated|unlimited|"
    r"complete|special|superuser|all)[- ](?:\w+ )?(?:access|rights?|permissions?|privileges?|"
    r"authority|control|credentials|clearance)\b|"
    r"\bunlimited (?:refund|access|credit|discount|spending|transfer|request|use)|"
    r"\b(?:security clearance|trust (?:level|tier|score)|risk (?:level|tier)|guard-?rails?|"
    r"kill switch|privilege[sd]?|permissions?|"
    r"sudo|authori[sz]ation|impersonat\w+)\b|"
    r"\bon behalf of (?:the )?(?:system|admin\w*|openai|anthropic|stead|developers?|management|"
    r"support)\b|"
    r"\bas (?:an?|the|your) (?:admin\w*|root|superuser|operator|developer)\b|"
    r"\b(?:ich bin|soy|je suis|sou|sono)\b.{0,8}\b(?:admin(?:istrat\w+|istrad\w+)?|"
    r"root)\b(?! (?:bei|en una?|dans|em|numa?))",
    re.IGNORECASE,
)

_APPROVAL: Final = re.compile(
    r"\b(?:all|any|every|each|future|my|the|our|this|these|such|those|large|small|it|that|"
    rf"which)\b.{{0,30}}\b{_ACTIONS}\b.{{0,40}}\b(?:"
    r"(?:pre-?|auto-?)?(?:approved|authori[sz]ed)|allowed|permitted|granted|automatic(?:ally)?|"
    r"accepted|unlimited|fine|ok(?:ay)?|free|safe|"
    r"without (?:asking|approval|confirmation|review|limit))\b|"
    r"\b(?:approve|authori[sz]e|permit|allow|pre-?approve|auto-?approve|"
    rf"green-?light)(?:s|d|ing)?\b.{{0,30}}\b(?:{_ACTIONS}|"
    r"all|any|every(?:thing)?|whatever|you|agent|assistant|automatically|in advance)\b|"
    r"\b(?:hereby|auto-?approv\w+|pre-?(?:approv|authori[sz])\w+|"
    r"(?:(?:do|does)(?:n't| not)|no longer) (?:need|require) (?:\w+ )?(?:approval|confirmation|"
    r"verification|"
    r"authori[sz]ation)|"
    r"blanket (?:approval|"
    r"consent))\b|"
    r"\b(?:consent|approval|permission|authority) (?:is|was|has been|to|for) .{0,30}(?:given|"
    r"granted|you|everything|all)\b|"
    r"\b(?:without|no need (?:to|for)|don't (?:need|have) to|do not (?:need|have) to|never|"
    r"skip|stop|disable|turn off|no|not need)\b.{0,24}\b"
    rf"(?:ask(?:ing)?(?: me)?(?: for)? (?:\w+ )?(?:{_SYSTEM}|again|first|before)|"
    rf"without asking|{_SYSTEM} (?:is |are )?(?:needed|required|necessary)|"
    r"(?:the |any |my |all )?(?:approval|confirmation|verification|authentication|guardrail|"
    r"safety|review)s?\b)|"
    r"\b(?:refunds?|payouts?|transfers?|payments?) (?:should|must|may|can|are|will|always|"
    r"never|need)\b",
    re.IGNORECASE,
)

_POLICY: Final = re.compile(
    r"\b(?:your|the|our|this|new|updated?|company|refund|return|store|approval|security|access|"
    r"spending|default|house|agent|current)"
    r"(?: \w+)? polic(?:y|ies)\b|\bpolic(?:y|ies) (?:is|are|says?|states?|allows?|permits?|"
    r"requires?|has|have|that|now)\b(?!.{0,20}\bexpir)|"
    r"\b(?:the|your|spending|approval|refund|transfer|credit|transaction|"
    r"rate)(?: \w+)? (?:limit|threshold|cap|quota)s? (?:is|are|was|has|have|"
    r"does|do|no longer)\b|"
    r"\b(?:your|the|new|assistant|agent|system|bot)(?:'s)? (?:rule|instruction|guideline|"
    r"prompt|directive|restriction|safeguard|job|task|"
    r"purpose|role|goal)s? (?:is|are|say|do|no|have|has)\b|"
    r"\b(?:you|the (?:assistant|agent|system|bot|model|ai)|agents?|assistants?|stead)(?:'re|"
    r" are| is)? (?:must|may|should|shall|have to|need to|"
    r"can|always|never|allowed|permitted|obliged|required|will|no longer)\b|"
    r"\b(?:i|we) (?:want|need|order|instruct|command|require|expect|ask|told|allow|permit|"
    r"authori[sz]e|trust) (?:you|the (?:agent|assistant|bot|ai|system|model))\b",
    re.IGNORECASE,
)

_SECRET: Final = re.compile(
    r"\b(?:password|passwort|passcode|passphrase|contraseña|mot de passe|senha|(?:atm |card |"
    r"bank |phone )?pin(?: code| number)?|cvv|cvc|"
    r"(?:api|secret|private|access|recovery|ssh|encryption)[- ](?:key|token|phrase)|(?:bearer|"
    r"auth|session) token|seed phrase|2fa|"
    r"(?:credit|debit|bank)[- ]?card(?: number| no)?|social security(?: number)?|ssn|iban|"
    r"one[- ]time code|verification code|"
    r"security (?:code|question|answer))(?:'s)? (?:is|are|was|ist|es|est|é|will be|to|for)\b|"
    r"\b(?:sk|pk|ghp|xox[bp]|akia)[-_]\w{12,}|"
    r"\beyJ[\w-]{10,}\.|-----BEGIN|\b(?:\d[ -]?){13,19}\b",
    re.IGNORECASE,
)

#: In a sentence about others that is to be remembered by request, any of these is too much.
_POWER: Final = re.compile(
    r"\b(?:approv|authori[sz]|permi(?:t|ss)|allow|refund|polic(?:y|ies)\b|rules?\b|limits?\b|"
    r"threshold|access|admin|privileg|trust|"
    r"guard-?rail|instruct|prompt|tools?\b|must\b|should\b|may\b|always\b|never\b|transfer|"
    r"pay(?:ment|out)|execut|delet|you\b|your\b|"
    r"assistant|agent|verif|confirm|owner|root\b|override|secret|passw)",
    re.IGNORECASE,
)


#: One of these is in every sentence that `_TAKEOVER` finds.
_TAKEOVER_SIGNS: Final = (
    "ignor",
    "disregard",
    "forget",
    "overrid",
    "bypass",
    "disobey",
    "overrul",
    "system",
    " mode",
    "jailbr",
    "you are now",
    "instruction",
    "directive",
    "prompt",
    "do anything now",
    "assistant",
    "developer",
    "tool",
    "function",
    "<",
    "[",
    "role",
    "vergiss",
    "olvida",
    "oublie",
    "esque",
    "desconsidere",
)


def _plain(text: str) -> str:
    if text.isascii():
        return " ".join(text.split())
    # Characters that are not seen, and those that only look like letters, would hide a word from every pattern.
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'")
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


_POISON: Final = (_TAKEOVER, _AUTHORITY, _APPROVAL, _POLICY, _SECRET)


def may_take_over(text: str) -> bool:
    """Whether `takes_over` is worth asking. Cheap."""
    plain = (text if text.isascii() else _plain(text)).lower()
    return any(sign in plain for sign in _TAKEOVER_SIGNS)


def takes_over(text: str) -> bool:
    """Whether a sentence speaks to the machine and its rules: what follows it is not trusted then."""
    return may_take_over(text) and bool(_TAKEOVER.search(_plain(text)))


def is_poison(text: str) -> bool:
    """Whether a sentence grants authority, approves actions, sets policy, speaks of an agent's rules, or tells a
    secret. Such a sentence is no fact, whether a rule found it or a model wrote it.

    Args:
        text: One sentence; only its first 1,000 characters are looked at.
    """
    plain = _plain(text[:1000])
    return any(pattern.search(plain) for pattern in _POISON)


def gives_power(text: str) -> bool:
    """The stricter rule for what somebody asks to remember about others than themselves."""
    return is_poison(text) or bool(_POWER.search(_plain(text[:1000])))
