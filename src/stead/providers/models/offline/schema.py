"""Structured output of the offline model: a JSON schema filled from the user's text by rule.

It understands what pydantic writes: objects, arrays, ``$ref`` and ``$defs``, ``anyOf``, enums,
constants, defaults, formats and bounds. What the text names is taken from it; the rest is the least
that the schema admits (zero, false, the first choice). Prose is labelled: nothing passes for a model's
judgement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stead.providers.models.offline.choices import choose, mentions, stated
from stead.providers.models.offline.jsonschema import (
    Schema,
    count,
    elements,
    fits,
    members,
    resolve,
    schemas,
    type_of,
)
from stead.providers.models.offline.numbers import fill_number, in_bounds
from stead.providers.models.offline.source import (
    Source,
    as_number,
    element_source,
    plain,
    source_of,
    split_list,
)
from stead.providers.models.offline.strings import fill_string
from stead.providers.models.offline.words import one_line

_DEEPEST = 24
_MOST_ELEMENTS = 20


class _TooDeepError(Exception):
    """A schema refers to itself without end along this branch."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """One place to fill: its schema, its property's name, its position in an array, its text."""

    schema: Schema
    source: Source
    name: str = ""
    index: int = 0
    depth: int = 0
    references: frozenset[str] = frozenset()

    @property
    def turn(self) -> int:
        """The position that makes bare elements of an array differ; a property is the same in each."""
        return 0 if self.name else self.index

    def inner(self, schema: Schema, source: Source, *, name: str = "", index: int = 0) -> _Place:
        """A place inside this one."""
        return replace(self, schema=schema, source=source, name=name, index=index, depth=self.depth + 1)


def fill(schema: Schema, text: str) -> object:
    """A JSON value that ``schema`` admits, made from ``text``; the same for the same arguments.

    Args:
        schema: The JSON schema of an output type.
        text: The user's words, or a JSON document whose members are matched with properties by name.

    Raises:
        RecursionError: The schema requires a value of endless depth.
    """
    try:
        return _Filler(schema).value(_Place(schema=schema, source=source_of(text)))
    except _TooDeepError as error:
        raise RecursionError("the output schema requires itself without end") from error


class _Filler:
    """Fills one schema; holds its root, to which references point."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def value(self, place: _Place) -> object:
        """A value for one place."""
        if place.depth > _DEEPEST:
            raise _TooDeepError
        reference = place.schema.get("$ref")
        schema = resolve(self._root, place.schema)
        if isinstance(reference, str):
            place = replace(place, references=place.references | {reference})
        place = replace(place, schema=schema)
        if "const" in schema:
            return schema["const"]
        named = place.source.lookup(place.name)
        if elements(schema.get("enum")):
            return choose(schema, named, place.source, place.turn)
        if branches := schemas(schema.get("anyOf")) or schemas(schema.get("oneOf")):
            return self._either(place, branches, named)
        if named is None and "default" in schema:
            return schema["default"]
        return self._typed(place, named)

    def _typed(self, place: _Place, named: object) -> object:
        match type_of(place.schema, named):
            case "object":
                return self._object(place, named)
            case "array":
                return self._array(place, named)
            case "number" | "integer" as kind:
                return _number(place, named, whole=kind == "integer")
            case "boolean":
                return stated(place.name, named, place.source)
            case "null":
                return None
            case _:
                return self._string(place, named)

    def _string(self, place: _Place, named: object) -> str:
        if place.schema.get("contentMediaType") == "application/json":
            content = place.schema.get("contentSchema")
            inner = members(content) if content else {"type": "null"}
            return json.dumps(self.value(place.inner(inner, place.source, name=place.name)))
        words = "" if isinstance(named, Mapping) else one_line(plain(named))
        if words:
            return fill_string(place.schema, "", Source(text=words, is_element=True), place.index)
        return fill_string(place.schema, place.name, place.source, place.index)

    def _either(self, place: _Place, branches: Sequence[Schema], named: object) -> object:
        """One of several branches: null where nothing is named, else the first of a fitting type."""
        real = [branch for branch in branches if resolve(self._root, branch).get("type") != "null"]
        if named is None:
            if "default" in place.schema:
                return place.schema["default"]
            if len(real) < len(branches):
                return None
        if [branch.get("type") for branch in real] == ["number", "string"]:
            # So pydantic writes a Decimal: its strings must be numerals, but the schema does not say it.
            del real[1:]
        # Fitting before others, and what is already being filled last: a recursive type ends early.
        real.sort(
            key=lambda branch: (
                branch.get("$ref") in place.references,
                not fits(resolve(self._root, branch), named),
            )
        )
        for branch in real:
            try:
                return self.value(place.inner(branch, place.source, name=place.name, index=place.index))
            except _TooDeepError:
                continue
        if len(real) < len(branches):
            return None
        raise _TooDeepError

    def _object(self, place: _Place, named: object) -> dict[str, object]:
        given = members(named)
        source = source_of(given) if given else place.source
        required = set(elements(place.schema.get("required")))
        filled: dict[str, object] = {}
        for name, schema in members(place.schema.get("properties")).items():
            # What may be left out stays out, unless the text has something for it.
            if name in required or source.lookup(name) is not None:
                inner = place.inner(members(schema), source, name=name, index=place.index)
                filled[name] = self.value(inner)
        extra = members(place.schema.get("additionalProperties"))
        for number in range(len(filled), count(place.schema.get("minProperties"), 0)):
            filled[f"item_{number + 1}"] = self.value(place.inner(extra, source, index=number))
        return filled

    def _array(self, place: _Place, named: object) -> list[object]:
        schema = place.schema
        fixed = schemas(schema.get("prefixItems"))
        filled = [self.value(place.inner(one, place.source, index=i)) for i, one in enumerate(fixed)]
        if schema.get("items") is False or ("items" not in schema and fixed):
            return filled
        inner = resolve(self._root, members(schema.get("items")))
        raw = members(schema.get("items"))
        least = count(schema.get("minItems"), 0)
        most = count(schema.get("maxItems"), max(least, _MOST_ELEMENTS))
        unique = bool(schema.get("uniqueItems"))
        for element in _candidates(inner, named, place.source)[: max(least, _MOST_ELEMENTS)]:
            if len(filled) >= most:
                break
            try:
                made = self.value(place.inner(raw, element_source(element), index=len(filled)))
            except _TooDeepError:
                break
            if not (unique and made in filled):
                filled.append(made)
        # The rest comes from the whole text. Unique elements may need more than one try each.
        whole = replace(place.source, is_element=False)
        for attempt in range(len(filled), 2 * least + 100):
            if len(filled) >= least:
                break
            made = self.value(place.inner(raw, whole, index=attempt))
            if unique and made in filled and isinstance(made, str) and "enum" not in inner:
                other = Source(text=f"{attempt + 1} {made}", is_element=True)
                made = fill_string(inner, "", other, attempt)
            if not (unique and made in filled):
                filled.append(made)
        return filled


def _number(place: _Place, named: object, *, whole: bool) -> int | float:
    found = as_number(named)
    if found is None:
        near = place.source.number_near(place.name)
        found = as_number(place.source.text) if place.source.is_element and not place.name else near
    return fill_number(place.schema, found, place.turn, whole=whole)


def _candidates(inner: Schema, named: object, source: Source) -> Sequence[object]:
    """What of the text may become an element of an array whose elements follow ``inner``."""
    found: Sequence[object] = source.listed
    if named is not None:
        found = source_of(named).listed or (split_list(named) if isinstance(named, str) else (named,))
    if options := elements(inner.get("enum")):
        text = source.line if named is None else plain(named)
        return [option for option in options if isinstance(option, str) and mentions(text, option)]
    kind = type_of(inner, None)
    if kind in ("number", "integer"):
        numbers = [number for element in found if (number := as_number(element)) is not None]
        return [number for number in numbers if in_bounds(inner, number, whole=kind == "integer")]
    if (
        named is not None
        or kind == "object"
        or (kind == "string" and not inner.keys() & {"format", "pattern"})
    ):
        return [element for element in found if plain(element).strip()]
    return ()
