"""What is recorded, what a chain is made of, and what a verification finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

#: The fields of a row that its digest covers, in their order. Frozen: another order is another version.
ROW_FIELDS: Final = (
    "tenant_id",
    "id",
    "xid",
    "actor_type",
    "actor_id",
    "category",
    "action",
    "subject_type",
    "subject_id",
    "subject_profile_id",
    "request_id",
    "payload",
    "created_at_us",
)
#: The values of these fields as text, None for null.
RowFields = tuple[str | None, ...]

FaultKind = Literal[
    "row_altered",
    "row_missing",
    "row_inserted",
    "texts_altered",
    "entries_altered",
    "seal_altered",
    "seal_missing",
    "chain_broken",
    "signature_wrong",
    "signature_unknown",
    "signature_missing",
    "head_differs",
    "head_missing",
    "dump_incomplete",
]


#: What became of the texts of a row: they are those that it was sealed with, or gone, or others.
TextsState = Literal["kept", "erased", "altered"]


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One thing that was done.

    Args:
        category: The part of the system, such as ``memory``.
        action: What was done, such as ``forget``.
        subject_type: What it was done to, such as ``session``.
        subject_id: The id of that.
        subject_profile_id: The person whom it concerns: they may read the row.
        payload: Ids, counts, digests, short codes. Never a text that somebody wrote.
        erasable: Texts by name, kept beside the log until the person or the session that they are about, or who
            wrote them, is forgotten. The row holds a digest of them that nobody can guess them from.
    """

    category: str
    action: str
    subject_type: str | None = None
    subject_id: UUID | str | None = None
    subject_profile_id: UUID | None = None
    payload: Mapping[str, object] = field(default_factory=dict[str, object])
    erasable: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """One link of a tenant's chain, with values as they are hashed.

    Args:
        form: How its root and its digest are computed: 1 over a list, 2 over a Merkle tree.
    """

    tenant_id: str
    seal_no: int
    prev_digest: bytes
    rows: int
    root: bytes
    complete_to: int
    sealed_at_us: str
    digest: bytes
    form: int
    key: bytes | None = None
    signature: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedRow:
    """An entry of a seal, and the row as it is found now.

    Args:
        digest: Of the row when it was sealed.
        found: The digest of the row as it is; None when it is not there.
        fields: The row itself, where it was read.
        texts: What became of its texts; None where it never had any.
        kept: Salt and texts, where they were read.
    """

    seal_no: int
    position: int
    audit_id: int
    digest: bytes
    found: bytes | None
    fields: RowFields | None = None
    texts: TextsState | None = None
    kept: tuple[bytes, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsealedRow:
    """A row that is in no seal."""

    audit_id: int


#: What a verification goes through, of one tenant: each seal followed by its rows, then what is unsealed.
Item = Seal | SealedRow | UnsealedRow


@dataclass(frozen=True, kw_only=True)
class Head:
    """The end of a chain: whoever keeps it elsewhere can tell later whether anything up to it was changed."""

    seal_no: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.seal_no}:{self.digest.hex()}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is not as it was sealed.

    Args:
        kind: What is the matter; stable.
        says: The same in words.
        seal_no: Where in the chain.
        audit_id: Which row, where one can be named.
    """

    kind: FaultKind
    says: str
    seal_no: int | None = None
    audit_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a verification of one tenant found.

    Args:
        tenant_id: The tenant.
        slug: Its slug, where it is known.
        seals: How many seals there are.
        rows: How many sealed rows.
        pending: How many rows wait to be sealed.
        head: The end of the chain; None where nothing was sealed yet.
        signed: How many seals carry a signature that was checked and is right.
        unchecked: How many carry one that could not be checked, because no key was given.
        with_texts: How many sealed rows had texts beside them.
        erased: Of how many of these the texts are gone.
        faults: In the order of the chain; the first thousand.
        fault_count: How many there are.
    """

    tenant_id: UUID
    slug: str | None
    seals: int
    rows: int
    pending: int
    head: Head | None
    signed: int
    unchecked: int
    with_texts: int
    erased: int
    faults: tuple[Fault, ...]
    fault_count: int

    @property
    def is_sound(self) -> bool:
        """Whether everything is as it was sealed."""
        return self.fault_count == 0
