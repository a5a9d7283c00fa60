"""Proving that one row was sealed, without showing any other.

A proof holds the row, the hashes beside its way up the tree of its seal, and the seal. Whoever has it needs a head
that they remember, or the public key, and nothing else: neither the database nor the rest of the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from stead.audit import queries
from stead.audit.chain import Expectations
from stead.audit.digests import leaf, node, row_digest, seal_digest
from stead.audit.dumps import named, read_row, read_seal, seal_fields
from stead.audit.errors import AuditProofInvalid, AuditRowUnproven
from stead.audit.models import Head, RowFields, Seal
from stead.audit.signatures import is_signed
from stead.audit.walking import row_fields
from stead.db import Transaction
from stead.identity import Tenant

FORM: Final = 1
#: A seal has at most 2^31 rows.
_MAX_HEIGHT: Final = 32


@dataclass(frozen=True, kw_only=True)
class Step:
    """One level of the way up.

    Args:
        hash: What stands beside.
        left: Whether it stands to the left.
    """

    hash: bytes
    left: bool


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One row and its way to a seal.

    Args:
        row: The fields of the row, in the order of ``ROW_FIELDS``.
        path: From the row's leaf up to the root.
    """

    row: RowFields
    path: Sequence[Step]
    seal: Seal


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What a proof shows.

    Args:
        row: The fields, by name.
        head: The seal that the row is in.
        by: What the seal is believed by: ``signature`` of a known key, or a remembered ``head``.
    """

    row: Mapping[str, str | None]
    head: Head
    by: str


def path_of(leaves: Sequence[bytes], index: int) -> list[Step]:
    """The hashes beside the way from one leaf to the root of the tree over all of them.

    Args:
        leaves: Of one seal, in order; see `stead.audit.digests.leaf`.
        index: Which, from 0.
    """
    path: list[Step] = []
    level = list(leaves)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(Step(hash=level[beside], left=beside < index))
        level = [
            node(level[n], level[n + 1]) if n + 1 < len(level) else level[n]
            for n in range(0, len(level), 2)
        ]
        index //= 2
    return path


async def prove(tx: Transaction, tenant: Tenant, audit_id: int) -> Proof:
    """A proof that a row is sealed.

    Args:
        tx: A transaction as the tenant's service, read-only.
        tenant: Whose row.
        audit_id: Its id.

    Raises:
        AuditRowUnproven: There is no such row, it is not sealed yet, it is not as it was sealed, or its seal is of
            form 1, which has no tree.
    """
    fields = await row_fields(tx, tenant.id, audit_id)
    found = await queries.seal_of(tx, tenant.id, audit_id)
    if fields is None or found is None:
        raise AuditRowUnproven(
            f"{tenant.slug} has no sealed row {audit_id}", hint="`stead audit seal` seals what waits."
        )
    seal = Seal(**found)
    if seal.form == 1:
        raise AuditRowUnproven(
            f"row {audit_id} is in seal {seal.seal_no}, which was made over a list and not over a tree",
            hint="Export the log: `stead audit export`.",
        )
    entries = await queries.entries(tx, tenant.id, seal.seal_no)
    index = next(n for n, entry in enumerate(entries) if entry["audit_id"] == audit_id)
    leaves = [leaf(entry["audit_id"], entry["digest"]) for entry in entries]
    proof = Proof(row=fields, path=path_of(leaves, index), seal=seal)
    if _root(proof) != seal.root or seal_digest(seal) != seal.digest:
        raise AuditRowUnproven(
            f"row {audit_id} of seal {seal.seal_no} is not as it was sealed",
            hint="`stead audit verify` says what was changed.",
        )
    return proof


def check(proof: Proof, *, expected: Expectations) -> Proven:
    """Whether a proof holds.

    Args:
        proof: What was given.
        expected: The heads and keys that are known from elsewhere.

    Raises:
        AuditProofInvalid: It does not hold, or nothing that is known speaks for its seal; says which.
    """
    seal = proof.seal
    row = named(proof.row)
    if row["tenant_id"] != seal.tenant_id:
        raise AuditProofInvalid("the row is another tenant's than the seal")
    if seal.form == 1 or _root(proof) != seal.root:
        raise AuditProofInvalid(f"the row is not in seal {seal.seal_no}", hint="Was it changed?")
    if seal_digest(seal) != seal.digest:
        raise AuditProofInvalid(f"seal {seal.seal_no} is not as it was made")
    head = Head(seal_no=seal.seal_no, digest=seal.digest)
    remembered = expected.heads_of(UUID(seal.tenant_id)).get(seal.seal_no)
    if remembered is not None:
        if remembered != seal.digest:
            raise AuditProofInvalid(f"seal {seal.seal_no} is not the one that was remembered")
        return Proven(row=row, head=head, by="head")
    if seal.key is None or seal.signature is None:
        raise AuditProofInvalid(
            f"seal {seal.seal_no} is not signed, and no head of that number is known",
            hint=f"--expect-head {seal.seal_no}:HEX, or --anchors.",
        )
    if seal.key not in expected.keys:
        raise AuditProofInvalid(
            f"the seal is signed with {seal.key.hex()}, which is no trusted key",
            hint="--trust KEY, if it is one.",
        )
    if not is_signed(seal.digest, seal.key, seal.signature):
        raise AuditProofInvalid(f"the signature is not of seal {seal.seal_no}")
    return Proven(row=row, head=head, by="signature")


def write(proof: Proof) -> str:
    """A proof as one JSON document."""
    return json.dumps(
        {
            "stead_audit_proof": FORM,
            "row": named(proof.row),
            "path": [{"hash": step.hash.hex(), "left": step.left} for step in proof.path],
            "seal": seal_fields(proof.seal),
        },
        ensure_ascii=False,
        indent=2,
    )


def read(text: str) -> Proof:
    """A proof that was written.

    Raises:
        AuditProofInvalid: It is none.
    """
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise AuditProofInvalid(
            "the file is no proof", hint="Write one with `stead audit prove`."
        ) from error


def _read(value: Any) -> Proof:
    if value["stead_audit_proof"] != FORM:
        raise ValueError("a proof of another version")
    row = read_row(value["row"])
    if row is None:
        raise ValueError("no row")
    path = [_step(step) for step in cast("list[Any]", value["path"])]
    if len(path) > _MAX_HEIGHT:
        raise ValueError("too long a way")
    proof = Proof(row=row, path=path, seal=read_seal(value["seal"]))
    UUID(proof.seal.tenant_id)
    _id_of(proof.row)
    return proof


def _step(value: Any) -> Step:
    found = bytes.fromhex(value["hash"])
    if len(found) != 32 or not isinstance(value["left"], bool):
        raise ValueError("no step")
    return Step(hash=found, left=value["left"])


def _id_of(row: RowFields) -> int:
    value = int(named(row)["id"] or "")
    if not -(2**63) <= value < 2**63:
        raise ValueError("no id")
    return value


def _root(proof: Proof) -> bytes:
    top = leaf(_id_of(proof.row), row_digest(proof.row))
    for step in proof.path:
        top = node(step.hash, top) if step.left else node(top, step.hash)
    return top
