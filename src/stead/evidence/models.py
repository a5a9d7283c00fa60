"""Evidence and its files as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class NewEvidence:
    """Evidence to be recorded.

    Args:
        source_type: What it is: ``proposal``, ``tool_output``, or a kind of the tenant's own.
        content: In words; this is what is searched.
        source_id: The envelope, run or row that it comes from.
        metadata: Whatever else is to be kept with it.
        profile_id: On whose behalf; None: the tenant's as a whole. It goes when that person is forgotten.
        shared: Whether agents are given it whoever talks to them, and not only its person.
    """

    source_type: str
    content: str
    source_id: UUID | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    profile_id: UUID | None = None
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A piece of evidence."""

    id: UUID
    source_type: str
    source_id: UUID | None
    content: str
    metadata: dict[str, Any]
    profile_id: UUID | None
    shared: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class EvidenceHit:
    """Evidence that was found.

    Args:
        score: What words and meaning say together, best first; comparable within one search only.
        dense: Likeness of meaning, or None without a vector.
        lexical: BM25, or None where no word of the question occurs.
    """

    evidence: Evidence
    score: float
    dense: float | None
    lexical: float | None


@dataclass(frozen=True, kw_only=True)
class NewArtifact:
    """A file to be kept.

    Args:
        name: What it is called when somebody downloads it; a name, no path.
        media_type: Such as ``application/pdf``.
        evidence_id: The evidence that it belongs to, and goes with.
        envelope_id: The envelope that it was produced for.
        created_by: The person on whose behalf: it goes when they are forgotten.
        keep_s: After so many seconds it is removed; None: it stays.
    """

    name: str
    media_type: str = "application/octet-stream"
    evidence_id: UUID | None = None
    envelope_id: UUID | None = None
    created_by: UUID | None = None
    keep_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file in the bucket.

    Args:
        created_by: The person on whose behalf, if there is one: it goes when they are forgotten.
        expires_at: When it is removed by itself.
    """

    id: UUID
    evidence_id: UUID | None
    envelope_id: UUID | None
    bucket: str
    key: str = field(repr=False)
    name: str
    media_type: str
    bytes: int
    sha256: bytes
    created_by: UUID | None
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Link:
    """An address under which a file can be downloaded for a while by whoever has it.

    Args:
        url: Whole, or (of files that Stead serves itself) a path at this server.
    """

    url: str = field(repr=False)
    expires_at: datetime
