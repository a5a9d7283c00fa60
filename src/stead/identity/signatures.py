"""Signed requests between services, in the form of Standard Webhooks (https://www.standardwebhooks.com).

The headers are ``webhook-id``, ``webhook-timestamp`` (Unix seconds) and ``webhook-signature`` (one or
more ``v1,<base64>``, several while a secret is rotated); the signature is HMAC-SHA256 over
``id.timestamp.body``.

The ``standardwebhooks`` package is not used here, only tested against: it reads the machine's clock,
fixes the tolerance, and decodes the body as UTF-8, which a signature over bytes does not ask for.
Whether a message was seen before is not decided here: the caller records the returned id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from stead.core.clock import Clock
from stead.identity.errors import (
    IdentityMisconfigured,
    SignatureInvalid,
    SignatureMissing,
    SignatureStale,
)

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

_PREFIX = "whsec_"
_MIN_SECRET_BYTES = 16
_MAX_HEADER_CHARS = 4096
# No full stop: it separates the signed parts, and an id that holds one could be read in two ways.
_MESSAGE_ID = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


def sign(secret: str, body: bytes, message_id: str, at: datetime) -> dict[str, str]:
    """The three headers that sign ``body``.

    Args:
        secret: ``whsec_<base64>``, bare base64, or any other text, whose bytes are then the key.
        body: The exact bytes that are sent.
        message_id: Names this message: the same for each attempt to deliver it. Printable ASCII
            without spaces and full stops, at most 255 characters.
        at: When it is signed; must know its time zone.

    Raises:
        IdentityMisconfigured: The secret is shorter than 16 bytes or no valid ``whsec_`` secret.
        ValueError: The id or the time cannot be signed.
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("A message id is printable ASCII without spaces or full stops")
    if at.tzinfo is None:
        raise ValueError("The time of signing needs a time zone")
    timestamp = str(int(at.timestamp()))
    signature = base64.b64encode(_mac(_key(secret), message_id, timestamp, body)).decode("ascii")
    return {ID_HEADER: message_id, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: f"v1,{signature}"}


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, clock: Clock, tolerance_s: int = 300
) -> str:
    """Checks a signed request and returns its message id, which the caller must refuse to see twice.

    Args:
        secret: As for `sign`.
        headers: The request's headers; the case of their names does not matter.
        body: The exact bytes that were received.
        clock: Tells the time that the timestamp is compared with.
        tolerance_s: How far the timestamp may lie in the past or the future, in seconds.

    Raises:
        SignatureMissing: One of the three headers is not there.
        SignatureInvalid: A header has the wrong form or no signature matches.
        SignatureStale: The signature is right but older or newer than the tolerance.
        IdentityMisconfigured: The secret is shorter than 16 bytes or no valid ``whsec_`` secret.
    """
    key = _key(secret)
    found = {name.lower(): value for name, value in headers.items()}
    message_id = found.get(ID_HEADER, "")
    timestamp = found.get(TIMESTAMP_HEADER, "")
    presented = found.get(SIGNATURE_HEADER, "")
    missing = [
        name
        for name, value in (
            (ID_HEADER, message_id),
            (TIMESTAMP_HEADER, timestamp),
            (SIGNATURE_HEADER, presented),
        )
        if not value
    ]
    if missing:
        raise SignatureMissing(f"The request lacks {', '.join(missing)}.")
    if not _MESSAGE_ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureInvalid(f"{ID_HEADER} or {TIMESTAMP_HEADER} has the wrong form.")
    if not _matches(_mac(key, message_id, timestamp, body), presented):
        raise SignatureInvalid(
            hint="Sign the exact bytes of the body with the secret that both sides hold."
        )
    # Only after the signature: a stranger learns nothing, a holder of the secret learns what is wrong.
    if abs(clock.now().timestamp() - int(timestamp)) > tolerance_s:
        raise SignatureStale(
            f"{TIMESTAMP_HEADER} differs from this server's time by more than {tolerance_s} seconds.",
            hint="Set the sender's clock, and sign each attempt anew.",
        )
    return message_id


def _mac(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{timestamp}.".encode("ascii") + body, hashlib.sha256)


def _matches(expected: bytes, presented: str) -> bool:
    if len(presented) > _MAX_HEADER_CHARS:
        return False
    matched = False
    for item in presented.split(" "):
        version, _, encoded = item.partition(",")
        if version == "v1":
            signature = _strict_base64(encoded) or b""
            matched |= hmac.compare_digest(expected, signature)
    return matched


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        key = _strict_base64(secret.removeprefix(_PREFIX))
        if key is None:
            raise IdentityMisconfigured(
                "A signing secret with the prefix whsec_ must be base64 after it."
            )
    else:
        # Providers also hand out plain text (Whop's `ws_…`), which is then the key as it stands.
        key = _strict_base64(secret)
        if key is None:
            key = secret.encode()
    if len(key) < _MIN_SECRET_BYTES:
        raise IdentityMisconfigured(
            f"A signing secret must have at least {_MIN_SECRET_BYTES} bytes.",
            hint="Make one: whsec_ and the output of `openssl rand -base64 32`.",
        )
    return key


def _strict_base64(text: str) -> bytes | None:
    """The bytes that ``text`` spells in standard base64, padded or not; None if it is not base64."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return None
