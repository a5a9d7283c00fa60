"""How bodies are read: JSON in UTF-8, without characters that the database cannot hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute

from stead.db.errors import TextNotStorable
from stead.http.errors import MalformedJson, UnsupportedMediaType

# An escaped NUL or surrogate, or a raw NUL: rare enough to look closer only then.
_SUSPICIOUS: Final = re.compile(rb"\x00|\\u(?:0000|[dD][89a-fA-F])")


class JsonRoute(APIRoute):
    """A route whose body is checked before it is looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps FastAPI's handler."""
        handle = super().get_route_handler()

        async def check_then_handle(request: Request) -> Response:
            if request.method in {"POST", "PUT", "PATCH"}:
                check_body(request.headers.get("content-type"), await request.body())
            return await handle(request)

        return check_then_handle


def check_body(content_type: str | None, body: bytes) -> None:
    """Refuses what is no JSON, and text that PostgreSQL cannot store.

    Raises:
        UnsupportedMediaType: There is a body, and it says that it is something else.
        MalformedJson: It is no JSON, or not UTF-8.
        TextNotStorable: A string in it has a NUL character or half a surrogate pair.
    """
    if not body:
        return
    media = (content_type or "").partition(";")[0].strip().lower()
    # A form or plain text could be posted from any page without the browser asking first.
    if media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMediaType("send application/json", hint="Set the Content-Type header.")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    except ValueError as error:
        where = (
            f" at line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise MalformedJson(f"the body is no JSON{where}") from None
    if _SUSPICIOUS.search(body) and not _storable(value):
        raise TextNotStorable(
            "a text in the body has a NUL character or half a surrogate pair", hint="Remove it."
        )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _storable(value: object) -> bool:
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if "\x00" in item or any("\ud800" <= c <= "\udfff" for c in item):
                return False
        elif isinstance(item, list):
            stack.extend(cast("list[Any]", item))
        elif isinstance(item, dict):
            members = cast("dict[str, Any]", item)
            stack.extend(members.keys())
            stack.extend(members.values())
    return True
