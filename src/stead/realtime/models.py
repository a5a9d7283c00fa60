"""What is subscribed to, what changed, and what a subscriber is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol, cast
from uuid import UUID

from stead.realtime.errors import SubscriptionInvalid
from stead.realtime.filters import Filter, parse_filter
from stead.realtime.snapshots import Position

Op = Literal["INSERT", "UPDATE", "DELETE"]
OPS: Final[frozenset[str]] = frozenset({"INSERT", "UPDATE", "DELETE"})
_MAX_NAME_CHARS: Final = 63


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which changes of which table, as the client spelt it.

    Args:
        event: ``INSERT``, ``UPDATE``, ``DELETE`` or ``*``.
        filter: Conditions on the row, read by `parse_filter`; empty: every row.
        select: The columns to be told; None: all that the caller may select.
    """

    table: str
    event: str = "*"
    filter: str = ""
    select: tuple[str, ...] | None = None

    @classmethod
    def read(cls, given: object) -> Wanted:
        """From a client's JSON: ``{event, schema, table, filter, select}``.

        Raises:
            SubscriptionInvalid: It has another form.
            FilterInvalid: The filter cannot be read.
        """
        if not isinstance(given, Mapping):
            raise SubscriptionInvalid("postgres_changes: a list of objects with event, schema and table")
        fields = cast("Mapping[str, Any]", given)
        table, event, text = fields.get("table"), fields.get("event", "*"), fields.get("filter") or ""
        if fields.get("schema", "public") != "public":
            raise SubscriptionInvalid("schema: only public has tables to follow")
        if not isinstance(table, str) or not 0 < len(table) <= _MAX_NAME_CHARS or "\0" in table:
            raise SubscriptionInvalid(
                "table: the name of a table is missing", hint="Follow one table at once."
            )
        if not isinstance(event, str) or event.upper() not in {*OPS, "*"}:
            raise SubscriptionInvalid("event: INSERT, UPDATE, DELETE or *")
        if not isinstance(text, str):
            raise SubscriptionInvalid("filter: a text, as in project_id=eq.7")
        parse_filter(text)
        return cls(table=table, event=event.upper(), filter=text, select=_select(fields.get("select")))


def _select(given: object) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, str):
        given = [name.strip() for name in given.split(",")]
    names = cast("Sequence[object]", given) if isinstance(given, list) else ()
    found = tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= _MAX_NAME_CHARS)
    if not found or len(found) != len(names) or len(found) > 200:
        raise SubscriptionInvalid("select: a list of names of columns")
    return found


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a role may select of a published table.

    Args:
        columns: Name and type of each, in order.
        keys: The columns of its primary key; all are among the columns.
    """

    columns: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    types: dict[str, str] = field(default_factory=dict[str, str], compare=False, hash=False, repr=False)

    def __post_init__(self) -> None:
        self.types.update(self.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedRow:
    """The rows that one statement changed in one tenant."""

    id: int
    xid: int
    tenant_id: UUID
    table: str
    op: Op
    rows: list[dict[str, Any]]
    created_at: datetime


class Change:
    """One changed row as one subscriber may see it. The same object for all who may see the same.

    Args:
        op: What happened.
        data: JSON in the form that Supabase Realtime sends: ``schema``, ``table``, ``type``, ``record`` and so on.
        position: Where a subscriber stands who has it.
    """

    __slots__ = ("_frame", "data", "op", "position")

    def __init__(self, op: Op, data: str, position: Position) -> None:
        self.op = op
        self.data = data
        self.position = position
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """As a server-sent event."""
        if self._frame is None:
            self._frame = f"id: {self.position.token}\nevent: {self.op}\ndata: {self.data}\n\n".encode()
        return self._frame


class Sink(Protocol):
    """Takes what a subscriber is told. Never waits: whoever cannot keep up drops out."""

    def take(self, change: Change) -> None:
        """A change."""
        ...

    def lost(self) -> None:
        """Changes may have been missed: whoever follows looks at the tables again."""
        ...


class Subscription:
    """A subscription under way.

    Attributes:
        batch: The batch that was being told when he came; what he is told begins after it.
    """

    __slots__ = ("batch", "conditions", "group", "sink", "tenant_id", "wanted", "who")

    def __init__(
        self, tenant_id: UUID, who: str, group: str, wanted: Wanted, conditions: Filter, sink: Sink
    ) -> None:
        self.tenant_id = tenant_id
        self.who = who
        self.group = group
        self.wanted = wanted
        self.conditions = conditions
        self.sink = sink
        self.batch = 0


def encode_change(
    row: FeedRow, values: dict[str, Any], shape: Shape, select: tuple[str, ...] | None
) -> str:
    """One change as Supabase Realtime tells it, with the columns that may be told."""
    columns = [c for c in shape.columns if select is None or c[0] in select or c[0] in shape.keys]
    old = {key: values.get(key) for key in shape.keys}
    data: dict[str, Any] = {
        "schema": "public",
        "table": row.table,
        "type": row.op,
        "commit_timestamp": row.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    missing = False
    if row.op != "DELETE":
        record = {name: values[name] for name, _ in columns if name in values}
        missing = len(record) < len(columns)
        data["record"] = record
    if row.op != "INSERT":
        data["old_record"] = old
    data["errors"] = ["Error 413: Payload Too Large"] if missing else None
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
