"""The key for tokens that are signed with a shared secret (HS256)."""

from __future__ import annotations

import jwt
from jwt.algorithms import HMACAlgorithm
from jwt.utils import base64url_encode

from stead.identity.errors import IdentityMisconfigured

MIN_SECRET_BYTES = 32


def shared_key(secret: str | bytes) -> jwt.PyJWK:
    """The HS256 key whose bytes are ``secret``, as Supabase reads it: text as UTF-8, never as base64.

    Raises:
        IdentityMisconfigured: It has fewer than 32 bytes (RFC 7518, section 3.2), or is a public key.
    """
    key = secret.encode() if isinstance(secret, str) else secret
    if len(key) < MIN_SECRET_BYTES:
        raise IdentityMisconfigured(
            f"A secret for tokens needs {MIN_SECRET_BYTES} bytes or more; this one has {len(key)}.",
            hint="Make one with `openssl rand -base64 48`.",
        )
    try:
        # Everyone knows a public key: taken for a secret, it would let everyone sign.
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(key)
    except jwt.InvalidKeyError:
        raise IdentityMisconfigured(
            "This is a key pair's key, not a secret.",
            hint="Configure the address of the key set instead.",
        ) from None
    return jwt.PyJWK.from_dict(
        {"kty": "oct", "k": base64url_encode(key).decode("ascii")}, algorithm="HS256"
    )
