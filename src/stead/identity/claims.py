"""What a token says: taken apart before its signature is checked, and read after.

PyJWT checks the encoding and the signature. Times and claims are checked here, because PyJWT reads the
machine's clock, and because what leaves here goes on to PostgreSQL as ``jsonb``, which refuses NUL
characters, lone surrogates and infinite numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

import jwt

from stead.identity.errors import (
    TokenAlgorithmRefused,
    TokenAudienceRefused,
    TokenClaimsInvalid,
    TokenExpired,
    TokenKeyUnknown,
    TokenMalformed,
    TokenNotYetValid,
    TokenSignatureInvalid,
)

MAX_TOKEN_CHARS = 8192
LEEWAY_S = 10
_MAX_SCOPES = 100
_LAST_MOMENT = 253_402_300_799  # the end of the year 9999, after which datetime cannot count
_JWS = jwt.PyJWS(algorithms=["HS256", "RS256", "ES256"])


@dataclass(frozen=True, kw_only=True)
class VerifiedToken:
    """What a token proves, after its signature, issuer, audience and times were checked.

    Attributes:
        provider: Who issued it.
        subject: The issuer's id of the person; None for anonymous and service tokens.
        role: A PostgreSQL role name in Supabase's sense (``anon``, ``authenticated``, ``service_role``).
            Any signed text of at most 63 characters: whoever sets it as a role has to allowlist it.
        tenant_id: From ``tenant_id`` or ``app_metadata.tenant_id``; never from ``user_metadata``, which
            users write themselves.
        org_external_id: The issuer's id of the active organization (Clerk).
        session_id: The anonymous session that one of Stead's own tokens holds.
        email: As the issuer states it.
        email_verified: Whether the issuer vouches that the person receives mail at ``email``.
        scopes: From ``scope`` or ``scopes``.
        expires_at: When the token ends, in UTC, without leeway.
        claims: Every claim.
    """

    provider: Literal["supabase", "clerk", "stead"]
    subject: str | None
    role: str
    tenant_id: str | None
    org_external_id: str | None
    session_id: str | None
    email: str | None = field(repr=False)
    email_verified: bool
    scopes: tuple[str, ...]
    expires_at: datetime
    claims: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UnverifiedToken:
    """A token taken apart. Nothing in it may be believed yet: it only tells which verifier to ask."""

    text: str = field(repr=False)
    algorithm: str
    key_id: str | None
    claims: dict[str, Any] = field(repr=False)

    @property
    def issuer(self) -> object:
        return self.claims.get("iss")


def take_apart(text: str) -> UnverifiedToken:
    """Reads a token without checking its signature.

    Raises:
        TokenMalformed: It is longer than 8 KB, not ASCII, or not a JWS of JSON objects.
        TokenAlgorithmRefused: It is unsigned (``alg`` is ``none``).
        TokenClaimsInvalid: The claims hold what PostgreSQL cannot store.
    """
    if len(text) > MAX_TOKEN_CHARS:
        raise TokenMalformed(f"A token may have at most {MAX_TOKEN_CHARS} characters.")
    # Nor padding, which PyJWT tolerates: one token has one spelling.
    if not text.isascii() or not text.isprintable() or "=" in text:
        raise TokenMalformed("A token consists of base64url characters and full stops only.")
    try:
        parts = _JWS.decode_complete(text, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise TokenMalformed(hint="Send the token as it was issued: three base64url parts.") from None
    header = cast("dict[str, Any]", parts["header"])
    algorithm, key_id = header.get("alg"), header.get("kid")
    # No critical extension is understood here, and RFC 7515 forbids ignoring one.
    if not isinstance(algorithm, str) or "crit" in header or (key_id is not None and len(key_id) > 256):
        raise TokenMalformed("The token's header is not understood.")
    if algorithm.lower() == "none":
        raise TokenAlgorithmRefused("Unsigned tokens are not accepted.")
    return UnverifiedToken(
        text=text,
        algorithm=algorithm,
        key_id=key_id,
        claims=_read_claims(cast("bytes", parts["payload"])),
    )


def check_signature(token: UnverifiedToken, key: jwt.PyJWK) -> None:
    """Checks the signature with ``key``, whose own algorithm is the only one accepted."""
    try:
        _JWS.decode_complete(token.text, key, algorithms=[key.algorithm_name])
    except jwt.InvalidAlgorithmError:
        raise TokenAlgorithmRefused from None
    except jwt.InvalidSignatureError:
        raise TokenSignatureInvalid from None
    except jwt.InvalidKeyError:
        # A published key that its own algorithm refuses can sign nothing.
        raise TokenKeyUnknown from None
    except jwt.PyJWTError:
        raise TokenMalformed from None


def check_times(claims: Mapping[str, Any], now: datetime, leeway_s: float = LEEWAY_S) -> datetime:
    """Checks ``exp`` (required), ``nbf`` and ``iat``, and returns the moment of expiry."""
    expires_at = _moment(claims, "exp")
    if expires_at is None:
        raise TokenClaimsInvalid("The token has no exp claim.")
    present = now.timestamp()
    if present >= expires_at + leeway_s:
        raise TokenExpired(hint="Sign in again, or refresh the session.")
    for name in ("nbf", "iat"):
        begins_at = _moment(claims, name)
        if begins_at is not None and present < begins_at - leeway_s:
            raise TokenNotYetValid(hint="Compare the clocks of the issuer and of this server.")
    return datetime.fromtimestamp(expires_at, UTC)


def check_audience(claims: Mapping[str, Any], accepted: frozenset[str]) -> None:
    """Refuses a token whose ``aud`` (text or list) names none of ``accepted``; one without it passes."""
    audience = claims.get("aud")
    if audience is None:
        return
    named = [audience] if isinstance(audience, str) else _texts(audience)
    if named is None:
        raise TokenClaimsInvalid("The aud claim is neither text nor a list of texts.")
    if accepted.isdisjoint(named):
        raise TokenAudienceRefused


def text_claim(claims: Mapping[str, Any], name: str, max_chars: int = 255) -> str | None:
    """A claim that is text or absent; the empty text (Supabase's absent email) counts as absent."""
    value = claims.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > max_chars:
        raise TokenClaimsInvalid(f"The {name} claim is not text of at most {max_chars} characters.")
    return value


def object_claim(claims: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A claim that is an object; empty if absent."""
    value = claims.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TokenClaimsInvalid(f"The {name} claim is not an object.")
    return cast("dict[str, Any]", value)


def tenant_of(claims: Mapping[str, Any]) -> str | None:
    """The tenant that the issuer (never the user) wrote into the token."""
    direct = text_claim(claims, "tenant_id", 64)
    nested = text_claim(object_claim(claims, "app_metadata"), "tenant_id", 64)
    if direct is not None and nested is not None and direct != nested:
        raise TokenClaimsInvalid("tenant_id and app_metadata.tenant_id name different tenants.")
    return direct or nested


def scopes_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes in ``scope`` (RFC 8693: separated by spaces) or ``scopes`` (a list), each once."""
    found: dict[str, None] = {}
    for name in ("scope", "scopes"):
        value = claims.get(name)
        if value is None:
            continue
        scopes = value.split() if isinstance(value, str) else _texts(value)
        if (
            scopes is None
            or len(scopes) > _MAX_SCOPES
            or any(not 0 < len(scope) <= 128 for scope in scopes)
        ):
            raise TokenClaimsInvalid(f"The {name} claim is no list of at most {_MAX_SCOPES} scopes.")
        found |= dict.fromkeys(scopes)
    return tuple(found)


def _texts(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    texts = [item for item in items if isinstance(item, str)]
    return texts if len(texts) == len(items) else None


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_MOMENT:
        raise TokenClaimsInvalid(f"The {name} claim is no Unix time in seconds.")
    return value


def _read_claims(payload: bytes) -> dict[str, Any]:
    try:
        claims: object = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
        # Escapes spell characters that the decoder never saw; encoding them again finds lone surrogates.
        json.dumps(claims, ensure_ascii=False).encode("utf-8")
        storable = not _holds_nul(claims)
    except (ValueError, RecursionError):
        raise TokenMalformed("The token's claims are not a storable JSON object.") from None
    if not isinstance(claims, dict):
        raise TokenMalformed("The token's claims are not a JSON object.")
    if not storable:
        raise TokenClaimsInvalid("A claim holds a NUL character.")
    return cast("dict[str, Any]", claims)


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return any("\0" in name or _holds_nul(member) for name, member in members.items())
    return isinstance(value, list) and any(map(_holds_nul, cast("list[object]", value)))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a name given twice, of which two readers could take different values."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is given twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_constant(_: str) -> float:
    raise ValueError("NaN and Infinity are no JSON")
