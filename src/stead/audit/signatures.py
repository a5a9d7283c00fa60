"""Signatures over seals: Ed25519, made by the sealer with a key that the database never has.

A chain alone shows that something was changed, unless everything after it was computed anew. Only a signature,
or a head that was kept elsewhere, shows that as well.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_FORM = b"stead.audit.signature.1,"


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A key pair; every process with the same secret comes to the same one.

    Args:
        private: What signs.
        public: 32 bytes, to be given to whoever verifies.
    """

    private: Ed25519PrivateKey = field(repr=False)
    public: bytes

    @classmethod
    def from_secret(cls, secret: str) -> SigningKey:
        """The key pair of ``STEAD_SERVICE_SECRET``."""
        seed = hmac.new(secret.encode(), b"stead audit signing key 1", hashlib.sha256).digest()
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(
            private=private, public=private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        )

    def sign(self, seal_digest: bytes) -> bytes:
        """64 bytes over the digest of a seal, which holds tenant, number and all before it."""
        return self.private.sign(_FORM + seal_digest)


def is_signed(seal_digest: bytes, public: bytes, signature: bytes) -> bool:
    """Whether that key signed that seal."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _FORM + seal_digest)
    except (InvalidSignature, ValueError):
        return False
    return True
