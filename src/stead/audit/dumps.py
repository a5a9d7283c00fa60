"""Exports of a chain: a line of JSON for each seal and each row, in the order in which they are checked.

Everything that a digest covers is in the file as text, the payload too, so that it can be verified with nothing
else: no database, and no JSON library that agrees with PostgreSQL's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from stead.audit import queries
from stead.audit.digests import row_digest
from stead.audit.errors import AuditDumpInvalid
from stead.audit.models import (
    ROW_FIELDS,
    Item,
    RowFields,
    Seal,
    SealedRow,
    TextsState,
    UnsealedRow,
)
from stead.audit.walking import commitment_of, row_fields, texts_state, walk
from stead.db import Transaction
from stead.identity import Tenant

FORM: Final = 1


@dataclass(frozen=True, kw_only=True)
class DumpHead:
    """Whose chain begins here.

    Args:
        horizon: Up to which id sealing was complete.
    """

    tenant_id: UUID
    slug: str | None
    horizon: int


@dataclass(frozen=True, kw_only=True)
class DumpEnd:
    """A chain ends here.

    Args:
        complete: Whether as many lines were read as were written.
    """

    complete: bool


async def export(tx: Transaction, tenant: Tenant, *, with_texts: bool = False) -> AsyncIterator[str]:
    """The lines of an export of one tenant.

    Args:
        tx: A transaction as the tenant's service.
        tenant: Whose chain.
        with_texts: Also the texts beside the rows. What is forgotten later is not forgotten in the file.
    """
    horizon = await queries.horizon(tx)
    yield _line(
        stead_audit=FORM,
        tenant_id=str(tenant.id),
        tenant=tenant.slug,
        complete_to=horizon,
        exported_at=datetime.now(UTC).isoformat(),
    )
    count = 0
    async for item in walk(tx, tenant.id):
        count += 1
        match item:
            case Seal():
                yield _line(seal=seal_fields(item))
            case SealedRow():
                entry = {
                    "seal_no": item.seal_no,
                    "position": item.position,
                    "audit_id": item.audit_id,
                    "digest": item.digest.hex(),
                }
                beside: dict[str, object] = {}
                if with_texts and item.kept is not None:
                    beside["texts"] = {"salt": item.kept[0].hex(), "texts": item.kept[1]}
                yield _line(entry=entry, row=named(item.fields) if item.fields else None, **beside)
            case UnsealedRow():
                fields = await row_fields(tx, tenant.id, item.audit_id)
                yield _line(unsealed=item.audit_id, row=named(fields) if fields else None)
    yield _line(end=count)


def _line(**members: object) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")) + "\n"


def named(fields: RowFields) -> dict[str, str | None]:
    """The fields of a row by their names."""
    return dict(zip(ROW_FIELDS, fields, strict=True))


def seal_fields(seal: Seal) -> dict[str, object]:
    """A seal as JSON values."""
    return {
        "tenant_id": seal.tenant_id,
        "seal_no": seal.seal_no,
        "prev_digest": seal.prev_digest.hex(),
        "rows": seal.rows,
        "root": seal.root.hex(),
        "complete_to": seal.complete_to,
        "sealed_at_us": seal.sealed_at_us,
        "digest": seal.digest.hex(),
        "form": seal.form,
        "key": seal.key.hex() if seal.key else None,
        "signature": seal.signature.hex() if seal.signature else None,
    }


def read_dump(lines: Iterable[str]) -> Iterator[DumpHead | Item | DumpEnd]:
    """The chains in an export, or in several, one after the other.

    Args:
        lines: Of the file.

    Raises:
        AuditDumpInvalid: A line is not one that an export has; says which.
    """
    inside, count = False, 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            read = _read(json.loads(line))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise AuditDumpInvalid(
                f"line {number} is none that an export of the audit log has",
                hint="Write the file with `stead audit export`, or give a dump that pg_dump wrote.",
            ) from error
        if isinstance(read, DumpHead):
            if inside:
                yield DumpEnd(complete=False)
            inside, count = True, 0
            yield read
        elif not inside:
            raise AuditDumpInvalid(
                f"line {number} stands outside any export", hint="Is its head missing?"
            )
        elif isinstance(read, int):
            inside = False
            yield DumpEnd(complete=read == count)
        else:
            count += 1
            yield read
    if inside:
        yield DumpEnd(complete=False)


def _read(value: Any) -> DumpHead | Item | int:
    if "stead_audit" in value:
        if value["stead_audit"] != FORM:
            raise ValueError("an export of another version")
        slug = value.get("tenant")
        return DumpHead(
            tenant_id=UUID(value["tenant_id"]),
            slug=None if slug is None else str(slug),
            horizon=_number(value["complete_to"]),
        )
    if "seal" in value:
        return read_seal(value["seal"])
    if "entry" in value:
        entry, fields = value["entry"], read_row(value["row"])
        return SealedRow(
            seal_no=_number(entry["seal_no"]),
            position=_number(entry["position"]),
            audit_id=_number(entry["audit_id"]),
            digest=bytes.fromhex(entry["digest"]),
            found=None if fields is None else row_digest(fields),
            texts=_read_texts(fields, value.get("texts")),
        )
    if "unsealed" in value:
        return UnsealedRow(audit_id=_number(value["unsealed"]))
    return _number(value["end"])


def read_seal(value: Any) -> Seal:
    """A seal from JSON values.

    Raises:
        ValueError, KeyError, TypeError: It is none.
    """
    return Seal(
        tenant_id=_string(value["tenant_id"]),
        seal_no=_number(value["seal_no"]),
        prev_digest=bytes.fromhex(value["prev_digest"]),
        rows=_number(value["rows"]),
        root=bytes.fromhex(value["root"]),
        complete_to=_number(value["complete_to"]),
        sealed_at_us=_string(value["sealed_at_us"]),
        digest=bytes.fromhex(value["digest"]),
        # Exports of before there was another one do not name it.
        form=_number(value.get("form", 1)),
        key=bytes.fromhex(value["key"]) if value["key"] else None,
        signature=bytes.fromhex(value["signature"]) if value["signature"] else None,
    )


def read_row(value: Any) -> RowFields | None:
    """The fields of a row from JSON values; None where there is no row.

    Raises:
        ValueError, KeyError, TypeError: It is none.
    """
    if value is None:
        return None
    members = cast("dict[str, object]", value)
    fields = tuple(members[name] for name in ROW_FIELDS)
    if len(members) != len(fields) or not all(f is None or isinstance(f, str) for f in fields):
        raise ValueError("a row of another form")
    return cast("RowFields", fields)


def _read_texts(fields: RowFields | None, beside: Any) -> TextsState | None:
    salt, texts = (None, None)
    if beside is not None:
        salt, texts = bytes.fromhex(beside["salt"]), _string(beside["texts"])
    commitment = None if fields is None else commitment_of(named(fields)["payload"])
    return texts_state(commitment, salt, texts)


def _number(value: object) -> int:
    # As PostgreSQL's bigint: what is larger has no eight bytes.
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError("no number")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
