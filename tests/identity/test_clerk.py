"""Clerk's session tokens: issuer, party, times and both versions of the organization claims."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.core.clock import ManualClock
from stead.core.errors import SteadError
from stead.identity import errors
from stead.identity.jwks import JwksCache
from stead.identity.jwt import ClerkOrganization, ClerkVerifier, clerk_organization
from tests.servers.jwks import JwksServer, ec_key, rsa_key

ISSUER = "https://clerk.example.com"
APP = "https://app.example.com"
NOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
CLAIMS: dict[str, Any] = {
    "v": 2,
    "iss": ISSUER,
    "sub": "user_1",
    "sid": "sess_1",
    "azp": APP,
    "iat": NOW,
    "nbf": NOW - 10,
    "exp": NOW + 60,
    "sts": "active",
    "o": {"id": "org_1", "slg": "acme", "rol": "admin"},
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name not in names}


def signed(claims: dict[str, Any] | None = None, /, **changes: object) -> str:
    return rsa_key("ins_1").sign((CLAIMS if claims is None else claims) | changes)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    async with JwksServer(rsa_key("ins_1").jwk()) as server:
        yield server


@pytest.fixture
async def cache(server: JwksServer, clock: ManualClock) -> AsyncIterator[JwksCache]:
    async with httpx.AsyncClient() as http:
        cache = JwksCache(server.url, http, clock)
        yield cache
        await cache.aclose()


@pytest.fixture
def verifier(cache: JwksCache, clock: ManualClock) -> ClerkVerifier:
    return ClerkVerifier(issuer=ISSUER, jwks=cache, authorized_parties=[APP], clock=clock)


async def test_a_session_token(verifier: ClerkVerifier) -> None:
    token = await verifier.verify(signed())
    assert token.provider == "clerk"
    assert token.subject == "user_1"
    assert token.role == "authenticated"
    assert token.org_external_id == "org_1"
    assert (token.tenant_id, token.session_id, token.email, token.email_verified) == (
        None,
        None,
        None,
        False,
    )
    assert token.expires_at == datetime.fromtimestamp(NOW + 60, UTC)


async def test_organizations_of_version_1(verifier: ClerkVerifier) -> None:
    claims = without("v", "o") | {"org_id": "org_2", "org_slug": "acme", "org_role": "org:member"}
    token = await verifier.verify(signed(claims))
    assert token.org_external_id == "org_2"
    assert clerk_organization(token.claims) == ClerkOrganization(id="org_2", slug="acme", role="member")


def test_both_versions_read_alike() -> None:
    expected = ClerkOrganization(id="org_1", slug="acme", role="admin")
    assert clerk_organization(CLAIMS) == expected
    assert (
        clerk_organization({"org_id": "org_1", "org_slug": "acme", "org_role": "org:admin"}) == expected
    )
    assert clerk_organization({"org_id": "org_1"}) == ClerkOrganization(id="org_1", slug=None, role=None)


async def test_without_an_active_organization(verifier: ClerkVerifier) -> None:
    assert (await verifier.verify(signed(without("o")))).org_external_id is None


async def test_custom_claims(verifier: ClerkVerifier) -> None:
    token = await verifier.verify(
        signed(email="ada@example.com", email_verified=True, tenant_id="t", scope="runs:read")
    )
    assert (token.email, token.email_verified) == ("ada@example.com", True)
    assert (token.tenant_id, token.scopes) == ("t", ("runs:read",))


async def test_a_role_claim_raises_nobody(verifier: ClerkVerifier) -> None:
    assert (await verifier.verify(signed(role="service_role"))).role == "authenticated"


@pytest.mark.parametrize("party", ["https://evil.example", APP + "/", APP.upper(), "", None])
async def test_a_party_that_is_not_listed(verifier: ClerkVerifier, party: str | None) -> None:
    with pytest.raises(errors.TokenPartyRefused):
        await verifier.verify(signed(azp=party))


async def test_a_missing_party_is_refused_unless_allowed(
    verifier: ClerkVerifier, cache: JwksCache, clock: ManualClock
) -> None:
    with pytest.raises(errors.TokenPartyRefused):
        await verifier.verify(signed(without("azp")))
    lenient = ClerkVerifier(
        issuer=ISSUER, jwks=cache, authorized_parties=[APP], clock=clock, allow_missing_party=True
    )
    assert (await lenient.verify(signed(without("azp")))).subject == "user_1"
    with pytest.raises(errors.TokenPartyRefused):
        await lenient.verify(signed(azp="https://evil.example"))


@pytest.mark.parametrize("issuer", ["https://other.example.com", ISSUER + "/", ""])
async def test_another_issuer_is_refused_without_a_fetch(
    verifier: ClerkVerifier, server: JwksServer, issuer: str
) -> None:
    with pytest.raises(errors.TokenIssuerRefused):
        await verifier.verify(signed(iss=issuer))
    assert server.hits == 0


async def test_a_missing_issuer_is_refused(verifier: ClerkVerifier) -> None:
    with pytest.raises(errors.TokenIssuerRefused):
        await verifier.verify(signed(without("iss")))


async def test_times(verifier: ClerkVerifier, clock: ManualClock) -> None:
    token = signed(nbf=NOW + 20)
    with pytest.raises(errors.TokenNotYetValid):
        await verifier.verify(token)
    clock.advance(10)
    await verifier.verify(token)
    clock.advance(60)
    with pytest.raises(errors.TokenExpired):
        await verifier.verify(token)


async def test_an_audience_must_be_expected(
    verifier: ClerkVerifier, cache: JwksCache, clock: ManualClock
) -> None:
    with pytest.raises(errors.TokenAudienceRefused):
        await verifier.verify(signed(aud="another-service"))
    expecting = ClerkVerifier(
        issuer=ISSUER, jwks=cache, authorized_parties=[APP], clock=clock, audiences=["stead"]
    )
    for token in (signed(aud=["stead"]), signed()):
        assert (await expecting.verify(token)).subject == "user_1"


async def test_only_rs256(verifier: ClerkVerifier, server: JwksServer) -> None:
    server.keys.append(ec_key("ins_2").jwk())
    with pytest.raises(errors.TokenAlgorithmRefused):
        await verifier.verify(ec_key("ins_2").sign(CLAIMS))


async def test_another_instances_key(verifier: ClerkVerifier) -> None:
    with pytest.raises(errors.TokenKeyUnknown):
        await verifier.verify(rsa_key("ins_2").sign(CLAIMS))


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": ""},
        {"azp": [APP]},
        {"sts": "pending"},
        {"o": "org_1"},
        {"o": ["org_1"]},
        {"o": {"id": 7}},
        {"o": {"id": "org_1", "rol": {}}},
        {"o": {"id": "x" * 256}},
        {"email": {}},
    ],
    ids=str,
)
async def test_ill_formed_claims(verifier: ClerkVerifier, changes: dict[str, Any]) -> None:
    with pytest.raises(errors.TokenClaimsInvalid):
        await verifier.verify(signed(**changes))


async def test_unfit_settings_are_refused(cache: JwksCache, clock: ManualClock) -> None:
    for issuer, parties in (("", [APP]), (ISSUER, []), (ISSUER, APP)):
        with pytest.raises(errors.IdentityMisconfigured):
            ClerkVerifier(issuer=issuer, jwks=cache, authorized_parties=parties, clock=clock)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["id", "slg", "rol", "o", "org_id"]), inner)
        ),
        max_leaves=6,
    )
)
def test_no_organization_claim_raises_anything_but_our_errors(value: object) -> None:
    for claims in ({"o": value}, {"org_id": value}, {"org_id": "o", "org_role": value}):
        try:
            organization = clerk_organization(claims)
        except SteadError:
            continue
        assert organization is None or organization.id
