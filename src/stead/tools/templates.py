"""URLs and headers of http tools, and what is put into them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stead.tools.errors import ToolInvalid
from stead.tools.guard import Guard

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,99})\}")
SECRET: Final = re.compile(r"\{secret:([A-Za-z][A-Za-z0-9_.-]{0,99})\}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
#: They frame the message, say whom it is for, or are set here.
_OWN_HEADERS: Final = {
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
}


class HttpConfig(BaseModel):
    """How an http tool is called, as the catalogue keeps it.

    Args:
        url: With ``{name}`` of arguments in its path or query.
        headers: With ``{secret:name}`` where a secret belongs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Method = "POST"
    url: str = Field(min_length=8, max_length=2000)
    headers: dict[str, str] = Field(default_factory=dict, max_length=30)


def read_config(config: Mapping[str, Any], guard: Guard) -> HttpConfig:
    """A tool's configuration.

    Raises:
        ToolInvalid: It cannot be read.
        AddressRefused: The URL is none that is called.
    """
    try:
        read = HttpConfig.model_validate(dict(config))
    except ValidationError as error:
        places = ", ".join(".".join(str(step) for step in each["loc"]) for each in error.errors()[:5])
        raise ToolInvalid(f"config of the http tool does not fit: {places}") from None
    for name, value in read.headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise ToolInvalid("a header of the http tool is none that may be set")
        if len(value) > 2000 or not value.isascii() or not value.isprintable():
            raise ToolInvalid("the value of a header of the http tool is not printable ASCII")
        if "{" in SECRET.sub("", value):
            raise ToolInvalid("a header of the http tool has a brace that names no secret")
    authority = read.url.partition("://")[2].partition("/")[0].partition("?")[0]
    if "{" in authority or "{" in read.url.partition("://")[0]:
        raise ToolInvalid("the host of an http tool is no argument", hint="Put arguments into the path.")
    if "{" in _PLACE.sub("", read.url) or "#" in read.url:
        raise ToolInvalid(
            "the URL of the http tool cannot be read", hint="{name} stands for an argument."
        )
    guard.check_url(_PLACE.sub("x", read.url))
    return read


def fill_url(template: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The URL with its arguments, and the arguments that are left.

    Raises:
        ValueError: An argument is missing, is no plain value, or would climb out of its place.
    """
    used: set[str] = set()

    def put(match: re.Match[str]) -> str:
        name = match[1]
        used.add(name)
        return quote(_text(arguments.get(name)), safe="")

    url = _PLACE.sub(put, template)
    return url, {name: value for name, value in arguments.items() if name not in used}


def query_of(arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Arguments as a query: lists as repeated names.

    Raises:
        ValueError: One is no plain value.
    """
    found: list[tuple[str, str]] = []
    for name, value in arguments.items():
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        found += [(name, _plain(each)) for each in values if each is not None]
    return tuple(found)


def _text(value: Any) -> str:
    text = _plain(value)
    # A client takes dots in a path for steps up, also when they came from an argument.
    if not text or set(text) == {"."}:
        raise ValueError("an argument in the URL is empty or made of dots")
    return text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("an argument in the URL is no text or number")
