"""Session tokens of Clerk, in both versions of their claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

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
    TokenPartyRefused,
)
from stead.identity.jwks import JwksCache


@dataclass(frozen=True, kw_only=True)
class ClerkOrganization:
    """The organization that was active when a token was issued; ``role`` is without ``org:``."""

    id: str
    slug: str | None
    role: str | None


class ClerkVerifier:
    """Checks session tokens of one Clerk instance.

    The role is always ``authenticated``: what an instance writes into a ``role`` claim is its own affair
    and no PostgreSQL role.

    Args:
        issuer: The Frontend API's address, as it stands in ``iss``.
        jwks: Its published keys (``/.well-known/jwks.json``).
        authorized_parties: The origins whose tokens are accepted (``azp``).
        clock: Tells the time that ``exp`` and ``nbf`` are compared with.
        allow_missing_party: Accept tokens without ``azp``. Clerk leaves it out where the browser sent no
            Origin, as native applications do.
        audiences: Which ``aud`` to accept where a token has one (session tokens have none by default).
        leeway_s: How far the clocks of the two servers may differ, in seconds.

    Raises:
        IdentityMisconfigured: The issuer or the list of parties is empty.
    """

    def __init__(
        self,
        *,
        issuer: str,
        jwks: JwksCache,
        authorized_parties: Collection[str],
        clock: Clock,
        allow_missing_party: bool = False,
        audiences: Collection[str] = (),
        leeway_s: float = LEEWAY_S,
    ) -> None:
        if not issuer or not authorized_parties or isinstance(authorized_parties, str):
            raise IdentityMisconfigured(
                "Clerk tokens need the issuer and the list of origins that may present them."
            )
        self.issuer = issuer
        self._jwks = jwks
        self._parties = frozenset(authorized_parties)
        self._clock = clock
        self._allow_missing_party = allow_missing_party
        self._audiences = frozenset(audiences)
        self._leeway_s = leeway_s

    def recognises(self, token: UnverifiedToken) -> bool:
        """Whether the token claims to come from this instance."""
        return token.issuer == self.issuer

    async def verify(self, text: str) -> VerifiedToken:
        """Checks a token and returns what it proves.

        Raises:
            Unauthenticated: One of the ``token_…`` errors.
            JwksUnavailable: The key is not known and Clerk does not answer.
        """
        token = take_apart(text)
        if token.algorithm != "RS256":
            raise TokenAlgorithmRefused("Clerk signs with RS256 only.")
        # Before any fetch: a stranger's token costs the issuer nothing.
        if not self.recognises(token):
            raise TokenIssuerRefused
        check_signature(token, await self._jwks.key(token.key_id, "RS256"))
        claims = token.claims
        expires_at = check_times(claims, self._clock.now(), self._leeway_s)
        check_audience(claims, self._audiences)
        self._check_party(claims)
        subject = text_claim(claims, "sub")
        if subject is None:
            raise TokenClaimsInvalid("The token has no sub claim.")
        # A pending session has yet to choose an organization or set up a second factor.
        if claims.get("sts") == "pending":
            raise TokenClaimsInvalid("The session is pending: the sign-in is not complete.")
        organization = clerk_organization(claims)
        email = text_claim(claims, "email", 320)
        return VerifiedToken(
            provider="clerk",
            subject=subject,
            role="authenticated",
            tenant_id=tenant_of(claims),
            org_external_id=None if organization is None else organization.id,
            session_id=None,
            email=email,
            email_verified=email is not None and claims.get("email_verified") is True,
            scopes=scopes_of(claims),
            expires_at=expires_at,
            claims=claims,
        )

    def _check_party(self, claims: Mapping[str, Any]) -> None:
        party = text_claim(claims, "azp", 2048)
        if party not in self._parties and not (party is None and self._allow_missing_party):
            raise TokenPartyRefused(hint="Add the application's origin to the allowlist of parties.")


def clerk_organization(claims: Mapping[str, Any]) -> ClerkOrganization | None:
    """The active organization: ``o`` (version 2) or ``org_id``, ``org_slug``, ``org_role`` (version 1).

    Raises:
        TokenClaimsInvalid: One of them has the wrong form.
    """
    if "o" in claims:
        source, names = object_claim(claims, "o"), ("id", "slg", "rol")
    else:
        source, names = claims, ("org_id", "org_slug", "org_role")
    organization_id, slug, role = (text_claim(source, name) for name in names)
    if organization_id is None:
        return None
    return ClerkOrganization(id=organization_id, slug=slug, role=role and role.removeprefix("org:"))
