"""Style and scripts of the pages, from this package and nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file that pages load.

    Args:
        path: Its address; a changed file has another one.
    """

    path: str
    media_type: str
    body: bytes


def _asset(name: str, media_type: str) -> Asset:
    body = files("stead.console").joinpath("static", name).read_bytes()
    version = hashlib.sha256(body).hexdigest()[:16]
    return Asset(path=f"/console/static/{version}/{name}", media_type=media_type, body=body)


ASSETS: Final = {
    "htmx": _asset("htmx-2.0.11.min.js", "text/javascript"),
    "script": _asset("console.js", "text/javascript"),
    "style": _asset("console.css", "text/css"),
}
