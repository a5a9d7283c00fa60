"""Links to files that Stead serves itself: signed, for one file, for a while."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from stead.evidence.errors import LinkInvalid

_LABEL: Final = b"stead artifact link v1"
_MAC_BYTES: Final = 32


def key_of(secret: str) -> bytes:
    """The key of links, made from a secret that serves something else too."""
    return hmac.digest(secret.encode(), _LABEL, "sha256")


def sign(key: bytes, tenant_id: UUID, artifact_id: UUID, expires_at: datetime) -> str:
    """The path of a link.

    The tenant is part of the signature, so that whoever presents it is looked up there and nowhere else.

    Args:
        key: See `key_of`.
        tenant_id: Whose it is.
        artifact_id: What it opens.
        expires_at: Until when; whole seconds count.
    """
    expires = int(expires_at.timestamp())
    signature = tenant_id.bytes + _mac(key, tenant_id, artifact_id, expires)
    query = urlencode({"expires": expires, "signature": base64.urlsafe_b64encode(signature).decode()})
    return f"/v1/artifacts/{artifact_id}/content?{query}"


def verify(key: bytes, artifact_id: UUID, expires: int, signature: str) -> tuple[UUID, datetime]:
    """The tenant that a link is of, and until when it opens: the caller compares with the database's clock.

    Raises:
        LinkInvalid: It was not signed here, or it was changed.
    """
    try:
        raw = base64.b64decode(signature, altchars=b"-_", validate=True)
        until = datetime.fromtimestamp(expires, UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        raise LinkInvalid("this link was not made here") from None
    if len(raw) != 16 + _MAC_BYTES:
        raise LinkInvalid("this link was not made here")
    tenant_id = UUID(bytes=raw[:16])
    if not hmac.compare_digest(raw[16:], _mac(key, tenant_id, artifact_id, expires)):
        raise LinkInvalid("this link was not made here")
    return tenant_id, until


def _mac(key: bytes, tenant_id: UUID, artifact_id: UUID, expires: int) -> bytes:
    said = tenant_id.bytes + artifact_id.bytes + expires.to_bytes(8, "big", signed=True)
    return hmac.digest(key, said, hashlib.sha256)
