"""Descriptions that speak to the model instead of describing: what a poisoned tool looks like.

A description is read by every agent that may use the tool. This finds plain attempts, and is no proof that there
are no others: that is what risk tiers and approvals are for.
"""

from __future__ import annotations

import re
from typing import Final

_SPEAKS: Final = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|other|all|any|earlier)\b
    | \b(?:do\ not|don'?t|never)\b.{0,30}\b(?:tell|mention|inform|reveal|show|notify|ask)\b
    | \bwithout\ (?:telling|asking|informing|notifying)\b
    | \b(?:system|developer)\ (?:prompt|message|instructions?)\b
    | <\s*/?\s*(?:important|system|instructions?|secret|admin)\b
    | \b(?:before|prior\ to|after|instead\ of)\ (?:us|call|invok|runn)ing\ (?:this|any|the|other|another)\b
    | \b(?:always|first|must)\ (?:call|use|read|send|invoke|run|include|pass|fetch)\b
    | \byou\ (?:must|should|are\ required\ to|have\ to|need\ to)\b
    | \b(?:send|forward|post|upload|exfiltrate|bcc)\b.{0,60}(?:https?://|@[\w-]+\.)
    | \b(?:id_rsa|\.ssh|\.env\b|api[ _-]?keys?|credentials?|passwords?)\b.{0,80}\b(?:pass|include|send|read|add)\b
    | \b(?:read|pass|include|send|add)\b.{0,80}\b(?:id_rsa|\.ssh|\.env\b|api[ _-]?keys?|credentials?|passwords?)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Characters that a person does not see and a model reads: zero width, direction marks, tags.
_HIDDEN: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_SPACE: Final = re.compile(r"\s+")
_MAX_CHARS: Final = 20_000


def instructs(text: str) -> bool:
    """Whether a text tells its reader what to do, or hides something from people."""
    text = text[:_MAX_CHARS]
    if _HIDDEN.search(text):
        return True
    return _SPEAKS.search(_SPACE.sub(" ", text)) is not None
