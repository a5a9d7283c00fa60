"""What mem0's client takes and gives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from stead.adapters.errors import AdapterArgumentInvalid
from stead.adapters.mem0_filters import check_filters
from stead.memory import Memory

NAMES: Final = ("user_id", "agent_id", "run_id")
_PROMOTED: Final = (*NAMES, "actor_id", "role")
_MAX_NAME_CHARS: Final = 255
MAX_LIMIT: Final = 1000

Told = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Said:
    """One message: who speaks, their name where it is told, and the words."""

    role: str
    name: str | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Named:
    """Whose memories a call means, and what else they have to be.

    Args:
        user_id: The person.
        run_id: A run, or a session of Stead's.
        filters: What metadata have to be; agent and run are among them.
    """

    user_id: str | None
    run_id: str | None
    filters: Mapping[str, Any]


def messages_in(given: object) -> list[Said]:
    """A text, a message or several, as messages.

    Raises:
        AdapterArgumentInvalid: It is none of these.
    """
    if isinstance(given, str):
        return [Said(role="user", name=None, text=given)]
    many = cast("list[Any]", given) if isinstance(given, list) else [given]
    said: list[Said] = []
    for n, message in enumerate(many):
        if not isinstance(message, Mapping):
            raise AdapterArgumentInvalid(f"messages[{n}]: is neither a text nor a message")
        fields = cast("Mapping[str, Any]", message)
        role, name = fields.get("role"), fields.get("name")
        if not isinstance(role, str):
            raise AdapterArgumentInvalid(f"messages[{n}]: has no role")
        text = _text(fields.get("content"))
        said.append(Said(role=role, name=name if isinstance(name, str) else None, text=text))
    return said


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    told = [cast("Mapping[str, Any]", part) for part in parts if isinstance(part, Mapping)]
    return "\n\n".join(str(p["text"]) for p in told if p.get("type") == "text" and p.get("text"))


def name_in(name: str, value: object) -> str | None:
    """A user's, agent's or run's id as a text.

    Raises:
        AdapterArgumentInvalid: It is empty, too long, or has characters that an id cannot have.
    """
    if value is None:
        return None
    text = str(value).strip()
    printable = text.isprintable() and not any(character.isspace() for character in text)
    if not text or len(text) > _MAX_NAME_CHARS or not printable:
        raise AdapterArgumentInvalid(
            f"{name}: is no id", hint=f"1 to {_MAX_NAME_CHARS} characters without spaces."
        )
    return text


def named(user_id: object, agent_id: object, run_id: object, filters: Mapping[str, Any] | None) -> Named:
    """Whose memories are meant: said by arguments, by filters (as mem0 2 wants it), or in their ``AND``.

    Raises:
        AdapterArgumentInvalid: Two ids contradict each other, or a filter cannot be understood.
    """
    asked = dict(filters or {})
    check_filters(asked)
    found: dict[str, str | None] = {}
    for name, given in zip(NAMES, (user_id, agent_id, run_id), strict=True):
        said = [name_in(name, given), *(name_in(name, value) for value in _equal(asked, name))]
        values = {value for value in said if value is not None}
        if len(values) > 1:
            raise AdapterArgumentInvalid(f"{name}: is said twice, and differently")
        found[name] = values.pop() if values else None
    # What names one id is told apart by whom it is asked of; another filter on it stays one.
    rest: dict[str, Any] = {
        k: v for k, v in asked.items() if k not in NAMES or isinstance(v, dict) or v == "*"
    }
    rest |= {name: found[name] for name in ("agent_id", "run_id") if found[name] is not None}
    return Named(user_id=found["user_id"], run_id=found["run_id"], filters=rest)


def _equal(filters: Mapping[str, Any], name: str) -> list[str | int]:
    """The one value that a filter leaves to a name, if it does."""
    plain: list[str | int] = []
    for one in (filters, *filters.get("AND", ())):
        value: Any = one.get(name)
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get("eq")
        if isinstance(value, str | int) and value != "*":
            plain.append(value)
    return plain


def limit_in(limit: int | None, top_k: int | None, default: int) -> int:
    """How many are wanted; mem0 1 calls it ``limit`` and mem0 2 ``top_k``.

    Raises:
        AdapterArgumentInvalid: It is no number from 0 to 1,000.
    """
    wanted: Any = top_k if top_k is not None else limit if limit is not None else default
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 <= wanted <= MAX_LIMIT:
        raise AdapterArgumentInvalid(f"limit: is no number from 0 to {MAX_LIMIT}")
    return wanted


def values_of(memory: Memory, user_id: str | None) -> dict[str, Any]:
    """What filters are compared with."""
    return {**memory.metadata, "user_id": user_id or _user_of(memory)}


def told(memory: Memory, *, user_id: str | None = None, under: UUID | None = None, **more: Any) -> Told:
    """A memory as mem0 tells of one.

    Args:
        memory: The memory.
        user_id: What the caller calls its person.
        under: The id that the caller asked for; its own when None.
        more: Further members, such as ``score``.
    """
    others = {k: v for k, v in memory.metadata.items() if k not in _PROMOTED}
    ids = {k: memory.metadata[k] for k in _PROMOTED if k in memory.metadata}
    return {
        "id": str(under or memory.id),
        "memory": memory.content,
        "hash": hashlib.md5(memory.content.encode(), usedforsecurity=False).hexdigest(),
        "created_at": memory.happened_at.isoformat(),
        "updated_at": memory.created_at.isoformat(),
        "role": memory.speaker or "user",
        **ids,
        "user_id": user_id or _user_of(memory),
        "metadata": others or None,
        **more,
    }


def _user_of(memory: Memory) -> str | None:
    given = memory.metadata.get("user_id")
    return str(given or memory.profile_id) if given or memory.profile_id else None


def history_of(versions: Sequence[Memory], memory_id: UUID) -> list[Told]:
    """Versions, oldest first, as mem0's list of changes."""
    changes: list[Told] = []
    for n, version in enumerate(versions):
        changes.append(
            {
                "id": str(version.id),
                "memory_id": str(memory_id),
                "old_memory": versions[n - 1].content if n else None,
                "new_memory": version.content,
                "event": "UPDATE" if n else "ADD",
                "created_at": versions[0].created_at.isoformat(),
                "updated_at": version.created_at.isoformat(),
                "is_deleted": False,
            }
        )
    return changes
