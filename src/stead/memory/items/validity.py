"""What may be stored as an item, and what may be asked: said before the database has to refuse it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, get_args

from stead.memory.items.errors import ItemInvalid
from stead.memory.items.models import Condition, Namespace, NewItem, Operator, Pattern

MAX_LABELS: Final = 32
#: Of namespace and key together: they are in one entry of an index.
MAX_PATH_BYTES: Final = 2000
MAX_VALUE_BYTES: Final = 1024 * 1024
MAX_TEXT_CHARS: Final = 100_000
MAX_LIMIT: Final = 10_000
MAX_TTL_S: Final = 100 * 366 * 24 * 3600

_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_OPERATORS: Final = frozenset(get_args(Operator))


def check_namespace(namespace: Namespace) -> None:
    """Raises ItemInvalid where a namespace is empty, too deep, or has a label that is none."""
    if not 1 <= len(namespace) <= MAX_LABELS:
        raise ItemInvalid(f"namespace: has {len(namespace)} labels; it needs 1 to {MAX_LABELS}")
    check_labels(namespace)


def check_labels(labels: Sequence[object]) -> None:
    """Raises ItemInvalid where a label is no text, is empty, or has a point or a NUL in it."""
    for label in labels:
        if not isinstance(label, str) or not label or "." in label or not _storable(label):
            raise ItemInvalid(
                f"namespace: {label!r} is no label",
                hint="A label is a text that is not empty and has no point and no NUL in it.",
            )


def check_key(namespace: Namespace, key: str) -> None:
    """Raises ItemInvalid where a namespace or a key cannot be one."""
    check_namespace(namespace)
    if not key or not _storable(key):
        raise ItemInvalid("key: is empty, or has characters that cannot be stored")
    size = len(key.encode()) + sum(len(label.encode()) + 1 for label in namespace)
    if size > MAX_PATH_BYTES:
        raise ItemInvalid(
            f"namespace and key have {size} bytes together; at most {MAX_PATH_BYTES} fit",
            hint="Put long texts into the value.",
        )


def check_item(item: NewItem) -> None:
    """Raises ItemInvalid where an item cannot be stored as it is."""
    check_key(item.namespace, item.key)
    size = len(as_json("value", item.value).encode())
    if size > MAX_VALUE_BYTES:
        raise ItemInvalid(
            f"value: has {size} bytes as JSON; at most {MAX_VALUE_BYTES} fit",
            hint="Keep files elsewhere and store a reference.",
        )
    if item.search_text is not None and not 1 <= len(item.search_text) <= MAX_TEXT_CHARS:
        raise ItemInvalid(f"search_text: is empty, or longer than {MAX_TEXT_CHARS} characters")
    if item.ttl_s is not None and not 0 < item.ttl_s <= MAX_TTL_S:
        raise ItemInvalid("ttl: is not above 0, or more than a hundred years")


def check_conditions(conditions: Sequence[Condition]) -> None:
    """Raises ItemInvalid where an operator is not known or an operand cannot be compared."""
    for condition in conditions:
        where = f"filter, {'.'.join(condition.path)}"
        if condition.operator not in _OPERATORS:
            raise ItemInvalid(
                f"{where}: there is no operator {condition.operator!r}",
                hint="There are $eq, $ne, $gt, $gte, $lt and $lte.",
            )
        as_json(where, [*condition.path, condition.operand])
        ordered = isinstance(condition.operand, int | float | str) and not isinstance(
            condition.operand, bool
        )
        if condition.operator in {"$gt", "$gte", "$lt", "$lte"} and not ordered:
            raise ItemInvalid(f"{where}: only numbers and texts are greater or less than others")


def check_patterns(patterns: Sequence[Pattern]) -> None:
    """Raises ItemInvalid where a label is none."""
    for pattern in patterns:
        check_labels(pattern.labels)


def check_page(limit: int, offset: int) -> None:
    """Raises ItemInvalid where a page is out of bounds."""
    if not 0 <= limit <= MAX_LIMIT:
        raise ItemInvalid(f"limit: is {limit}; it may be 0 to {MAX_LIMIT}")
    if not 0 <= offset <= 2**31 - 1:
        raise ItemInvalid(f"offset: is {offset}; it may be 0 to {2**31 - 1}")


def as_json(where: str, value: Any) -> str:
    """The value as JSON that a jsonb column takes, or ItemInvalid."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ItemInvalid(f"{where}: is no JSON ({error})") from None
    if _NUL.search(text):
        raise ItemInvalid(f"{where}: has a NUL in it, which PostgreSQL stores in no text")
    return text


def _storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
