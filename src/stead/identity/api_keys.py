"""API keys: ``sk_stead_<key id>_<secret><checksum>``.

- The key id (60 random bits, base32) names the row and may be shown and logged.
- The secret is 256 random bits in base62, whose alphabet keeps ``_`` free as the separator and lets a
  double click select the whole key.
- The checksum (CRC-32 in base62, as in GitHub's tokens) covers everything before it, so that a typo is
  told from an unknown key without asking the database, and secret scanners match `PATTERN` without
  false alarms. It is no protection: anyone can compute it.

Only the SHA-256 of the text is stored. A slow hash (argon2, bcrypt) defends secrets that people choose,
because those can be guessed; nobody guesses 256 random bits, however fast the hash, so that slowness
would only cost every request.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

from stead.identity.errors import ApiKeyMalformed

PREFIX = "sk_stead_"
PATTERN = r"sk_stead_([a-z2-7]{12})_[0-9A-Za-z]{49}"
"""What a key looks like, for secret scanners."""

_BASE32 = string.ascii_lowercase + "234567"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_CHARS = 43  # 62**43 > 2**256
_CHECKSUM_CHARS = 6  # 62**6 > 2**32
_SHAPE = re.compile(PATTERN, re.ASCII)


def new_key() -> tuple[str, str, bytes]:
    """Makes a key from the operating system's randomness.

    Returns:
        The text, which is shown once and never stored; the key id; and the 32-byte digest to store.
    """
    key_id = "".join(secrets.choice(_BASE32) for _ in range(12))
    body = f"{PREFIX}{key_id}_{_base62(secrets.randbits(256), _SECRET_CHARS)}"
    text = body + _checksum(body)
    return text, key_id, _digest(text)


def parse(text: str) -> tuple[str, bytes]:
    """Takes a presented key apart: the key id to look up and the digest to compare in constant time.

    Raises:
        ApiKeyMalformed: The text is no key, was cut short or mistyped.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None or _checksum(text[:-_CHECKSUM_CHARS]) != text[-_CHECKSUM_CHARS:]:
        raise ApiKeyMalformed(
            hint="Copy the whole key again; it begins with sk_stead_ and has 71 characters."
        )
    return shape.group(1), _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECKSUM_CHARS)


def _base62(number: int, width: int) -> str:
    chars: list[str] = []
    for _ in range(width):
        number, rest = divmod(number, 62)
        chars.append(_BASE62[rest])
    return "".join(reversed(chars))
