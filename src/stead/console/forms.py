"""Forms as they are posted: from a page of the console only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from stead.console.errors import FormInvalid, PageForged
from stead.db.errors import TextNotStorable

_MAX_FIELDS: Final = 20
_OWN: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True, kw_only=True)
class Form:
    """What was posted, by name of the field."""

    fields: Mapping[str, str]

    def text(self, name: str, *, most: int = 2000) -> str:
        """A field without the spaces around it; empty where there is none.

        Raises:
            FormInvalid: It is too long.
        """
        value = self.fields.get(name, "").strip()
        if len(value) > most:
            raise FormInvalid(f"{name}: at most {most} characters", hint="Make it shorter.")
        return value

    def number(self, name: str, *, least: int, most: int) -> int:
        """A whole number.

        Raises:
            FormInvalid: It is none, or out of bounds.
        """
        value = self.text(name, most=12)
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise FormInvalid(f"{name}: a number from {least} to {most}")
        return int(value)

    def digest(self, name: str) -> bytes:
        """A SHA-256 in hex.

        Raises:
            FormInvalid: It is none.
        """
        value = self.text(name, most=64)
        try:
            found = bytes.fromhex(value)
        except ValueError:
            found = b""
        if len(found) != 32:
            raise FormInvalid(f"{name}: no digest", hint="Load the page again.")
        return found


def check_reader(request: Request) -> None:
    """Refuses what a page of another origin asks for by script: the cookie goes with it where hosts are siblings.

    Raises:
        PageForged: It is one.
    """
    site = request.headers.get("sec-fetch-site")
    if site is None or site in _OWN or request.headers.get("sec-fetch-mode") == "navigate":
        return
    raise PageForged("another site asked for this page by script")


def check_origin(request: Request) -> None:
    """Refuses what another site posts, and what does not say from where it is posted.

    Raises:
        PageForged: The origin is missing, or is not this host.
    """
    origin = urlsplit(request.headers.get("origin", ""))
    host = request.headers.get("host", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if (
        origin.scheme not in {"http", "https"}
        or origin.netloc.lower() != host.lower()
        or site not in _OWN
    ):
        raise PageForged(
            "the form was not sent by a page of this host",
            hint="Open the console and try again. A proxy before it has to pass the Host header on.",
        )


async def read_form(request: Request) -> Form:
    """The form of a request.

    Raises:
        FormInvalid: It is no form.
        TextNotStorable: It has a NUL character.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise FormInvalid("send a form", hint="Content-Type: application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            (await request.body()).decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=False,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise FormInvalid("the form is not UTF-8, or has too many fields") from None
    if any("\0" in text for pair in pairs for text in pair):
        raise TextNotStorable("a text in the form has a NUL character", hint="Remove it.")
    return Form(fields=dict(pairs))
