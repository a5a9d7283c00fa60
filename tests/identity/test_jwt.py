"""Supabase's tokens, Stead's own, and the choice between verifiers."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stead.core.clock import ManualClock
from stead.core.errors import SteadError
from stead.identity import errors
from stead.identity.claims import MAX_TOKEN_CHARS
from stead.identity.jwks import JwksCache
from stead.identity.jwt import ClerkVerifier, CompositeVerifier, SteadTokens, SupabaseVerifier
from tests.servers.jwks import JwksServer, ec_key, rsa_key

SECRET = "a-secret-of-the-project-with-32-bytes-or-more"
ISSUER = "https://project.supabase.co/auth/v1"
NOW = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "5b0c3c7e-3a1e-4a54-9a51-7d4f3f5f8a11",
    "aud": "authenticated",
    "exp": NOW + 3600,
    "iat": NOW,
    "role": "authenticated",
    "email": "ada@example.com",
    "session_id": "a session of Supabase, not of Stead",
    "app_metadata": {"provider": "email", "tenant_id": "tenant-1"},
    "user_metadata": {"tenant_id": "tenant-of-my-choice", "email_verified": True},
}
MISSING = object()


def signed(secret: str | bytes = SECRET, /, **changes: object) -> str:
    """A token as Supabase Auth issues it, with claims changed or (MISSING) left out."""
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not MISSING}
    return jwt.encode(claims, secret)


def raw(header: object, payload: bytes | object, signature: bytes = b"") -> str:
    parts = [
        part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)
    ]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in [*parts, signature])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def shared(clock: ManualClock) -> SupabaseVerifier:
    return SupabaseVerifier(clock=clock, secret=SECRET, issuer=ISSUER)


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    async with JwksServer(rsa_key("r").jwk(), ec_key("e").jwk()) as server:
        yield server


@pytest.fixture
async def cache(server: JwksServer, clock: ManualClock) -> AsyncIterator[JwksCache]:
    async with httpx.AsyncClient() as http:
        cache = JwksCache(server.url, http, clock)
        yield cache
        await cache.aclose()


async def test_a_shared_secret_token(shared: SupabaseVerifier) -> None:
    token = await shared.verify(signed())
    assert token.provider == "supabase"
    assert token.subject == CLAIMS["sub"]
    assert token.role == "authenticated"
    assert token.tenant_id == "tenant-1"
    assert token.session_id is None
    assert token.org_external_id is None
    assert token.email == "ada@example.com"
    assert token.expires_at == datetime.fromtimestamp(NOW + 3600, UTC)
    assert token.claims == CLAIMS
    assert "ada@example.com" not in repr(token)


@pytest.mark.parametrize("key", [rsa_key("r"), ec_key("e")], ids=lambda key: key.alg)
async def test_a_token_signed_with_a_published_key(
    key: Any, cache: JwksCache, clock: ManualClock
) -> None:
    verifier = SupabaseVerifier(clock=clock, jwks=cache, issuer=ISSUER)
    assert (await verifier.verify(key.sign(CLAIMS))).subject == CLAIMS["sub"]
    stranger = type(key)(
        key.kid, key.alg, (rsa_key if key.alg == "RS256" else ec_key)("stranger").private
    )
    with pytest.raises(errors.TokenSignatureInvalid):
        await verifier.verify(stranger.sign(CLAIMS))


async def test_a_project_in_transition_accepts_both(cache: JwksCache, clock: ManualClock) -> None:
    verifier = SupabaseVerifier(clock=clock, secret=SECRET, jwks=cache, issuer=ISSUER)
    for token in (signed(), ec_key("e").sign(CLAIMS), rsa_key("r").sign(CLAIMS)):
        assert (await verifier.verify(token)).tenant_id == "tenant-1"


async def test_a_rotated_key_is_found(server: JwksServer, cache: JwksCache, clock: ManualClock) -> None:
    verifier = SupabaseVerifier(clock=clock, jwks=cache)
    await verifier.verify(ec_key("e").sign(CLAIMS))
    server.keys = [ec_key("next").jwk()]
    with pytest.raises(errors.TokenKeyUnknown):
        await verifier.verify(ec_key("next").sign(CLAIMS))
    clock.advance(10)
    assert (await verifier.verify(ec_key("next").sign(CLAIMS))).role == "authenticated"


async def test_an_issuer_that_is_down_is_unavailable(
    server: JwksServer, cache: JwksCache, clock: ManualClock
) -> None:
    await server.stop()
    with pytest.raises(errors.JwksUnavailable) as caught:
        await SupabaseVerifier(clock=clock, jwks=cache).verify(ec_key("e").sign(CLAIMS))
    assert caught.value.status == 503


# Algorithms


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(
    alg: str, shared: SupabaseVerifier, clock: ManualClock
) -> None:
    for verifier in (shared, SteadTokens(SECRET, clock=clock), CompositeVerifier(supabase=shared)):
        with pytest.raises(errors.TokenAlgorithmRefused):
            await verifier.verify(raw({"alg": alg, "typ": "JWT"}, CLAIMS))


@pytest.mark.parametrize("alg", ["HS384", "HS512", "PS256", "ES384", "EdDSA", "hs256", "HS256 ", ""])
async def test_other_algorithms_are_refused(alg: str, cache: JwksCache, clock: ManualClock) -> None:
    verifier = SupabaseVerifier(clock=clock, secret=SECRET, jwks=cache)
    with pytest.raises(errors.TokenAlgorithmRefused):
        await verifier.verify(raw({"alg": alg, "kid": "r"}, CLAIMS, b"signature"))


async def test_a_shared_secret_where_only_keys_are_configured_and_the_reverse(
    server: JwksServer, cache: JwksCache, shared: SupabaseVerifier, clock: ManualClock
) -> None:
    with pytest.raises(errors.TokenAlgorithmRefused):
        await SupabaseVerifier(clock=clock, jwks=cache).verify(signed())
    with pytest.raises(errors.TokenAlgorithmRefused):
        await shared.verify(ec_key("e").sign(CLAIMS))
    assert server.hits == 0


async def test_a_public_key_is_no_secret(cache: JwksCache, clock: ManualClock) -> None:
    header = {"alg": "HS256", "kid": "r"}
    signing_input = raw(header, CLAIMS).rsplit(".", 1)[0].encode()
    hs256 = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    forged = raw(header, CLAIMS, hs256.sign(signing_input, rsa_key("r").pem()))
    with pytest.raises(errors.TokenAlgorithmRefused):
        await SupabaseVerifier(clock=clock, jwks=cache).verify(forged)
    with pytest.raises(errors.TokenSignatureInvalid):
        await SupabaseVerifier(clock=clock, secret=SECRET, jwks=cache).verify(forged)
    with pytest.raises(errors.IdentityMisconfigured):
        SupabaseVerifier(clock=clock, secret=rsa_key("r").pem())


async def test_a_token_cannot_choose_another_algorithm_for_a_key(
    cache: JwksCache, clock: ManualClock
) -> None:
    verifier = SupabaseVerifier(clock=clock, jwks=cache)
    with pytest.raises(errors.TokenKeyUnknown):
        await verifier.verify(ec_key("r").sign(CLAIMS))


async def test_keys_named_in_the_header_are_not_looked_at(cache: JwksCache, clock: ManualClock) -> None:
    stranger = rsa_key("stranger")
    token = stranger.sign(CLAIMS, kid="r", jwk=stranger.jwk(), jku="http://127.0.0.1:9/jwks.json")
    with pytest.raises(errors.TokenSignatureInvalid):
        await SupabaseVerifier(clock=clock, jwks=cache).verify(token)


async def test_a_critical_extension_is_refused(shared: SupabaseVerifier) -> None:
    with pytest.raises(errors.TokenMalformed):
        await shared.verify(jwt.encode(CLAIMS, SECRET, headers={"crit": ["exp"], "exp": 1}))


# Times


async def test_a_token_ends_with_ten_seconds_of_leeway(
    shared: SupabaseVerifier, clock: ManualClock
) -> None:
    token = signed()
    clock.advance(3609)
    await shared.verify(token)
    clock.advance(1)
    with pytest.raises(errors.TokenExpired):
        await shared.verify(token)


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_a_token_begins_with_ten_seconds_of_leeway(
    name: str, shared: SupabaseVerifier, clock: ManualClock
) -> None:
    token = signed(**{name: NOW + 60.5})
    clock.advance(50)
    with pytest.raises(errors.TokenNotYetValid):
        await shared.verify(token)
    clock.advance(1)
    await shared.verify(token)


# Claims


@pytest.mark.parametrize("audience", ["authenticated", ["x", "authenticated"], MISSING])
async def test_accepted_audiences(audience: object, shared: SupabaseVerifier) -> None:
    assert (await shared.verify(signed(aud=audience))).role == "authenticated"


@pytest.mark.parametrize("audience", ["", "other", ["other"], []])
async def test_refused_audiences(audience: object, shared: SupabaseVerifier) -> None:
    with pytest.raises(errors.TokenAudienceRefused):
        await shared.verify(signed(aud=audience))


@pytest.mark.parametrize(
    "issuer", [MISSING, "", ISSUER + "/", ISSUER.upper(), "supabase", ["x"], 7, None]
)
async def test_refused_issuers(issuer: object, shared: SupabaseVerifier) -> None:
    # PyJWT refuses to write an ill-typed issuer, so these are signed by hand.
    claims = {name: value for name, value in (CLAIMS | {"iss": issuer}).items() if value is not MISSING}
    token = jwt.api_jws.encode(json.dumps(claims).encode(), SECRET)
    with pytest.raises(errors.TokenIssuerRefused):
        await shared.verify(token)
    with pytest.raises(errors.TokenIssuerRefused):
        await CompositeVerifier(supabase=shared).verify(token)


async def test_a_foreign_token_costs_the_issuer_no_fetch(
    server: JwksServer, cache: JwksCache, clock: ManualClock
) -> None:
    verifier = SupabaseVerifier(clock=clock, jwks=cache, issuer=ISSUER)
    with pytest.raises(errors.TokenIssuerRefused):
        await verifier.verify(ec_key("e").sign(CLAIMS | {"iss": "https://elsewhere.example"}))
    assert server.hits == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sub", MISSING),
        ("sub", ""),
        ("sub", 7),
        ("sub", "x" * 256),
        ("exp", MISSING),
        ("exp", None),
        ("exp", "soon"),
        ("exp", True),
        ("exp", -1),
        ("exp", 10**18),
        ("exp", [NOW + 60]),
        ("nbf", "now"),
        ("iat", {}),
        ("aud", 7),
        ("aud", ["authenticated", 7]),
        ("role", 7),
        ("role", ["service_role"]),
        ("role", "x" * 64),
        ("email", 7),
        ("email", "x" * 321),
        ("tenant_id", 7),
        ("tenant_id", "x" * 65),
        ("tenant_id", "another tenant than app_metadata's"),
        ("app_metadata", "text"),
        ("app_metadata", {"tenant_id": {}}),
        ("scope", 7),
        ("scopes", [7]),
        ("scopes", [""]),
        ("scopes", ["x" * 129]),
        ("scopes", ["x"] * 101),
        ("anything", "a\0b"),
        ("anything", {"a\0b": 1}),
        ("anything", [["\0"]]),
    ],
    ids=lambda value: "missing" if value is MISSING else repr(value)[:24],
)
async def test_ill_formed_claims(name: str, value: object, shared: SupabaseVerifier) -> None:
    claims = {key: item for key, item in (CLAIMS | {name: value}).items() if item is not MISSING}
    with pytest.raises(errors.TokenClaimsInvalid):
        await shared.verify(jwt.api_jws.encode(json.dumps(claims).encode(), SECRET))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b"\xff",
        b'{"exp": 1, "exp": 99999999999}',
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"exp": 1e999}',
        b'{"x": "\\ud800"}',
        b'{"exp": ' + b"9" * 5000 + b"}",
        b'{"x":' + b"[" * 3000 + b"]" * 3000 + b"}",
    ],
    ids=lambda payload: payload[:24].decode("latin-1"),
)
async def test_payloads_that_are_no_storable_object(payload: bytes, shared: SupabaseVerifier) -> None:
    with pytest.raises(errors.TokenMalformed):
        await shared.verify(jwt.api_jws.encode(payload, SECRET))


async def test_the_tenant_may_stand_at_the_top(shared: SupabaseVerifier) -> None:
    assert (await shared.verify(signed(tenant_id="t", app_metadata=MISSING))).tenant_id == "t"
    assert (await shared.verify(signed(tenant_id="tenant-1"))).tenant_id == "tenant-1"


async def test_the_tenant_is_never_taken_from_what_users_write(shared: SupabaseVerifier) -> None:
    assert (await shared.verify(signed(app_metadata={}))).tenant_id is None


async def test_scopes(shared: SupabaseVerifier) -> None:
    token = await shared.verify(
        signed(scope="runs:read  runs:write", scopes=["runs:read", "memory:read"])
    )
    assert token.scopes == ("runs:read", "runs:write", "memory:read")
    assert (await shared.verify(signed())).scopes == ()


@pytest.mark.parametrize(
    ("changes", "confirmed", "verified"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"is_anonymous": True}, True, False),
        ({"email": ""}, True, False),
        ({"email": MISSING, "email_verified": True}, True, False),
        ({"email_verified": True}, False, True),
        ({"email_verified": "true"}, False, False),
        ({"app_metadata": {"email_verified": True}}, False, True),
    ],
)
async def test_who_vouches_for_an_email(
    changes: dict[str, Any], confirmed: bool, verified: bool, clock: ManualClock
) -> None:
    verifier = SupabaseVerifier(clock=clock, secret=SECRET, emails_confirmed=confirmed)
    assert (await verifier.verify(signed(**changes))).email_verified is verified


@pytest.mark.parametrize("role", ["anon", "service_role"])
async def test_the_projects_own_keys_name_no_person(role: str, shared: SupabaseVerifier) -> None:
    key = jwt.encode(
        {"iss": "supabase", "ref": "project", "role": role, "iat": NOW, "exp": NOW + 10**8}, SECRET
    )
    token = await shared.verify(key)
    assert (token.role, token.subject, token.tenant_id) == (role, None, None)


async def test_a_project_keys_issuer_serves_nobody_else(shared: SupabaseVerifier) -> None:
    for changes in ({"role": "authenticated"}, {"role": "anon"}, {"role": ["anon"], "sub": MISSING}):
        with pytest.raises(errors.TokenIssuerRefused):
            await shared.verify(signed(iss="supabase", **changes))


async def test_a_token_without_a_role_is_anonymous(shared: SupabaseVerifier) -> None:
    assert (await shared.verify(signed(role=MISSING))).role == "anon"


# Form


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "é.é.é",
        "\0",
        "Bearer x.y.z",
        "\ud800",
        "x" * (MAX_TOKEN_CHARS + 1),
    ],
    ids=lambda text: ascii(text)[:20],
)
async def test_garbage_is_malformed(text: str, shared: SupabaseVerifier) -> None:
    with pytest.raises(errors.TokenMalformed):
        await shared.verify(text)


@pytest.mark.parametrize("around", ["{} ", "\n{}", "{}\0", "{}=", "{}é", "{}.", "{}.{}"])
async def test_nothing_may_stand_around_a_token(around: str, shared: SupabaseVerifier) -> None:
    token = signed()
    with pytest.raises((errors.TokenMalformed, errors.TokenSignatureInvalid)):
        await shared.verify(around.format(token, token))


async def test_a_token_just_short_enough_is_read(shared: SupabaseVerifier) -> None:
    await shared.verify(signed(filler="x" * 5000))
    with pytest.raises(errors.TokenMalformed):
        await shared.verify(signed(filler="x" * 6200))


@pytest.mark.parametrize(
    "header",
    [
        [],
        None,
        "HS256",
        {},
        {"alg": None},
        {"alg": ["HS256"]},
        {"alg": "HS256", "kid": 7},
        {"alg": "HS256", "kid": "k" * 257},
    ],
)
async def test_headers_that_are_not_understood(header: object, shared: SupabaseVerifier) -> None:
    with pytest.raises(errors.TokenMalformed):
        await shared.verify(raw(header, CLAIMS, b"x" * 32))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
claim_names = st.sampled_from(
    [*CLAIMS, "nbf", "scope", "scopes", "tenant_id", "o", "azp", "org_id", "email_verified"]
)


def every_verifier(cache: JwksCache | None = None) -> CompositeVerifier:
    clock = ManualClock()
    supabase = SupabaseVerifier(clock=clock, secret=SECRET, jwks=cache)
    return CompositeVerifier(supabase=supabase, stead=SteadTokens(SECRET, clock=clock))


@given(st.text() | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
async def test_no_text_raises_anything_but_our_errors(text: str) -> None:
    with pytest.raises(SteadError):
        await every_verifier().verify(text)


@given(st.integers(0, 400), st.integers(0, 255))
async def test_no_damaged_token_is_accepted(position: int, byte: int) -> None:
    token = signed()
    position %= len(token)
    for damaged in (token[:position], token[:position] + chr(byte) + token[position + 1 :]):
        if damaged != token:
            with pytest.raises(SteadError):
                await every_verifier().verify(damaged)


@given(st.dictionaries(claim_names, json_values), st.booleans())
@example({"iss": [], "role": {}}, True)
async def test_no_signed_claims_raise_anything_but_our_errors(
    changes: dict[str, Any], own: bool
) -> None:
    claims = CLAIMS | ({"iss": "stead"} if own else {}) | changes
    try:
        token = await every_verifier().verify(jwt.api_jws.encode(json.dumps(claims).encode(), SECRET))
    except SteadError:
        return
    assert token.role
    assert token.expires_at.tzinfo is UTC


@given(
    json_values | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), json_values),
    st.binary(),
)
async def test_no_header_raises_anything_but_our_errors(header: object, payload: bytes) -> None:
    with pytest.raises(SteadError):
        await every_verifier().verify(raw(header, payload, b"x" * 32))


async def test_garbage_keys_in_tokens_raise_only_our_errors(
    cache: JwksCache, server: JwksServer
) -> None:
    verifier = every_verifier(cache)
    for alg in ("RS256", "ES256"):
        for kid in ("r", "e", "", "\0", "é", None):
            for signature in (b"", b"x", b"x" * 64, b"\0" * 64, b"\xff" * 256):
                with pytest.raises(SteadError):
                    await verifier.verify(
                        raw({"alg": alg, **({} if kid is None else {"kid": kid})}, CLAIMS, signature)
                    )
    assert server.hits == 1


# Settings


async def test_unfit_settings_are_refused_while_building(clock: ManualClock) -> None:
    with pytest.raises(errors.IdentityMisconfigured, match="32 bytes"):
        SupabaseVerifier(clock=clock, secret="x" * 31)
    with pytest.raises(errors.IdentityMisconfigured, match="32 bytes"):
        SteadTokens("")
    with pytest.raises(errors.IdentityMisconfigured):
        SupabaseVerifier(clock=clock)
    with pytest.raises(errors.IdentityMisconfigured):
        SteadTokens(SECRET, issuer="")
    with pytest.raises(errors.IdentityMisconfigured):
        CompositeVerifier()
    with pytest.raises(errors.IdentityMisconfigured):
        CompositeVerifier(
            stead=SteadTokens(SECRET),
            supabase=SupabaseVerifier(clock=clock, secret=SECRET, issuer="stead"),
        )


# Stead's own tokens


async def test_a_session_token_holds_its_session(clock: ManualClock) -> None:
    tokens, tenant_id, session_id = SteadTokens(SECRET, clock=clock), uuid4(), uuid4()
    text = tokens.issue_session(tenant_id, session_id, 60)
    token = await tokens.verify(text)
    assert (token.provider, token.role, token.subject) == ("stead", "anon", None)
    assert (token.tenant_id, token.session_id) == (str(tenant_id), str(session_id))
    assert token.expires_at == datetime.fromtimestamp(NOW + 60, UTC)
    assert token.claims["aud"] == "stead-session"
    clock.advance(70)
    with pytest.raises(errors.TokenExpired):
        await tokens.verify(text)
    with pytest.raises(ValueError, match="one second"):
        tokens.issue_session(tenant_id, session_id, 0)


async def test_a_session_of_supabases_is_none_of_steads(clock: ManualClock) -> None:
    claims = {"iss": "stead", "aud": "stead-session", "role": "anon", "session_id": "s", "exp": NOW + 9}
    tokens = SteadTokens(SECRET, clock=clock)
    with pytest.raises(errors.TokenClaimsInvalid):
        await tokens.verify(jwt.encode(claims, SECRET))
    assert (await tokens.verify(jwt.encode(claims | {"stead_session": "s"}, SECRET))).session_id == "s"


@pytest.mark.parametrize("role", ["authenticated", "service_role"])
async def test_a_development_token_passes_for_supabases(role: Any, clock: ManualClock) -> None:
    tokens = SteadTokens(SECRET, clock=clock)
    text = tokens.issue_development("tenant-1", "profile-1", "ada@example.com", role, 60)
    for verifier in (tokens, SupabaseVerifier(clock=clock, secret=SECRET)):
        token = await verifier.verify(text)
        assert (token.role, token.subject, token.tenant_id) == (role, "profile-1", "tenant-1")
        assert (token.email, token.email_verified, token.session_id) == ("ada@example.com", True, None)


async def test_a_development_token_needs_no_email(clock: ManualClock) -> None:
    tokens = SteadTokens(SECRET, clock=clock)
    token = await tokens.verify(tokens.issue_development("t", "p", None, "authenticated", 60))
    assert (token.email, token.email_verified) == (None, False)


async def test_a_session_token_does_not_pass_for_supabases(clock: ManualClock) -> None:
    text = SteadTokens(SECRET, clock=clock).issue_session("t", "s", 60)
    with pytest.raises(errors.TokenAudienceRefused):
        await SupabaseVerifier(clock=clock, secret=SECRET).verify(text)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"role": "service_role"}, errors.TokenClaimsInvalid),
        ({"role": MISSING}, errors.TokenClaimsInvalid),
        ({"aud": "authenticated"}, errors.TokenClaimsInvalid),
        ({"aud": MISSING}, errors.TokenClaimsInvalid),
        ({"aud": ["stead-session"]}, errors.TokenClaimsInvalid),
        ({"aud": "other"}, errors.TokenAudienceRefused),
        ({"stead_session": MISSING}, errors.TokenClaimsInvalid),
        ({"stead_session": MISSING, "sub": "p"}, errors.TokenClaimsInvalid),
        ({"exp": MISSING}, errors.TokenClaimsInvalid),
        ({"iss": "other"}, errors.TokenIssuerRefused),
    ],
)
async def test_own_tokens_of_another_shape(
    changes: dict[str, Any], error: type[SteadError], clock: ManualClock
) -> None:
    claims = {
        "iss": "stead",
        "aud": "stead-session",
        "role": "anon",
        "tenant_id": "t",
        "stead_session": "s",
        "exp": NOW + 9,
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not MISSING}
    with pytest.raises(error):
        await SteadTokens(SECRET, clock=clock).verify(jwt.encode(claims, SECRET))


# The choice


async def test_each_token_goes_to_its_own_verifier(
    server: JwksServer, cache: JwksCache, clock: ManualClock
) -> None:
    own = SteadTokens("another secret, of Stead itself, with 32 bytes", clock=clock)
    clerk = ClerkVerifier(
        issuer="https://clerk.example",
        jwks=cache,
        authorized_parties=["https://app.example"],
        clock=clock,
    )
    supabase = SupabaseVerifier(clock=clock, secret=SECRET)
    composite = CompositeVerifier(stead=own, clerk=clerk, supabase=supabase)
    clerk_claims = {
        "iss": "https://clerk.example",
        "sub": "user_1",
        "azp": "https://app.example",
        "exp": NOW + 60,
    }
    assert (await composite.verify(own.issue_session("t", "s", 60))).provider == "stead"
    assert (await composite.verify(rsa_key("r").sign(clerk_claims))).provider == "clerk"
    assert (await composite.verify(signed())).provider == "supabase"
    # A token that lies about its issuer is checked with that issuer's keys, and no others.
    with pytest.raises(errors.TokenSignatureInvalid):
        await composite.verify(signed(iss="stead"))
    with pytest.raises(errors.TokenAlgorithmRefused):
        await composite.verify(signed(iss="https://clerk.example"))
    with pytest.raises(errors.TokenAlgorithmRefused):
        await composite.verify(rsa_key("r").sign(clerk_claims | {"iss": "stead"}))


async def test_an_issuer_that_nobody_knows(shared: SupabaseVerifier, clock: ManualClock) -> None:
    composite = CompositeVerifier(stead=SteadTokens(SECRET, clock=clock), supabase=shared)
    for text in (signed(iss="https://elsewhere.example"), ec_key("e").sign(CLAIMS | {"iss": "x"})):
        with pytest.raises(errors.TokenIssuerRefused):
            await composite.verify(text)


def test_each_error_has_its_own_code_and_title() -> None:
    mine = [
        item
        for item in vars(errors).values()
        if isinstance(item, type) and item.__module__ == errors.__name__
    ]
    assert len({error.code for error in mine}) == len(mine)
    for error in mine:
        assert error.code == "".join(
            f"_{c.lower()}" if c.isupper() else c for c in error.__name__
        ).lstrip("_")
        assert error.title()
