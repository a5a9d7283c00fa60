"""What changed between two forms of a tool, and how grave that is. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from stead.tools.digests import canonical
from stead.tools.models import RISKS, Change, Severity, ToolSpec
from stead.tools.wording import instructs

SEVERITIES: Final[tuple[Severity, ...]] = ("breaking", "risky", "harmless")
_MAX_CHANGES: Final = 100
_MAX_DEPTH: Final = 24
_TEXT: Final = {"title", "description", "examples", "$comment", "deprecated", "readOnly", "writeOnly"}
#: Limits that are narrower the larger they are, and the smaller they are.
_LOWER: Final = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER: Final = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_BY_HAND: Final = {
    "type",
    "enum",
    "const",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "default",
}
_ALL_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def changes_between(before: ToolSpec, after: ToolSpec) -> list[Change]:
    """In what a tool is no longer what it was; the gravest first.

    Args:
        before: As it was accepted.
        after: As its provider lists it now.
    """
    found = [*_of_fields(before, after), *_of_schema(before.schema, after.schema, "/schema", 0)]
    unique = list(dict.fromkeys(found))
    return sorted(unique, key=lambda change: SEVERITIES.index(change.severity))[:_MAX_CHANGES]


def first_look(spec: ToolSpec) -> list[Change]:
    """What is to be said of a tool that was not there before."""
    found = [*_of_text("", spec.description, "/description"), *_of_new_text(spec.schema, "/schema")]
    return [change for change in found if change.kind == "text_instructs"]


def severity_of(changes: Sequence[Change]) -> Severity:
    """The gravest of them."""
    found = {change.severity for change in changes}
    for severity in SEVERITIES:
        if severity in found:
            return severity
    return "harmless"


def holds(changes: Sequence[Change]) -> bool:
    """Whether the tool is not to be used until somebody has looked."""
    return any(change.holds for change in changes)


def _breaking(kind: str, path: str) -> Change:
    return Change(kind=kind, severity="breaking", path=path, holds=True)


def _risky(kind: str, path: str, *, held: bool = False) -> Change:
    return Change(kind=kind, severity="risky", path=path, holds=held)


def _harmless(kind: str, path: str) -> Change:
    return Change(kind=kind, severity="harmless", path=path)


def _of_fields(before: ToolSpec, after: ToolSpec) -> Iterator[Change]:
    if before.version != after.version:
        yield _harmless("version_changed", "/version")
    if before.provider != after.provider:
        yield _breaking("provider_changed", "/provider")
    if before.needs_account != after.needs_account:
        yield (_breaking if after.needs_account else _harmless)("account_changed", "/needs_account")
    if before.risk != after.risk:
        raised = RISKS.index(after.risk) > RISKS.index(before.risk)
        yield (_risky if raised else _harmless)("risk_raised" if raised else "risk_lowered", "/risk")
    if set(after.required_scopes) - set(before.required_scopes):
        yield _risky("scopes_added", "/required_scopes")
    if set(before.required_scopes) - set(after.required_scopes):
        yield _harmless("scopes_removed", "/required_scopes")
    if before.idempotent != after.idempotent:
        # Also where it is said to be one now: what is unknown would be sent again.
        yield _risky("idempotence_changed", "/idempotent")
    if before.amount_argument != after.amount_argument:
        yield _risky("amount_changed", "/amount_argument", held=before.amount_argument is not None)
    if canonical(before.config) != canonical(after.config):
        yield _risky("config_changed", "/config")
    for name in ("display_name", "description"):
        yield from _of_text(getattr(before, name), getattr(after, name), f"/{name}")
    if (before.timeout_s, before.toolkit) != (after.timeout_s, after.toolkit):
        yield _harmless("settings_changed", "/timeout_s")


def _of_text(before: str, after: str, path: str) -> Iterator[Change]:
    if before == after:
        return
    if instructs(after) and not instructs(before):
        yield _risky("text_instructs", path, held=True)
    else:
        yield _harmless("text_changed", path)


def _of_schema(before: Any, after: Any, path: str, depth: int) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    if depth > _MAX_DEPTH:
        yield _breaking("schema_changed", path)
    elif before is False or after is True:
        yield _harmless("widened", path)
    elif before is True or after is False or not _are_mappings(before, after):
        yield _breaking("narrowed", path)
    else:
        yield from _of_members(
            cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after), path, depth
        )


def _are_mappings(before: Any, after: Any) -> bool:
    return isinstance(before, Mapping) and isinstance(after, Mapping)


def _of_members(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, depth: int
) -> Iterator[Change]:
    yield from _of_types(before, after, path)
    yield from _of_values(before, after, path)
    yield from _of_properties(before, after, path, depth)
    for name in ("additionalProperties", "items"):
        yield from _of_schema(before.get(name, True), after.get(name, True), f"{path}/{name}", depth + 1)
    if before.get("default") != after.get("default"):
        # Who leaves it out asks for something else now, and does not know.
        yield _risky("default_changed", f"{path}/default")
    for name in sorted({*before, *after} - _BY_HAND):
        yield from _of_keyword(name, before.get(name), after.get(name), path)


def _of_types(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
    was, now = _types(before), _types(after)
    if was - now:
        yield _breaking("type_narrowed", f"{path}/type")
    elif now - was:
        yield _harmless("type_widened", f"{path}/type")


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    given = schema.get("type")
    names = {given} if isinstance(given, str) else set(cast("list[str]", given or ()))
    if not names:
        return _ALL_TYPES
    return frozenset(names | {"integer"} if "number" in names else names)


def _of_values(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
    was, now = _values(before), _values(after)
    if was == now:
        return
    if now is not None and (was is None or was - now):
        yield _breaking("enum_shrunk", f"{path}/enum")
    else:
        yield _harmless("enum_grown", f"{path}/enum")


def _values(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """What a value may be; None: anything."""
    if "const" in schema:
        return frozenset({canonical(schema["const"])})
    given = schema.get("enum")
    return frozenset(map(canonical, cast("list[Any]", given))) if isinstance(given, list) else None


def _of_properties(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, depth: int
) -> Iterator[Change]:
    was, now = _members(before.get("properties")), _members(after.get("properties"))
    must, must_now = _names(before.get("required")), _names(after.get("required"))
    for name in was.keys() - now.keys():
        yield _breaking("argument_removed", f"{path}/properties/{name}")
    for name in now.keys() - was.keys():
        yield _harmless("argument_added", f"{path}/properties/{name}")
        yield from _of_new_text(now[name], f"{path}/properties/{name}")
    for name in must_now - must:
        yield _breaking("argument_required", f"{path}/properties/{name}")
    for name in must - must_now:
        yield _harmless("argument_optional", f"{path}/properties/{name}")
    for name in sorted(was.keys() & now.keys()):
        yield from _of_schema(was[name], now[name], f"{path}/properties/{name}", depth + 1)


def _of_new_text(schema: Any, path: str) -> Iterator[Change]:
    if instructs(json.dumps(schema, ensure_ascii=False)):
        yield _risky("text_instructs", path, held=True)


def _of_keyword(name: str, before: Any, after: Any, path: str) -> Iterator[Change]:
    where = f"{path}/{name}"
    if before == after:
        return
    if name in _TEXT:
        yield from _of_text(_said(before), _said(after), where)
    elif name in _LOWER | _UPPER:
        yield _of_limit(name, before, after, where)
    elif name == "anyOf" and isinstance(before, list) and isinstance(after, list):
        was = {canonical(each) for each in cast("list[Any]", before)}
        now = {canonical(each) for each in cast("list[Any]", after)}
        yield (_breaking("narrowed", where) if was - now else _harmless("widened", where))
    elif after is None and name not in {"$defs", "definitions"}:
        yield _harmless("widened", where)
    else:
        # What cannot be compared is taken for the worst.
        yield _breaking("schema_changed", where)


def _of_limit(name: str, before: Any, after: Any, where: str) -> Change:
    if after is None:
        return _harmless("limit_widened", where)
    if isinstance(before, int | float) and isinstance(after, int | float):
        wider = after < before if name in _LOWER else after > before
        return _harmless("limit_widened", where) if wider else _breaking("limit_narrowed", where)
    return _breaking("limit_narrowed", where)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else canonical(value)


def _members(value: Any) -> dict[str, Any]:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else {}


def _names(value: Any) -> set[str]:
    return set(cast("list[str]", value)) if isinstance(value, list) else set()
