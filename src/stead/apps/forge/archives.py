"""A zip archive that is sent while it is made."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import IO, cast

from stead.apps.forge.exporting import ExportedFile


class _Sink:
    """A file that can only be written to, and gives away what was."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        """What was written since it was last asked."""
        taken, self._written = bytes(self._written), bytearray()
        return taken


class Archive:
    """An archive in the making.

    Args:
        at: The time that its files bear: the same files make the same archive.
    """

    def __init__(self, at: datetime) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_DEFLATED)
        self._at = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second)

    def add(self, files: Iterable[ExportedFile]) -> bytes:
        """Adds files; returns the bytes that can be sent."""
        for file in files:
            entry = zipfile.ZipInfo(file.path, self._at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # A plain file that its owner may read and write, and nobody may run.
            entry.external_attr = 0o100644 << 16
            self._zip.writestr(entry, file.content)
        return self._sink.take()

    def close(self) -> bytes:
        """The last bytes: without them it is no archive."""
        self._zip.close()
        return self._sink.take()
