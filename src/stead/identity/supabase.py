"""Tokens of Supabase Auth, and the project's own ``anon`` and ``service_role`` keys."""

from __future__ import annotations

import jwt

from stead.core.clock import Clock
from stead.identity.claims import (
    LEEWAY_S,
    UnverifiedToken,
    VerifiedToken,
    check_audience,
    check_signature,
    check_times,
    object_claim,
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
from stead.identity.jwks import JwksCache
from stead.identity.shared_secret import shared_key

# Project keys are signed with the project's secret, name no person and carry a constant issuer.
# Tuples: what is looked up in them is unproven JSON and need not be hashable.
_ROLES_WITHOUT_SUBJECT = ("anon", "service_role")
_PROJECT_KEY_ISSUERS = ("supabase", "supabase-demo")


class SupabaseVerifier:
    """Checks tokens of one Supabase project.

    Which algorithms are accepted follows from what is configured: HS256 only with a secret, ES256 and
    RS256 only with published keys of that type.

    Args:
        clock: Tells the time that ``exp`` and ``nbf`` are compared with.
        secret: The project's JWT secret (legacy projects, self-hosted ones), at least 32 bytes.
        jwks: The project's published keys (``/auth/v1/.well-known/jwks.json``).
        issuer: ``https://<project>.supabase.co/auth/v1``; None accepts any issuer.
        audience: Which ``aud`` to accept where a token has one.
        leeway_s: How far the clocks of the two servers may differ, in seconds.
        emails_confirmed: Whether the project demands confirmed addresses ("Confirm email" is on, no
            provider may bring unverified ones). A standard token does not say whether its address was
            verified (``user_metadata.email_verified`` is written by the user), so that without this only
            an ``email_verified`` put at the top or into ``app_metadata`` by an access token hook counts.

    Raises:
        IdentityMisconfigured: Neither a secret nor keys are given, or the secret is too short.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        secret: str | bytes | None = None,
        jwks: JwksCache | None = None,
        issuer: str | None = None,
        audience: str = "authenticated",
        leeway_s: float = LEEWAY_S,
        emails_confirmed: bool = False,
    ) -> None:
        if secret is None and jwks is None:
            raise IdentityMisconfigured(
                "Supabase tokens need the project's JWT secret or its key set (JWKS)."
            )
        self.issuer = issuer
        self._clock = clock
        self._shared_key = None if secret is None else shared_key(secret)
        self._jwks = jwks
        self._audience = frozenset({audience})
        self._leeway_s = leeway_s
        self._emails_confirmed = emails_confirmed

    def recognises(self, token: UnverifiedToken) -> bool:
        """Whether the token claims to come from this project."""
        return self.issuer is None or token.issuer == self.issuer or self._is_project_key(token)

    async def verify(self, text: str) -> VerifiedToken:
        """Checks a token and returns what it proves.

        Raises:
            Unauthenticated: One of the ``token_…`` errors.
            JwksUnavailable: The key is not known and the issuer does not answer.
        """
        token = take_apart(text)
        key = await self._key_for(token)
        check_signature(token, key)
        claims = token.claims
        expires_at = check_times(claims, self._clock.now(), self._leeway_s)
        check_audience(claims, self._audience)
        role = text_claim(claims, "role", 63) or "anon"  # PostgREST's reading of a token without a role
        subject = text_claim(claims, "sub")
        if subject is None and role not in _ROLES_WITHOUT_SUBJECT:
            raise TokenClaimsInvalid("The token has no sub claim.")
        email = text_claim(claims, "email", 320)
        return VerifiedToken(
            provider="supabase",
            subject=subject,
            role=role,
            tenant_id=tenant_of(claims),
            org_external_id=None,
            session_id=None,
            email=email,
            email_verified=email is not None and self._vouches_for_email(token),
            scopes=scopes_of(claims),
            expires_at=expires_at,
            claims=claims,
        )

    async def _key_for(self, token: UnverifiedToken) -> jwt.PyJWK:
        by_algorithm = {"HS256": self._shared_key, "RS256": self._jwks, "ES256": self._jwks}
        source = by_algorithm.get(token.algorithm)
        if source is None:
            raise TokenAlgorithmRefused(
                hint="Configure the project's secret for HS256, or its key set for RS256 and ES256."
            )
        # Before any fetch: a stranger's token costs the issuer nothing.
        if not self.recognises(token):
            raise TokenIssuerRefused
        return (
            await source.key(token.key_id, token.algorithm) if isinstance(source, JwksCache) else source
        )

    def _is_project_key(self, token: UnverifiedToken) -> bool:
        return (
            token.algorithm == "HS256"
            and token.issuer in _PROJECT_KEY_ISSUERS
            and token.claims.get("role") in _ROLES_WITHOUT_SUBJECT
            and "sub" not in token.claims
        )

    def _vouches_for_email(self, token: UnverifiedToken) -> bool:
        claims = token.claims
        return (
            claims.get("email_verified") is True
            or object_claim(claims, "app_metadata").get("email_verified") is True
            or (self._emails_confirmed and claims.get("is_anonymous") is not True)
        )
