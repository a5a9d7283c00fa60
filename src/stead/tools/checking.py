"""Whether a tool can be one, whoever describes it."""

from __future__ import annotations

import json
import re
from typing import Final

from stead.tools.digests import canonical
from stead.tools.errors import ToolInvalid
from stead.tools.models import RISKS, ToolSpec
from stead.tools.schemas import check_schema

_SLUG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_SCOPE: Final = re.compile(r"[\x21-\x7e]{1,200}")
_MAX_CONFIG_BYTES: Final = 32_768


def check_spec(spec: ToolSpec) -> None:
    """Refuses what is no tool.

    Raises:
        ToolInvalid: Says which part of it.
        ToolSchemaInvalid: Its arguments could not be checked.
    """
    check_schema(spec.schema)
    problems = {
        "slug": _SLUG.fullmatch(spec.slug) is not None,
        "version": _VERSION.fullmatch(spec.version) is not None,
        "display_name": 1 <= len(spec.display_name) <= 200 and _storable(spec.display_name),
        "description": len(spec.description) <= 20_000 and _storable(spec.description),
        "risk": spec.risk in RISKS,
        "timeout_s": 0 < spec.timeout_s <= 3600,
        "toolkit": len(spec.toolkit) <= 100 and _storable(spec.toolkit),
        "required_scopes": len(spec.required_scopes) <= 100
        and all(_SCOPE.fullmatch(scope) for scope in spec.required_scopes),
        "config": _small(spec),
        "amount_argument": spec.amount_argument is None
        or spec.amount_argument in spec.schema.get("properties", {}),
    }
    for name, fits in problems.items():
        if not fits:
            raise ToolInvalid(
                f"{name} of the tool {spec.slug[:128]!r} does not fit", hint=_HINTS.get(name, "")
            )
    if not _storable(json.dumps(spec.schema, ensure_ascii=False)):
        raise ToolInvalid("the schema holds a character that cannot be stored")


def _small(spec: ToolSpec) -> bool:
    try:
        text = canonical(spec.config)
    except (TypeError, ValueError, RecursionError):
        return False
    return len(text) <= _MAX_CONFIG_BYTES and _storable(json.dumps(spec.config, ensure_ascii=False))


def _storable(text: str) -> bool:
    # As itself, or as JSON spells it.
    return "\x00" not in text and "\\u0000" not in text and not _SURROGATE.search(text)


_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_HINTS: Final = {
    "slug": "Letters, digits and . _ : -, up to 128.",
    "risk": "low, medium, high or critical",
    "timeout_s": "Up to an hour.",
    "amount_argument": "It names one of the properties of the schema.",
}
