"""The canonical form of rows and seals, and their SHA-256: the same bytes that `stead.audit_digest` hashes.

A value is its length in bytes of UTF-8 (decimal), a colon, and the value; null is a hyphen. Values are joined with
commas after the name of the form. With the length in front, no value can pass for two others, and nothing
depends on a language's JSON, time zone or date style: a dump is enough to compute it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from stead.audit.models import RowFields, Seal

GENESIS = bytes(32)
"""What the first seal has for its predecessor."""


def _digest(form: bytes, values: Iterable[str | None]) -> bytes:
    parts = [form]
    for value in values:
        if value is None:
            parts.append(b"-")
        else:
            # A hostile file may hold halves of surrogate pairs: they differ from everything, and break nothing.
            raw = value.encode("utf-8", "surrogatepass")
            parts.append(b"%d:%b" % (len(raw), raw))
    return hashlib.sha256(b",".join(parts)).digest()


def row_digest(fields: RowFields) -> bytes:
    """The digest of a row, of its fields in the order of ``ROW_FIELDS``."""
    return _digest(b"stead.audit.row.1", fields)


def seal_digest(seal: Seal) -> bytes:
    """The digest that a seal ought to have."""
    return _digest(
        b"stead.audit.seal.1",
        (
            seal.tenant_id,
            str(seal.seal_no),
            seal.prev_digest.hex(),
            str(seal.rows),
            seal.root.hex(),
            str(seal.complete_to),
            seal.sealed_at_us,
        ),
    )


class Root:
    """The digest over the entries of one seal: id (eight bytes, big-endian) and digest of each, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, audit_id: int, digest: bytes) -> None:
        """The next entry."""
        self._hash.update(audit_id.to_bytes(8, "big", signed=True) + digest)

    def value(self) -> bytes:
        """Of all entries so far."""
        return self._hash.digest()
