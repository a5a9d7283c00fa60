"""Text that others wrote, so that a person sees all of it and nothing else.

Jinja escapes markup. What it lets through are characters that nobody sees, or that turn what stands beside them
around ("Trojan Source", CVE-2021-42574): those are spelt as JSON spells them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

#: Control, format (direction, zero width, tags), unassigned, private, surrogates; separators and wide spaces.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
#: Letters and marks that are drawn as nothing: fillers of Hangul and Braille, joiners, selectors of variants.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_STRING: Final = re.compile(r'("(?:[^"\\]|\\.)*")')


def spell(text: str, *, keep: str = "") -> str:
    """Text whose unseen characters are spelt (``\\u202e``).

    Args:
        text: Whatever somebody wrote.
        keep: Characters that stay as they are.
    """
    return "".join(char if char in keep or _is_seen(char) else _spelt(char) for char in text)


def shown(text: object, most: int | None = None) -> Markup:
    """A text for a page, set apart from the direction of what stands around it.

    Args:
        text: Whatever somebody wrote.
        most: Characters after which it is cut, where a page is no place for all of it.
    """
    plain = "" if text is None else str(text)
    if most is not None and len(plain) > most:
        plain = plain[:most] + "…"
    return Markup("<bdi>{}</bdi>").format(spell(plain))


def json_text(value: Any) -> str:
    """JSON for people, all of it. What is spelt in it is spelt as JSON does: read again, it is the same value."""
    return spell(json.dumps(value, ensure_ascii=False, indent=2), keep="\n")


def shown_json(value: Any) -> Markup:
    """JSON for a page; each string is set apart, so that none turns its neighbours around."""
    parts = _STRING.split(json_text(value))
    return Markup("").join(
        Markup("<bdi>{}</bdi>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )


def shown_start(value: Any) -> Markup:
    """The beginning of JSON in one line, to tell one from another."""
    return shown(json.dumps(value, ensure_ascii=False), 120)


def moment(at: datetime | None) -> Markup:
    """A time of day in UTC."""
    if at is None:
        return Markup("")
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def _is_seen(char: str) -> bool:
    return char == " " or (unicodedata.category(char) not in _UNSEEN and _BLANK.match(char) is None)


def _spelt(char: str) -> str:
    # As JSON: in two halves above the first plane.
    return json.dumps(char)[1:-1]
