"""Webhooks of Calendly: how they are signed, and what a booking is.

https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from stead.analytics.models import Conversion
from stead.analytics.payloads import code_of, member, moment_of, session_of, url_of
from stead.core.clock import Clock
from stead.identity.errors import SignatureInvalid, SignatureMissing, SignatureStale

HEADER: Final = "calendly-webhook-signature"
_TOLERANCE_S: Final = 300
_MAX_HEADER_CHARS: Final = 1024
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def verify(secret: str, headers: Mapping[str, str], body: bytes, clock: Clock) -> None:
    """Checks the signature of a webhook: HMAC-SHA256 over ``t.body``, in hexadecimal.

    Args:
        secret: The signing key of the subscription.
        headers: The request's.
        body: The exact bytes.
        clock: For the age of the signature.

    Raises:
        SignatureMissing: The header is not there.
        SignatureInvalid: It has the wrong form, or the signature does not match.
        SignatureStale: It is right, and five minutes old or more.
    """
    presented = headers.get(HEADER, "")
    if not presented:
        raise SignatureMissing(f"The request lacks {HEADER}.")
    timestamps: list[str] = []
    signatures: list[str] = []
    for item in presented[:_MAX_HEADER_CHARS].split(","):
        name, _, value = item.strip().partition("=")
        if name == "t" and _TIMESTAMP.fullmatch(value):
            timestamps.append(value)
        elif name == "v1" and _SIGNATURE.fullmatch(value):
            signatures.append(value)
    if len(timestamps) != 1 or not signatures:
        raise SignatureInvalid(f"{HEADER} has the wrong form.")
    expected = hmac.new(secret.encode(), f"{timestamps[0]}.".encode() + body, hashlib.sha256).hexdigest()
    matched = False
    for signature in signatures:
        matched |= hmac.compare_digest(expected, signature)
    if not matched:
        raise SignatureInvalid(hint="The secret is the signing key of the webhook subscription.")
    # Only after the signature: a stranger learns nothing.
    if abs(clock.now().timestamp() - int(timestamps[0])) > _TOLERANCE_S:
        raise SignatureStale(
            f"The time in {HEADER} differs from this server's by more than {_TOLERANCE_S} seconds."
        )


def read(message: Mapping[str, Any]) -> Conversion | None:
    """The booking that a webhook tells of; None: it is about something else.

    A call that was moved to another time comes as a new booking of somebody who has one already.
    """
    payload = member(message, "payload")
    if message.get("event") != "invitee.created" or payload.get("old_invitee"):
        return None
    key = code_of(payload.get("uri"))
    if key is None:
        return None
    url = url_of(member(payload, "scheduled_event").get("uri")) or url_of(payload.get("event"))
    return Conversion(
        name="conversion.call_booked",
        key=key,
        session=session_of(member(payload, "tracking").get("utm_content")),
        properties={"calendlyUrl": url} if url else {},
        at=moment_of(message.get("created_at")),
    )
