"""Which verifier a token goes to, and the verifiers themselves under one roof."""

from __future__ import annotations

from typing import Protocol

from stead.identity.claims import UnverifiedToken, VerifiedToken, take_apart
from stead.identity.clerk import ClerkOrganization, ClerkVerifier, clerk_organization
from stead.identity.errors import IdentityMisconfigured, TokenIssuerRefused
from stead.identity.stead_tokens import SteadTokens
from stead.identity.supabase import SupabaseVerifier

__all__ = [
    "ClerkOrganization",
    "ClerkVerifier",
    "CompositeVerifier",
    "SteadTokens",
    "SupabaseVerifier",
    "TokenVerifier",
    "VerifiedToken",
    "clerk_organization",
]


class TokenVerifier(Protocol):
    """Whatever checks tokens."""

    async def verify(self, text: str) -> VerifiedToken:
        """Checks a token and returns what it proves.

        Raises:
            Unauthenticated: One of the ``token_…`` errors.
            JwksUnavailable: The key is not known and the issuer does not answer.
        """
        ...


class CompositeVerifier:
    """Hands each token to the one verifier that its (not yet proven) issuer points to.

    The pointer is harmless: the chosen verifier checks the token in full with its own keys and no other,
    so that a token that lies about its issuer fails there. Verifiers are never tried in turn: the error
    would be that of the last one, and a weak one would weaken all.

    Args:
        stead: Stead's own tokens.
        clerk: A Clerk instance.
        supabase: A Supabase project; asked last, since without an issuer it takes every token.

    Raises:
        IdentityMisconfigured: No verifier is given, or two have the same issuer.
    """

    def __init__(
        self,
        *,
        stead: SteadTokens | None = None,
        clerk: ClerkVerifier | None = None,
        supabase: SupabaseVerifier | None = None,
    ) -> None:
        self._verifiers = [verifier for verifier in (stead, clerk, supabase) if verifier is not None]
        issuers = [verifier.issuer for verifier in self._verifiers]
        if not issuers or len(set(issuers)) != len(issuers):
            raise IdentityMisconfigured(
                "Token verifiers need at least one issuer, and each a different one."
            )

    async def verify(self, text: str) -> VerifiedToken:
        """As `TokenVerifier.verify`; `TokenIssuerRefused` if no verifier knows the issuer."""
        return await self._choose(take_apart(text)).verify(text)

    def _choose(self, token: UnverifiedToken) -> TokenVerifier:
        for verifier in self._verifiers:
            if verifier.recognises(token):
                return verifier
        raise TokenIssuerRefused(hint="Configure the issuer, or sign in where this server expects it.")
