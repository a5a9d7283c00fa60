"""``stead openapi``: what a server can be asked, for generators of clients."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stead.http import Parts


def openapi() -> None:
    """The OpenAPI document, as `/openapi.json` of a server has it. Needs neither a database nor settings.

    Example: stead openapi > openapi.json
    """
    from stead.http import HttpConfig, create_app  # noqa: PLC0415

    document = create_app(HttpConfig(version=version("stead")), _unopened).openapi()
    # A program reads this: nothing wraps or colours it.
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _unopened() -> AbstractAsyncContextManager[Parts]:
    raise AssertionError("the document is made without serving")
