"""Anchors: the ends of all chains, appended to a file outside the database.

Whoever owns the tables can cut off the end of a chain, or write it anew and, with the secret, sign it. A file that
they cannot write shows both. Each line holds the heads that moved since the line before, the digest of that line,
and a signature where there is a key: the file itself shows where something was taken out of it or changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, cast
from uuid import UUID

import structlog

from stead.audit import queries
from stead.audit.digests import GENESIS
from stead.audit.errors import AuditAnchorsInvalid
from stead.audit.models import Head
from stead.audit.signatures import SigningKey, is_signed
from stead.db import NOBODY, Database

_log = structlog.stdlib.get_logger(__name__)
_FORM: Final = 1


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """What a file of anchors holds.

    Args:
        heads: Of each tenant, every head that was written, by number.
        lines: How many there are.
        signed: How many of them carry a signature of a known key.
        torn: How many are no lines: of processes that died while they wrote.
    """

    heads: Mapping[UUID, Mapping[int, bytes]]
    lines: int
    signed: int
    torn: int


@dataclass(frozen=True, kw_only=True)
class _Line:
    heads: Sequence[tuple[UUID, Head]]
    before: bytes
    told: bytes  # what a signature of it is over
    key: bytes | None
    signature: bytes


@dataclass(kw_only=True)
class _Reader:
    """Goes through lines.

    Args:
        keys: With some, every line has to be signed with one of them.
        every: Whether every head is kept, and not only the newest of each tenant.
    """

    keys: frozenset[bytes] = frozenset()
    every: bool = True
    heads: dict[UUID, dict[int, bytes]] = field(default_factory=dict[UUID, dict[int, bytes]])
    last: dict[UUID, Head] = field(default_factory=dict[UUID, Head])
    digest: bytes = GENESIS
    lines: int = 0
    signed: int = 0
    torn: int = 0

    def take(self, raw: bytes) -> None:
        """The next line.

        Raises:
            AuditAnchorsInvalid: It does not follow the line before it, or is not as it was signed.
        """
        number = self.lines + self.torn + 1
        try:
            line = _read(json.loads(raw))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            # Of a process that died while it wrote. Had it been a whole line, the next one would not follow.
            self.torn += 1
            return
        if line.before != self.digest:
            raise AuditAnchorsInvalid(
                f"line {number} of the anchors does not follow the line before it",
                hint="Lines were taken out, changed or put in: use a copy that nobody could write to.",
            )
        if self.keys:
            self._check_signature(number, line)
        for tenant_id, head in line.heads:
            last = self.last.get(tenant_id)
            if last is not None and head.seal_no <= last.seal_no:
                raise AuditAnchorsInvalid(
                    f"line {number} of the anchors goes back behind an earlier one"
                )
            self.last[tenant_id] = head
            if self.every:
                self.heads.setdefault(tenant_id, {})[head.seal_no] = head.digest
        self.digest = hashlib.sha256(raw).digest()
        self.lines += 1

    def _check_signature(self, number: int, line: _Line) -> None:
        if line.key not in self.keys:
            raise AuditAnchorsInvalid(
                f"line {number} of the anchors is not signed with a known key",
                hint="--trust KEY, if it is signed with one that counts.",
            )
        if not is_signed(line.told, line.key, line.signature):
            raise AuditAnchorsInvalid(f"line {number} of the anchors is not as it was signed")
        self.signed += 1


def read_anchors(lines: Iterable[bytes], *, keys: frozenset[bytes] = frozenset()) -> Anchored:
    """What a file of anchors holds.

    Args:
        lines: Of the file.
        keys: Public keys; with some, every line has to be signed with one of them.

    Raises:
        AuditAnchorsInvalid: Something was taken out of the file, put into it or changed; says where.
    """
    reader = _Reader(keys=keys)
    for line in lines:
        if line.strip():
            reader.take(line.rstrip(b"\r\n"))
    return Anchored(heads=reader.heads, lines=reader.lines, signed=reader.signed, torn=reader.torn)


class AnchorFile:
    """A file to which heads are appended. Processes of one machine may share it; others have their own.

    Args:
        path: The file; its folder must be there.
        key: What lines are signed with.
    """

    def __init__(self, path: Path, key: SigningKey | None = None) -> None:
        self._path = path
        self._key = key
        self._file: tuple[int, int] | None = None  # device and inode of what was read
        self._read_to = 0
        self._reader = _Reader(every=False)

    async def anchor(self, db: Database) -> int:
        """Appends the heads that moved, synced to the disk; returns how many.

        A chain that is shorter than it was once, or another one, is no new head: it is told in the log, and what
        stands in the file stays the last word.

        Args:
            db: The database.

        Raises:
            AuditAnchorsInvalid: The file cannot be written, or is not as it was written.
        """
        moved, behind = await asyncio.to_thread(self._append, await _heads(db))
        if behind:
            # Whoever shares the file may have written newer heads after these were read: what is read from here on
            # cannot be older than what stands there.
            now = await _heads(db)
            for tenant_id, last in sorted(behind.items()):
                if _is_behind(now.get(tenant_id), last):
                    _tell(tenant_id, last, now.get(tenant_id))
        return moved

    def _append(self, found: Mapping[UUID, Head]) -> tuple[int, dict[UUID, Head]]:
        """How many were written; and what the file says of tenants that are behind it."""
        try:
            # Never opened for writing anywhere but at its end: a file that only grows (chattr +a) will do.
            with self._path.open("a+b") as target:
                _lock(target)
                ended = self._catch_up(target)
                known = self._reader.last
                behind = {
                    tenant_id: last
                    for tenant_id, last in known.items()
                    if _is_behind(found.get(tenant_id), last)
                }
                moved = [
                    (tenant_id, head)
                    for tenant_id, head in sorted(found.items())
                    if tenant_id not in behind and known.get(tenant_id) != head
                ]
                if moved:
                    line = self._line(moved)
                    target.write((b"" if ended else b"\n") + line + b"\n")
                    target.flush()
                    os.fsync(target.fileno())
                    self._reader.take(line)
                    self._read_to = target.tell()
        except OSError as error:
            raise AuditAnchorsInvalid(
                f"{self._path} cannot be written: {error.strerror}",
                hint="STEAD_AUDIT_ANCHORS is the path of a file that this process may append to.",
            ) from error
        return len(moved), behind

    def _catch_up(self, target: IO[bytes]) -> bool:
        """Reads what others wrote since; all of it when it is another file. Says whether it ends with a line."""
        status = os.fstat(target.fileno())
        if self._file != (status.st_dev, status.st_ino) or status.st_size < self._read_to:
            self._file = (status.st_dev, status.st_ino)
            self._read_to, self._reader = 0, _Reader(every=False)
        target.seek(self._read_to)
        ended = True
        for line in target:
            ended = line.endswith(b"\n")
            if line.strip():
                self._reader.take(line.rstrip(b"\r\n"))
        self._read_to = target.tell()
        return ended

    def _line(self, moved: Sequence[tuple[UUID, Head]]) -> bytes:
        value: dict[str, Any] = {
            "stead_anchors": _FORM,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "heads": {str(tenant_id): str(head) for tenant_id, head in moved},
            "before": self._reader.digest.hex(),
        }
        if self._key is not None:
            signature = self._key.sign(_told(value))
            value |= {"key": self._key.public.hex(), "signature": signature.hex()}
        return _canonical(value)


def _lock(target: IO[bytes]) -> None:
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.flock(target, fcntl.LOCK_EX)


async def _heads(db: Database) -> dict[UUID, Head]:
    async with db.transaction(NOBODY, read_only=True) as tx:
        rows = await queries.heads(tx)
    return {row["tenant"]: Head(seal_no=row["seal_no"], digest=row["digest"]) for row in rows}


def _is_behind(head: Head | None, last: Head) -> bool:
    """Whether the chain ends before what was written of it, or in another way."""
    return head is None or head.seal_no < last.seal_no or (head.seal_no == last.seal_no and head != last)


def _tell(tenant_id: UUID, last: Head, now: Head | None) -> None:
    _log.error(
        "audit_chain_changed",
        tenant_id=str(tenant_id),
        anchored_seal=last.seal_no,
        seal=now.seal_no if now else 0,
    )


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _told(value: Mapping[str, Any]) -> bytes:
    """What is signed: a digest of all but key and signature."""
    told = {name: part for name, part in value.items() if name not in {"key", "signature"}}
    return hashlib.sha256(b"stead.audit.anchor.1," + _canonical(told)).digest()


def _read(value: Any) -> _Line:
    if value["stead_anchors"] != _FORM:
        raise ValueError("anchors of another version")
    heads: list[tuple[UUID, Head]] = []
    for tenant_id, head in cast("dict[str, str]", value["heads"]).items():
        number, _, digest = head.partition(":")
        read = Head(seal_no=int(number), digest=bytes.fromhex(digest))
        if len(read.digest) != 32 or not 0 < read.seal_no < 2**63:
            raise ValueError("no head")
        heads.append((UUID(tenant_id), read))
    key = value.get("key")
    return _Line(
        heads=heads,
        before=bytes.fromhex(value["before"]),
        told=_told(value),
        key=None if key is None else bytes.fromhex(key),
        signature=bytes.fromhex(value.get("signature") or ""),
    )
