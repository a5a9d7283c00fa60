"""Strings for the offline model's structured output: by name, by format, and within their bounds."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import date, datetime

from stead.providers.models.offline.source import Source, name_words
from stead.providers.models.offline.words import one_line, sentences, shorten, stem

PROSE_LABEL = "[offline model]"

_FILLER = "(filled in by rule, as no language model is configured)"


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_PROSE = _stems(
    "description summary explanation recommendation rationale reason reasoning analysis notes comment"
    " pitch overview suggestion value message answer diagnosis feedback advice conclusion"
)
_TITLES = _stems(
    "name title role label heading subject topic key type kind category language tag author persona unit"
    " currency status state color colour"
)
_PATHS = _stems("path route url uri href")
_IDENTIFIERS = _PATHS | _stems("id slug")
_CODE = _stems("code snippet")
_FENCE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}@[A-Za-z0-9-]{1,40}\.(?:com|org|net|io|dev)\b")
_URL = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9-]{0,60}(?:\.[A-Za-z][A-Za-z0-9-]{0,60})+(?:/[A-Za-z0-9/_-]*)?"
)
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_DATE_TIME = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?")
# What stands where the text has nothing of that form: recognisable placeholders, no inventions.
_PLACEHOLDERS = {
    "email": "nobody@example.com",
    "idn-email": "nobody@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "ipvanyaddress": "192.0.2.1",
    "ipvanynetwork": "192.0.2.0/24",
    "ipvanyinterface": "192.0.2.1/24",
    "ipv4network": "192.0.2.0/24",
    "ipv6network": "2001:db8::/32",
    "ipv4interface": "192.0.2.1/24",
    "ipv6interface": "2001:db8::1/64",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "regex": ".*",
    "base64url": "AA==",
}
# Tried in turn where a pattern asks for a form that no phrase of the text has.
_SAMPLES = (
    "example",
    "Example",
    "EXAMPLE",
    "a",
    "A",
    "0",
    "00",
    "0000",
    "1.0.0",
    "0.0",
    "#000000",
    "EUR",
    "en",
    "en-GB",
    "a-b",
    "a_b",
    "/",
    "/example",
    "a.b",
    "1970-01-01",
    "00:00",
    "nobody@example.com",
    "https://example.com/",
    "+10000000000",
    "00000000-0000-0000-0000-000000000000",
)


def fill_string(schema: Mapping[str, object], name: str, source: Source, index: int) -> str:
    """A string for one place of a schema.

    Args:
        schema: The place's schema; ``minLength``, ``maxLength``, ``pattern`` and ``format`` are kept.
        name: The property's name, which decides between a title, an identifier and prose.
        source: What to fill it from.
        index: The place's position among its siblings, to tell identifiers apart.
    """
    shape = str(schema.get("format") or "")
    if formatted := _formatted(shape, name, source, index):
        return formatted
    least, most = _length(schema.get("minLength"), 0), _length(schema.get("maxLength"), None)
    text = fit(_by_name(name, source, index), least, most)
    pattern = schema.get("pattern")
    return _matching(pattern, text, source, least, most) if isinstance(pattern, str) else text


def fit(text: str, least: int | None, most: int | None) -> str:
    """``text`` made ``least`` to ``most`` characters long, without outer whitespace."""
    least = least or 0
    text = text.strip()
    if most is not None and len(text) > most:
        text = shorten(text, most).strip() if most > 20 else text[:most].strip()
    if len(text) < least:
        text = (text + f" {_FILLER}" * (least // len(_FILLER) + 1)).lstrip()
    if most is not None and len(text) > most:
        cut = text[:most]
        # A blank at the cut would be stripped by some validators, and the length missed.
        text = cut.rstrip() + "." * (len(cut) - len(cut.rstrip()))
    return text


def slug(text: str) -> str:
    """``text`` as lower-case ASCII words joined by hyphens, up to 40 characters, or ``item``."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text)[:40].strip("-") or "item"


def _length(value: object, default: int | None) -> int | None:
    return int(value) if isinstance(value, int | float) else default


def _by_name(name: str, source: Source, index: int) -> str:
    words = name_words(name)
    title = source.title or "Untitled"
    if not name:
        text = source.line if source.is_element else title
    elif words & _CODE:
        fence = _FENCE.search(source.text)
        text = fence.group(1) if fence else f"# {PROSE_LABEL} Nothing was generated."
    elif words & _IDENTIFIERS:
        text = ("/" if words & _PATHS else "") + slug(source.title) + (f"-{index + 1}" if index else "")
    elif "question" in words:
        asked = (part for part in sentences(source.text) if part.endswith(("?", "\uff1f")))
        text = next(asked, f"{PROSE_LABEL} What else should be known?")
    elif words & _TITLES:
        text = title
    elif words & _PROSE:
        text = f"{PROSE_LABEL} {source.line or 'Nothing was given to fill this in.'}"
    else:
        text = source.line or "Not given"
    return text


def _formatted(shape: str, name: str, source: Source, index: int) -> str:
    """A string of the JSON Schema format ``shape``; empty for a format that binds nothing."""
    if shape in ("date", "date-time"):
        return _moment(source, with_time=shape == "date-time")
    if shape in ("uuid", "uuid1", "uuid3", "uuid4", "uuid5"):
        found = _UUID.search(source.text) if shape == "uuid" else None
        version = 4 if shape == "uuid4" else 5 if shape in ("uuid", "uuid5") else int(shape[-1])
        made = uuid.uuid5(uuid.NAMESPACE_OID, f"{name}\n{index}\n{source.text}")
        return found.group() if found else str(uuid.UUID(bytes=made.bytes, version=version))
    found = {"email": _EMAIL, "uri": _URL, "url": _URL}.get(shape)
    match = found.search(source.text) if found else None
    return match.group() if match else _PLACEHOLDERS.get(shape, "")


def _moment(source: Source, *, with_time: bool) -> str:
    """The first real date in the text, else the epoch as a placeholder."""
    for match in _DATE_TIME.finditer(source.text):
        try:
            moment = datetime.fromisoformat(match.group())
        except ValueError:
            continue
        if with_time:
            return moment.isoformat() + ("" if moment.tzinfo else "Z")
        return moment.date().isoformat()
    return "1970-01-01T00:00:00Z" if with_time else date(1970, 1, 1).isoformat()


def _matching(pattern: str, text: str, source: Source, least: int | None, most: int | None) -> str:
    """``text`` or the first phrase or sample that the pattern and the bounds admit; else ``text``."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return text
    words = [word.strip(".,;:!?\"'()") for word in source.line[:2000].split()[:200]]
    lengths = [sample * (least or 1) for sample in ("0", "a", "A")]
    for candidate in (text, one_line(source.title), slug(source.title), *words, *_SAMPLES, *lengths):
        in_bounds = (least or 0) <= len(candidate) <= (len(candidate) if most is None else most)
        if in_bounds and compiled.search(candidate):
            return candidate
    return text
