"""Composio's tools as those of the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import structlog
from composio_client import omit

from stead.tools.models import Risk, ToolSpec
from stead.tools.providers.composio.client import ComposioClient
from stead.tools.providers.errors import ToolProviderUnavailable
from stead.tools.providers.plain import storable

if TYPE_CHECKING:
    from composio_client.types.tool_list_response import Item

_log = structlog.stdlib.get_logger(__name__)

_SLUG: Final = re.compile(r"[A-Za-z0-9_]{1,200}")
_VERSION: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PAGE: Final = 100
_MAX_PAGES: Final = 200
_MAX_SCHEMA_BYTES: Final = 131_072
_MAX_DESCRIPTION_CHARS: Final = 4000


async def listed(client: ComposioClient, toolkit: str, *, timeout_s: float) -> AsyncIterator[ToolSpec]:
    """The current tools of a toolkit, page by page.

    Raises:
        APIError: Composio fails.
        ToolProviderUnavailable: The list has no end.
    """
    cursor: str | None = None
    seen: set[str] = set()
    skipped = 0
    for _ in range(_MAX_PAGES):
        page = await client.api.tools.list(
            toolkit_slug=toolkit, toolkit_versions="latest", limit=_PAGE, cursor=cursor or omit
        )
        for item in page.items or []:
            spec = spec_of(item, timeout_s=timeout_s)
            if spec is None:
                skipped += 1
            else:
                yield spec
        cursor = page.next_cursor
        if not cursor:
            if skipped:
                _log.warning("composio_tools_skipped", toolkit=toolkit, tools=skipped)
            return
        if cursor in seen:
            break
        seen.add(cursor)
    raise ToolProviderUnavailable(f"Composio lists the tools of {toolkit} without an end")


def spec_of(item: Item, *, timeout_s: float) -> ToolSpec | None:
    """A tool as the catalogue has it; None where it is deprecated, or cannot be used.

    Its tags are hints, and only raise the risk. No tool counts as idempotent: Composio knows no keys.
    """
    schema = storable(item.input_parameters)
    size = len(json.dumps(schema, ensure_ascii=False).encode())
    usable = isinstance(schema, dict) and size <= _MAX_SCHEMA_BYTES
    if not usable or not _SLUG.fullmatch(item.slug) or not _VERSION.fullmatch(item.version):
        return None
    if item.is_deprecated:
        return None
    tags = set(item.tags or [])
    risk: Risk = "high" if "destructiveHint" in tags else "medium"
    return ToolSpec(
        slug=item.slug,
        version=item.version,
        provider="composio",
        display_name=storable(item.name)[:200],
        description=storable(item.description or "")[:_MAX_DESCRIPTION_CHARS],
        schema={"type": "object", **schema},
        risk=risk,
        required_scopes=_scopes(item),
        needs_account=not item.no_auth,
        timeout_s=timeout_s,
        config={"toolkit": item.toolkit.slug},
    )


def _scopes(item: Item) -> tuple[str, ...]:
    """What the account must have been granted. Of alternatives nothing is asked: Composio refuses by itself."""
    if item.scope_requirements is None:
        return tuple(sorted(set(item.scopes or [])))
    needed: set[str] = set()
    for each in item.scope_requirements.all_of:
        if isinstance(each, str):
            needed.add(each)
        elif len(each.any_of) == 1:
            needed.update(each.any_of)
    return tuple(sorted(needed))
