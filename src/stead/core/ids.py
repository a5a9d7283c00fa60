"""Identifiers: UUIDv7 keys that sort by time of creation, so that indexes grow at one end."""

from __future__ import annotations

import hashlib
import os
import time
import uuid


def new_id() -> uuid.UUID:
    """A UUID of version 7: 48 bits of Unix milliseconds, then 74 random bits (RFC 9562, section 5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def derived_id(base: uuid.UUID, name: str) -> uuid.UUID:
    """The same identifier each time for one base and one name, and of the base's time: it sorts beside it.

    Args:
        base: A UUID of version 7.
        name: What the identifier stands for.
    """
    digest = hashlib.sha256(base.bytes + name.encode()).digest()
    value = (base.int >> 80) << 80 | int.from_bytes(digest[:10])
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def parse_id(text: str) -> uuid.UUID | None:
    """The UUID that ``text`` spells in its canonical 36-character form, or None."""
    if len(text) != 36:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
