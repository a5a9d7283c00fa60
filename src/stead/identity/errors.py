"""Each way in which a proof of identity can fail, with a stable code.

None of these errors repeats what was presented: a token or a key that stands in
a response or a log has leaked.
"""

from __future__ import annotations

from stead.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable


class IdentityMisconfigured(Invalid):
    """The identity settings cannot be used.

    Raised while verifiers are built, never in answer to a request.
    """

    code = "identity_misconfigured"


class CredentialsMissing(Unauthenticated):
    """The request carries no proof of identity."""

    code = "credentials_missing"


class TokenMalformed(Unauthenticated):
    """The token is not a well-formed signed JWT."""

    code = "token_malformed"


class TokenAlgorithmRefused(Unauthenticated):
    """The token is signed with an algorithm that is not accepted here."""

    code = "token_algorithm_refused"


class TokenSignatureInvalid(Unauthenticated):
    """The token's signature does not match."""

    code = "token_signature_invalid"


class TokenExpired(Unauthenticated):
    """The token has expired."""

    code = "token_expired"


class TokenNotYetValid(Unauthenticated):
    """The token is not valid yet."""

    code = "token_not_yet_valid"


class TokenIssuerRefused(Unauthenticated):
    """The token was issued by someone who is not trusted here."""

    code = "token_issuer_refused"


class TokenAudienceRefused(Unauthenticated):
    """The token was issued for another audience."""

    code = "token_audience_refused"


class TokenPartyRefused(Unauthenticated):
    """The token was issued to an application that is not on the allowlist."""

    code = "token_party_refused"


class TokenClaimsInvalid(Unauthenticated):
    """A claim in the token is missing or has the wrong form."""

    code = "token_claims_invalid"


class TokenKeyUnknown(Unauthenticated):
    """The token is signed with a key that its issuer does not publish."""

    code = "token_key_unknown"


class JwksUnavailable(Unavailable):
    """The issuer's signing keys cannot be fetched."""

    code = "jwks_unavailable"


class SignatureMissing(Unauthenticated):
    """The request is not signed."""

    code = "signature_missing"


class SignatureInvalid(Unauthenticated):
    """The request's signature does not match."""

    code = "signature_invalid"


class SignatureStale(Unauthenticated):
    """The request was signed too long ago, or in the future."""

    code = "signature_stale"


class SignatureReplayed(Unauthenticated):
    """This signed request was already received."""

    code = "signature_replayed"


class ApiKeyMalformed(Unauthenticated):
    """The API key is misspelt or cut short."""

    code = "api_key_malformed"


class ApiKeyInvalid(Unauthenticated):
    """The API key is unknown, expired or revoked."""

    code = "api_key_invalid"


class TenantMissing(Forbidden):
    """This identity belongs to no tenant."""

    code = "tenant_missing"


class ScopeMissing(Forbidden):
    """This identity lacks a scope that the operation needs."""

    code = "scope_missing"


class RoleNotAllowed(Forbidden):
    """This role may not do that."""

    code = "role_not_allowed"


class TenantMismatch(Forbidden):
    """This identity belongs to another tenant."""

    code = "tenant_mismatch"


class TenantUnknown(NotFound):
    """There is no such tenant."""

    code = "tenant_unknown"


class ApiKeyUnknown(NotFound):
    """There is no such API key."""

    code = "api_key_unknown"


class IdempotencyKeyReused(Conflict):
    """The idempotency key belongs to another request."""

    code = "idempotency_key_reused"
