"""From what a request carries to a Principal."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from stead.core.clock import Clock, system_clock
from stead.core.ids import parse_id
from stead.db import NOBODY, Database
from stead.identity import keys, profiles, queries, signatures, tenants
from stead.identity.errors import (
    CredentialsMissing,
    RoleNotAllowed,
    SignatureMissing,
    SignatureReplayed,
    TenantMissing,
    TokenClaimsInvalid,
)
from stead.identity.jwt import SteadTokens, TokenVerifier, VerifiedToken
from stead.identity.models import Principal, Tenant, anonymous, tenant_service

API_KEY_PREFIX = "sk_stead_"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a request brought along.

    Args:
        bearer: The token of the Authorization header.
        session_token: A session's token, from its header or cookie.
        signature: The ``webhook-*`` headers of a signed internal call, by lower-case name.
        body: The raw body, which such a signature covers.
    """

    bearer: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    signature: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class HeldSession:
    """A session whose token was presented."""

    tenant_id: UUID
    session_id: UUID


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who it is, and until when that is proven.

    Args:
        expires_at: When the token ends; None: it does not, or is a key, which may be revoked at any time.
    """

    principal: Principal
    expires_at: datetime | None = None


class Authenticator:
    """Verifies credentials and finds their tenant and profile.

    Args:
        db: Where tenants, profiles and keys are.
        verifier: Checks bearer tokens.
        session_tokens: Issues and checks the tokens of anonymous sessions.
        service_secret: Key of signed internal calls; None refuses them all.
        clock: For signatures and the cache.
        cache_s: How long an identity that was looked up is believed without asking the database again.
    """

    def __init__(
        self,
        db: Database,
        *,
        verifier: TokenVerifier,
        session_tokens: SteadTokens,
        service_secret: str | None,
        clock: Clock = system_clock,
        cache_s: float = 30.0,
    ) -> None:
        self._db = db
        self._verifier = verifier
        self.session_tokens = session_tokens
        self._service_secret = service_secret
        self._clock = clock
        self._cache_s = cache_s
        self._cache: OrderedDict[tuple[object, ...], tuple[float, Principal]] = OrderedDict()

    async def authenticate(self, credentials: Credentials) -> Principal:
        """Who this is.

        Raises:
            CredentialsMissing: Nothing was presented.
            Unauthenticated: What was presented does not prove anything; the subclass says why.
            Forbidden: It does, but its identity has no place here.
        """
        return (await self.admit(credentials)).principal

    async def admit(self, credentials: Credentials) -> Admission:
        """Who this is and until when, for what goes on for a while.

        Raises:
            CredentialsMissing, Unauthenticated, Forbidden: As `authenticate`.
        """
        if credentials.signature:
            return Admission(principal=await self._signed(credentials))
        session: VerifiedToken | None = None
        if credentials.session_token is not None:
            session = await self.session_tokens.verify(credentials.session_token)
        held = _held(session) if session else None
        if credentials.bearer is None:
            if held is None or session is None:
                raise CredentialsMissing(
                    "this needs an Authorization: Bearer token, an API key or a session token",
                    hint="`stead token` prints a development token.",
                )
            return Admission(principal=await self._holder(held), expires_at=session.expires_at)
        if credentials.bearer.startswith(API_KEY_PREFIX):
            async with self._db.transaction(NOBODY) as tx:
                return Admission(principal=await keys.authenticate(tx, credentials.bearer))
        token = await self._verifier.verify(credentials.bearer)
        if token.session_id is not None:
            principal = await self._holder(_held(token))
        else:
            principal = await self._person(token, held)
        return Admission(principal=principal, expires_at=token.expires_at)

    async def held_session(self, session_token: str | None) -> HeldSession | None:
        """The session that a session token holds, if one was presented."""
        if session_token is None:
            return None
        return _held(await self.session_tokens.verify(session_token))

    async def _holder(self, held: HeldSession) -> Principal:
        key = ("session", held)
        if (known := self._known(key)) is not None:
            return known
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            tenant = await tenants.find_by_id(tx, held.tenant_id)
        if tenant is None:
            raise TenantMissing("the organisation of this session is gone")
        return self._remember(key, anonymous(tenant, held.session_id))

    async def _signed(self, credentials: Credentials) -> Principal:
        if not self._service_secret:
            raise SignatureMissing(
                "signed calls are not set up here", hint="Set STEAD_SERVICE_SECRET on both sides."
            )
        message_id = signatures.verify(
            self._service_secret, credentials.signature, credentials.body, self._clock
        )
        # The signature covers the id, so the tenant stands there: "<slug>:<unique>".
        slug, _, unique = message_id.partition(":")
        if not unique:
            raise TokenClaimsInvalid(
                "the webhook-id of a signed call is <tenant slug>:<unique text>",
                hint="Put the tenant's slug and a colon before the unique part.",
            )
        async with self._db.transaction(NOBODY) as tx:
            tenant = await tenants.find(tx, slug)
            if not await queries.use_signature(tx, message_id):
                raise SignatureReplayed
        return tenant_service(tenant, credential="signed")

    async def _person(self, token: VerifiedToken, held: HeldSession | None) -> Principal:
        key = (token.provider, token.subject, token.role, token.tenant_id, token.org_external_id,
               token.email, token.email_verified, held, token.scopes)  # fmt: skip
        if (known := self._known(key)) is not None:
            return known
        tenant = await self._tenant_of(token, held)
        if token.role == "service_role":
            return self._remember(
                key,
                tenant_service(
                    tenant,
                    credential=f"token:{token.subject or token.provider}",
                    scopes=frozenset(token.scopes),
                ),
            )
        if token.role != "authenticated" or token.subject is None:
            raise RoleNotAllowed(
                f"the role {token.role!r} opens nothing here", hint="Sign in, or create a session."
            )
        email = token.email.lower() if token.email and token.email_verified else None
        async with self._db.transaction(tenant_service(tenant)) as tx:
            profile = await profiles.ensure(tx, tenant, token.subject, email)
        return self._remember(
            key,
            Principal(
                kind="user",
                tenant=tenant,
                role="authenticated",
                profile_id=profile.id,
                session_id=held.session_id if held and held.tenant_id == tenant.id else None,
                external_id=None if parse_id(token.subject) else token.subject,
                email=token.email,
                email_verified=token.email_verified,
                credential=token.provider,
            ),
        )

    async def _tenant_of(self, token: VerifiedToken, held: HeldSession | None) -> Tenant:
        """By claim, else by organisation, else by the profile, else by the session held beside it."""
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            tenant: Tenant | None = None
            if token.tenant_id is not None:
                named = parse_id(token.tenant_id)
                tenant = await tenants.find_by_id(tx, named) if named else None
            elif token.org_external_id is not None:
                tenant = await tenants.find_by_org(tx, token.org_external_id)
            else:
                subject = parse_id(token.subject or "")
                if subject is not None:
                    tenant = await tenants.find_by_profile(tx, subject)
                if tenant is None and held is not None:
                    tenant = await tenants.find_by_id(tx, held.tenant_id)
        if tenant is None:
            raise TenantMissing(
                "the token names no organisation that is known here",
                hint="Put tenant_id into app_metadata (Supabase), or sign in with an organisation (Clerk) "
                "whose id is a tenant's external_org_id.",
            )
        return tenant

    def _known(self, key: tuple[object, ...]) -> Principal | None:
        entry = self._cache.get(key)
        if entry is None or entry[0] < self._clock.monotonic_s():
            return None
        self._cache.move_to_end(key)
        return entry[1]

    def _remember(self, key: tuple[object, ...], principal: Principal) -> Principal:
        self._cache[key] = (self._clock.monotonic_s() + self._cache_s, principal)
        while len(self._cache) > 10_000:
            self._cache.popitem(last=False)
        return principal


def _held(token: VerifiedToken) -> HeldSession:
    tenant_id = parse_id(token.tenant_id or "")
    session_id = parse_id(token.session_id or "")
    if tenant_id is None or session_id is None:
        raise TokenClaimsInvalid("this is no session token")
    return HeldSession(tenant_id=tenant_id, session_id=session_id)
