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
    """The digest that a seal ought to have, by its form."""
    return _digest(
        b"stead.audit.seal.%d" % seal.form,
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


def texts_digest(salt: bytes, texts: str) -> str:
    """What stands in a row for texts that can be erased, in hexadecimal. Without the salt it tells nothing."""
    return _digest(b"stead.audit.texts.1", (salt.hex(), texts)).hex()


def leaf(audit_id: int, digest: bytes) -> bytes:
    """An entry as a leaf of a seal's tree: id (eight bytes, big-endian) and digest."""
    return hashlib.sha256(b"\x00" + _entry(audit_id, digest)).digest()


def node(left: bytes, right: bytes) -> bytes:
    """What stands over two hashes of a tree."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _entry(audit_id: int, digest: bytes) -> bytes:
    return audit_id.to_bytes(8, "big", signed=True) + digest


class ListRoot:
    """The root of form 1: a hash over the entries of a seal in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, audit_id: int, digest: bytes) -> None:
        """The next entry."""
        self._hash.update(_entry(audit_id, digest))

    def value(self) -> bytes:
        """Of all entries so far."""
        return self._hash.digest()


class TreeRoot:
    """The root of form 2: the tree hash of RFC 6962 over the entries of a seal in order.

    Keeps one hash a level, not the leaves.
    """

    def __init__(self) -> None:
        self._peaks: list[
            tuple[int, bytes]
        ] = []  # leaves below, hash; each with fewer leaves than before it

    def add(self, audit_id: int, digest: bytes) -> None:
        """The next entry."""
        size, top = 1, leaf(audit_id, digest)
        while self._peaks and self._peaks[-1][0] == size:
            top = node(self._peaks.pop()[1], top)
            size *= 2
        self._peaks.append((size, top))

    def value(self) -> bytes:
        """Of all entries so far; zeros without any, which is the root of nothing."""
        hashes = [top for _, top in reversed(self._peaks)]
        if not hashes:
            return GENESIS
        root = hashes[0]
        for left in hashes[1:]:
            root = node(left, root)
        return root


Root = ListRoot | TreeRoot


def root_of(form: int) -> Root:
    """What computes the root of a seal of this form."""
    return ListRoot() if form == 1 else TreeRoot()
