"""Reading the audit log out of a plain dump that pg_dump wrote, with no database.

Rows become digests as they are read; those, and the entries, are kept in memory: about 300 bytes a row. For
logs of many millions of rows an export is the better file, which is read as a stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from stead.audit.digests import row_digest
from stead.audit.dumps import DumpEnd, DumpHead
from stead.audit.errors import AuditDumpInvalid
from stead.audit.models import ROW_FIELDS, Item, Seal, SealedRow, UnsealedRow
from stead.audit.walking import commitment_of, texts_state

_TABLES: Final = (
    "public.audit_log",
    "stead.audit_entries",
    "stead.audit_seals",
    "stead.audit_signatures",
    "stead.audit_texts",
    "stead.sealing_progress",
    "public.tenants",
)
_COPY: Final = re.compile(r"COPY ([\w.]+) \(([^)]*)\) FROM stdin;")
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Values = dict[str, str | None]


@dataclass(kw_only=True)
class _Tenant:
    """What the dump holds of one tenant."""

    rows: dict[int, bytes] = field(default_factory=dict[int, bytes])
    commitments: dict[int, str] = field(default_factory=dict[int, str])
    texts: dict[str, tuple[bytes, str]] = field(default_factory=dict[str, tuple[bytes, str]])
    entries: list[tuple[int, int, int, bytes]] = field(default_factory=list[tuple[int, int, int, bytes]])
    seals: list[_Values] = field(default_factory=list[_Values])
    signatures: dict[int, _Values] = field(default_factory=dict[int, _Values])


def read_pg_dump(lines: Iterable[str]) -> Iterator[DumpHead | Item | DumpEnd]:
    """The chains of all tenants in a dump.

    Args:
        lines: Of a plain dump (``pg_dump`` without ``--inserts``, or ``pg_restore -f -`` of another format).

    Raises:
        AuditDumpInvalid: The dump lacks the audit tables, or a line of theirs cannot be read; says which.
    """
    tenants: dict[str, _Tenant] = {}
    slugs: dict[str, str | None] = {}
    horizon = 0
    for table, number, values in _copied(lines):
        try:
            if table == "public.tenants":
                slugs[_known(values, "id")] = values["slug"]
            elif table == "stead.sealing_progress":
                horizon = max(horizon, int(_known(values, "complete_to")))
            else:
                _keep(tenants.setdefault(_known(values, "tenant_id"), _Tenant()), table, values)
        except (ValueError, KeyError) as error:
            raise AuditDumpInvalid(
                f"line {number} is no row of {table}", hint="Dump again with pg_dump."
            ) from error
    for tenant_id, tenant in sorted(tenants.items()):
        yield DumpHead(tenant_id=UUID(tenant_id), slug=slugs.get(tenant_id), horizon=horizon)
        yield from _items(tenant)
        yield DumpEnd(complete=True)


def _copied(lines: Iterable[str]) -> Iterator[tuple[str, int, _Values]]:
    """Table, line number and values of each row of the tables that matter."""
    table, columns = "", list[str]()
    seen: set[str] = set()
    skipping = False
    for number, line in enumerate(lines, 1):
        if table or skipping:
            text = line.rstrip("\n")
            if text == "\\.":
                table, skipping = "", False
            elif table:
                values = [None if v == "\\N" else _ESCAPE.sub(_unescape, v) for v in text.split("\t")]
                if len(values) != len(columns):
                    raise AuditDumpInvalid(f"line {number} is no row of {table}", hint="Dump again.")
                yield table, number, dict(zip(columns, values, strict=True))
        elif line.startswith("COPY ") and (head := _COPY.match(line)):
            skipping = head[1] not in _TABLES
            if not skipping:
                table, columns = head[1], [name.strip().strip('"') for name in head[2].split(",")]
                seen.add(table)
    if table or skipping:
        raise AuditDumpInvalid("the dump breaks off inside a table", hint="Dump again.")
    if not {"public.audit_log", "stead.audit_entries", "stead.audit_seals"} <= seen:
        raise AuditDumpInvalid(
            "this is neither an export nor a plain dump with the audit tables",
            hint="Use `stead audit export`, or pg_dump in plain format, without --inserts, with both schemas.",
        )


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])


def _known(values: _Values, name: str) -> str:
    value = values[name]
    if value is None:
        raise ValueError(f"{name} is null")
    return value


def _bytes(values: _Values, name: str) -> bytes:
    return bytes.fromhex(_known(values, name).removeprefix("\\x"))


def _micros(text: str | None) -> str | None:
    """Microseconds since 1970; what is no common date stays as it is, and so differs from what was sealed."""
    try:
        at = datetime.fromisoformat(text or "")
        return str((at - _EPOCH) // timedelta(microseconds=1))
    except (ValueError, TypeError):
        return text


def _keep(tenant: _Tenant, table: str, values: _Values) -> None:
    if table == "public.audit_log":
        number = int(_known(values, "id"))
        if number in tenant.rows:
            raise ValueError("twice in the dump")
        values["created_at_us"] = _micros(values["created_at"])
        tenant.rows[number] = row_digest(tuple(values[name] for name in ROW_FIELDS))
        if (commitment := commitment_of(values["payload"])) is not None:
            tenant.commitments[number] = commitment
    elif table == "stead.audit_entries":
        seal_no, position, audit_id = (
            int(_known(values, n)) for n in ("seal_no", "position", "audit_id")
        )
        tenant.entries.append((seal_no, position, audit_id, _bytes(values, "digest")))
    elif table == "stead.audit_seals":
        tenant.seals.append(values)
    elif table == "stead.audit_texts":
        tenant.texts[_known(values, "digest")] = (_bytes(values, "salt"), _known(values, "texts"))
    else:
        tenant.signatures[int(_known(values, "seal_no"))] = values


def _seal(values: _Values, signature: _Values | None) -> Seal:
    return Seal(
        tenant_id=_known(values, "tenant_id"),
        seal_no=int(_known(values, "seal_no")),
        prev_digest=_bytes(values, "prev_digest"),
        rows=int(_known(values, "rows")),
        root=_bytes(values, "root"),
        complete_to=int(_known(values, "complete_to")),
        sealed_at_us=_micros(values["sealed_at"]) or "",
        digest=_bytes(values, "digest"),
        form=int(values.get("form") or 1),
        key=_bytes(signature, "key") if signature else None,
        signature=_bytes(signature, "signature") if signature else None,
    )


def _items(tenant: _Tenant) -> Iterator[Item]:
    seals = sorted(
        (_seal(v, tenant.signatures.get(int(_known(v, "seal_no")))) for v in tenant.seals),
        key=lambda seal: seal.seal_no,
    )
    entries = sorted(tenant.entries)
    at = 0
    for seal in [*seals, None]:
        # First what belongs to seals that are not there, then what belongs to this one.
        for upto in (seal.seal_no - 1, seal.seal_no) if seal else (2**63,):
            if seal and upto == seal.seal_no:
                yield seal
            while at < len(entries) and entries[at][0] <= upto:
                number, position, audit_id, digest = entries[at]
                commitment = tenant.commitments.get(audit_id)
                salt, texts = tenant.texts.get(commitment or "", (None, None))
                yield SealedRow(
                    seal_no=number,
                    position=position,
                    audit_id=audit_id,
                    digest=digest,
                    found=tenant.rows.get(audit_id),
                    texts=texts_state(commitment, salt, texts),
                )
                at += 1
    sealed = {entry[2] for entry in entries}
    for audit_id in sorted(tenant.rows.keys() - sealed):
        yield UnsealedRow(audit_id=audit_id)
