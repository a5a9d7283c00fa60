"""Items as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

Namespace: TypeAlias = tuple[str, ...]
Operator = Literal["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$object"]


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose items are meant: a person's, a session's or, with neither, the tenant's as a whole."""

    tenant_id: UUID
    profile_id: UUID | None = None
    session_id: UUID | None = None

    @property
    def scope_id(self) -> UUID:
        """What they are found under."""
        return self.profile_id or self.session_id or self.tenant_id


@dataclass(frozen=True, kw_only=True)
class Item:
    """A value under its key.

    Args:
        score: How well it answers the question of a search, 0 to 1; None where nothing was asked.
        expires_at: When it goes, unless it is read or written before; None: never.
    """

    namespace: Namespace
    key: str
    value: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """A value to be put under a key.

    Args:
        search_text: What of it is searched by words and meaning; None: nothing.
        vector: The embedding of that; None: the backlog makes it.
        ttl_s: Seconds for which it is kept after it was last read or written; None: for ever.
    """

    namespace: Namespace
    key: str
    value: dict[str, Any]
    search_text: str | None = None
    vector: Sequence[float] | None = None
    ttl_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a value has to be at a path.

    Args:
        path: Members from the outside in.
        operator: ``$gt`` and its like compare numbers with numbers and texts with texts, and nothing else;
            ``$object`` asks for an object, whatever is in it.
        operand: A JSON value.
    """

    path: tuple[str, ...]
    operator: Operator
    operand: Any = None


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """What a namespace begins or ends with; the label ``*`` stands for any one label."""

    at: Literal["prefix", "suffix"]
    labels: Namespace
