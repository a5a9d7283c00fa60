"""Writing audit rows, in the transaction of what they tell of."""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from uuid import UUID

import structlog

from stead.audit import queries
from stead.audit.digests import texts_digest
from stead.audit.errors import AuditPayloadInvalid
from stead.audit.models import AuditEntry
from stead.db import Transaction
from stead.identity import Principal

MAX_PAYLOAD_BYTES: Final = 16_384
MAX_TEXT_CHARS: Final = 200
MAX_TEXTS_CHARS: Final = 65_536
#: Under which name a payload holds the digest of the texts that are kept beside the log.
COMMITMENT: Final = "erasable"
_MAX_DEPTH: Final = 4
_KEY: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
#: Short codes, ids, digests, times, names of tools. What has a space in it was written by somebody.
_CODE: Final = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff]*")
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


async def record(
    tx: Transaction,
    principal: Principal,
    *,
    category: str,
    action: str,
    subject_type: str | None = None,
    subject_id: UUID | str | None = None,
    subject_profile_id: UUID | None = None,
    payload: Mapping[str, object] | None = None,
    erasable: Mapping[str, str] | None = None,
) -> None:
    """Writes one audit row, which commits with the rest of the transaction or not at all.

    The actor is the principal; the request's id is taken from the logging context.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: Who did it.
        category: The part of the system, such as ``memory``; up to 64 characters.
        action: What was done, such as ``forget``; up to 64 characters.
        subject_type: What it was done to, such as ``session``.
        subject_id: The id of that.
        subject_profile_id: The person whom it concerns. They may read the row: it must say nothing of others.
        payload: Ids, counts, digests, short codes.
        erasable: Texts by name, such as the reason that somebody gave. They are kept beside the log, and go
            when the person whom the row concerns, or who wrote them, is forgotten.

    Raises:
        AuditPayloadInvalid: The payload holds something else, or too much of it.
    """
    entry = AuditEntry(
        category=category,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        subject_profile_id=subject_profile_id,
        payload=payload or {},
        erasable=erasable or {},
    )
    (checked,) = await _with_texts(tx, principal, [entry])
    actor_type, actor_id = actor_of(principal)
    await queries.insert_row(
        tx,
        principal.tenant.id,
        actor_type,
        actor_id,
        entry.category,
        entry.action,
        entry.subject_type,
        _text(entry.subject_id),
        entry.subject_profile_id,
        _request_id(),
        checked,
    )


async def record_many(tx: Transaction, principal: Principal, entries: Sequence[AuditEntry]) -> None:
    """Writes many audit rows with one statement.

    Args:
        tx: A transaction as the server, in the tenant of the principal.
        principal: Who did all of it.
        entries: What was done.

    Raises:
        AuditPayloadInvalid: A payload holds what it must not; nothing was written.
    """
    if not entries:
        return
    payloads = await _with_texts(tx, principal, entries)
    actor_type, actor_id = actor_of(principal)
    await queries.insert_rows(
        tx,
        principal.tenant.id,
        actor_type,
        actor_id,
        _request_id(),
        [entry.category for entry in entries],
        [entry.action for entry in entries],
        [entry.subject_type for entry in entries],
        [_text(entry.subject_id) for entry in entries],
        [entry.subject_profile_id for entry in entries],
        payloads,
    )


async def erase(tx: Transaction, principal: Principal, audit_ids: Sequence[int]) -> int:
    """Erases the texts beside rows of the log; the rows stay, and their seals hold.

    Args:
        tx: A transaction as the tenant's service.
        principal: Who asks for it.
        audit_ids: The rows.

    Returns:
        Of how many of them there were texts.
    """
    erased = await queries.erase_texts(tx, audit_ids)
    if erased:
        await record(tx, principal, category="audit", action="erase_texts", payload={"rows": erased})
    return erased


def actor_of(principal: Principal) -> tuple[str, str]:
    """Kind and id of whoever acts: the person, the anonymous session, or the service's credential."""
    if principal.profile_id is not None:
        return principal.kind, str(principal.profile_id)
    if principal.session_id is not None:
        return principal.kind, str(principal.session_id)
    return principal.kind, principal.credential or principal.kind


async def _with_texts(
    tx: Transaction, principal: Principal, entries: Sequence[AuditEntry]
) -> list[dict[str, Any]]:
    """The payloads as JSON values. Texts are stored beside them, and their digests stand in them.

    Raises:
        AuditPayloadInvalid: See `record`.
    """
    payloads = [_checked(entry.payload) for entry in entries]
    digests: list[str] = []
    salts: list[bytes] = []
    kept: list[str] = []
    about: list[UUID | None] = []
    for entry, payload in zip(entries, payloads, strict=True):
        if not entry.erasable:
            continue
        texts, salt = _texts(entry.erasable), secrets.token_bytes(32)
        payload[COMMITMENT] = texts_digest(salt, texts)
        digests.append(payload[COMMITMENT])
        salts.append(salt)
        kept.append(texts)
        about.append(entry.subject_profile_id)
    if digests:
        await queries.insert_texts(
            tx,
            principal.tenant.id,
            digests,
            salts,
            kept,
            about,
            principal.profile_id,
            None if principal.profile_id else principal.session_id,
        )
    return payloads


def _texts(erasable: Mapping[str, str]) -> str:
    """Texts in the form that is hashed and kept."""
    for name in erasable:
        _key(name, "erasable")
    texts = json.dumps(dict(erasable), ensure_ascii=False, separators=(",", ":"))
    # Halves of surrogate pairs have no UTF-8, which the database and the digest are about.
    texts = texts.encode(errors="replace").decode()
    if len(texts) > MAX_TEXTS_CHARS:
        raise AuditPayloadInvalid(
            f"erasable texts of {len(texts)} characters; at most {MAX_TEXTS_CHARS} fit",
            hint="Keep long texts in a table of their own, and record their id.",
        )
    return texts


def _text(value: UUID | str | None) -> str | None:
    return None if value is None else str(value)


def _request_id() -> str | None:
    value = structlog.contextvars.get_contextvars().get("request_id")
    return value if isinstance(value, str) and value else None


def _checked(payload: Mapping[str, object]) -> dict[str, Any]:
    """The payload as JSON values.

    Raises:
        AuditPayloadInvalid: See `record`.
    """
    if COMMITMENT in payload:
        raise AuditPayloadInvalid(
            f"payload.{COMMITMENT} is the log's own", hint="Give texts as `erasable`."
        )
    plain = _plain(payload, "payload", _MAX_DEPTH)
    size = len(json.dumps(plain, ensure_ascii=False).encode())
    if size > MAX_PAYLOAD_BYTES:
        raise AuditPayloadInvalid(
            f"an audit payload of {size} bytes; at most {MAX_PAYLOAD_BYTES} fit",
            hint="Record a count and a digest of what is many.",
        )
    return cast("dict[str, Any]", plain)


def _plain(value: object, where: str, depth: int) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str):
        return _code(value, where)
    if depth > 0 and isinstance(value, Mapping):
        return {
            _key(key, where): _plain(item, f"{where}.{key}", depth - 1)
            for key, item in cast("Mapping[object, object]", value).items()
        }
    if depth > 0 and isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return [_plain(item, f"{where}[{n}]", depth - 1) for n, item in enumerate(items)]
    raise AuditPayloadInvalid(
        f"{where} is a {type(value).__name__} that an audit payload cannot hold",
        hint=f"Text, numbers, ids, and lists and objects of them, {_MAX_DEPTH} levels deep.",
    )


def _code(value: str, where: str) -> str:
    # The value itself is not in the message: it may be the very text that must not be kept.
    if len(value) > MAX_TEXT_CHARS or _CODE.fullmatch(value) is None or _ADDRESS.search(value):
        raise AuditPayloadInvalid(
            f"{where} looks like a text that somebody wrote, or like an address",
            hint=f"Record its id or digest; codes have up to {MAX_TEXT_CHARS} characters and no spaces.",
        )
    return value


def _key(key: object, where: str) -> str:
    if not isinstance(key, str) or _KEY.fullmatch(key) is None:
        raise AuditPayloadInvalid(
            f"a key in {where} is no short name", hint="Letters, digits and underscores, up to 64."
        )
    return key
