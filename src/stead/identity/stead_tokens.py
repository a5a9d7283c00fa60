"""Stead's own tokens: for anonymous sessions, and for development without an identity provider."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import jwt

from stead.core.clock import Clock, system_clock
from stead.identity.claims import (
    LEEWAY_S,
    UnverifiedToken,
    VerifiedToken,
    check_audience,
    check_signature,
    check_times,
    scopes_of,
    take_apart,
    tenant_of,
    text_claim,
)
from stead.identity.errors import (
    IdentityMisconfigured,
    TokenAlgorithmRefused,
    TokenClaimsInvalid,
    TokenIssuerRefused,
)
from stead.identity.shared_secret import shared_key

SESSION_AUDIENCE = "stead-session"
DEVELOPMENT_AUDIENCE = "authenticated"
_ROLES = {
    SESSION_AUDIENCE: frozenset({"anon"}),
    DEVELOPMENT_AUDIENCE: frozenset({"authenticated", "service_role"}),
}


class SteadTokens:
    """Issues and verifies HS256 tokens of Stead itself.

    Args:
        secret: At least 32 bytes. Give Supabase's JWT secret, and PostgREST and Realtime accept
            development tokens too.
        issuer: The ``iss`` of all tokens.
        clock: Tells when tokens are issued and whether they have ended.

    Raises:
        IdentityMisconfigured: The secret is too short, or the issuer empty.
    """

    def __init__(self, secret: str | bytes, issuer: str = "stead", clock: Clock = system_clock) -> None:
        if not issuer:
            raise IdentityMisconfigured("Stead's own tokens need an issuer.")
        self.issuer = issuer
        self._key = shared_key(secret)
        self._clock = clock

    def issue_session(self, tenant_id: UUID | str, session_id: UUID | str, ttl_s: int) -> str:
        """A token that holds one anonymous session for ``ttl_s`` seconds, for whoever presents it."""
        return self._issue(
            ttl_s,
            aud=SESSION_AUDIENCE,
            role="anon",
            tenant_id=str(tenant_id),
            stead_session=str(session_id),
        )

    def issue_development(
        self,
        tenant_id: UUID | str,
        profile_id: UUID | str,
        email: str | None,
        role: Literal["authenticated", "service_role"],
        ttl_s: int,
    ) -> str:
        """A token in the shape of Supabase Auth's, valid for ``ttl_s`` seconds.

        Its email counts as verified: whoever holds the secret may say so.
        """
        return self._issue(
            ttl_s,
            aud=DEVELOPMENT_AUDIENCE,
            role=role,
            sub=str(profile_id),
            tenant_id=str(tenant_id),
            email=email or "",
            email_verified=bool(email),
            phone="",
            is_anonymous=False,
            aal="aal1",
            app_metadata={"provider": "stead", "providers": ["stead"], "tenant_id": str(tenant_id)},
            user_metadata={},
        )

    def recognises(self, token: UnverifiedToken) -> bool:
        """Whether the token claims to come from Stead."""
        return token.issuer == self.issuer

    async def verify(self, text: str) -> VerifiedToken:
        """Checks a token and returns what it proves.

        Raises:
            Unauthenticated: One of the ``token_…`` errors.
        """
        token = take_apart(text)
        if token.algorithm != "HS256":
            raise TokenAlgorithmRefused("Stead's own tokens are signed with HS256 only.")
        if not self.recognises(token):
            raise TokenIssuerRefused
        check_signature(token, self._key)
        expires_at = check_times(token.claims, self._clock.now(), LEEWAY_S)
        check_audience(token.claims, frozenset(_ROLES))
        return self._read(token.claims, expires_at)

    def _read(self, claims: dict[str, Any], expires_at: datetime) -> VerifiedToken:
        audience = text_claim(claims, "aud") or ""
        role = text_claim(claims, "role", 63)
        if role is None or role not in _ROLES.get(audience, frozenset()):
            raise TokenClaimsInvalid("The role does not fit the token's audience.")
        is_session = audience == SESSION_AUDIENCE
        session_id = text_claim(claims, "stead_session", 64) if is_session else None
        subject = None if is_session else text_claim(claims, "sub")
        if session_id is None and subject is None:
            raise TokenClaimsInvalid("The token names neither a session nor a person.")
        email = text_claim(claims, "email", 320)
        return VerifiedToken(
            provider="stead",
            subject=subject,
            role=role,
            tenant_id=tenant_of(claims),
            org_external_id=None,
            session_id=session_id,
            email=email,
            email_verified=email is not None and claims.get("email_verified") is True,
            scopes=scopes_of(claims),
            expires_at=expires_at,
            claims=claims,
        )

    def _issue(self, ttl_s: int, **claims: object) -> str:
        if ttl_s <= 0:
            raise ValueError("A token must live for at least one second")
        issued_at = int(self._clock.now().timestamp())
        times = {"iat": issued_at, "exp": issued_at + ttl_s}
        return jwt.encode({"iss": self.issuer, **claims, **times, "jti": str(uuid4())}, self._key)
