"""The key cache against a real issuer: few fetches, rotation, outages, hostile key sets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from stead.core.clock import ManualClock
from stead.identity import jwks
from stead.identity.errors import IdentityMisconfigured, JwksUnavailable, TokenKeyUnknown
from stead.identity.jwks import JwksCache
from tests.servers.jwks import JwksServer, ec_key, rsa_key


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def server() -> AsyncIterator[JwksServer]:
    async with JwksServer(rsa_key("a").jwk(), ec_key("b").jwk()) as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as http:
        yield http


@pytest.fixture
async def cache(
    server: JwksServer, http: httpx.AsyncClient, clock: ManualClock
) -> AsyncIterator[JwksCache]:
    cache = JwksCache(server.url, http, clock)
    yield cache
    await cache.aclose()


async def test_fetches_once_and_keeps_the_keys(cache: JwksCache, server: JwksServer) -> None:
    assert (await cache.key("a", "RS256")).algorithm_name == "RS256"
    assert (await cache.key("b", "ES256")).algorithm_name == "ES256"
    assert server.hits == 1


async def test_many_callers_cause_one_fetch(cache: JwksCache, server: JwksServer) -> None:
    server.gate.clear()
    callers = [asyncio.create_task(cache.key("a", "RS256")) for _ in range(50)]
    await server.arrived.wait()
    server.gate.set()
    assert len({id(key) for key in await asyncio.gather(*callers)}) == 1
    assert server.hits == 1


async def test_a_caller_that_goes_away_does_not_cancel_the_others(
    cache: JwksCache, server: JwksServer
) -> None:
    server.gate.clear()
    leaver, stayer = (asyncio.create_task(cache.key("a", "RS256")) for _ in range(2))
    await server.arrived.wait()
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    server.gate.set()
    assert (await stayer).key_id == "a"
    assert server.hits == 1


async def test_fetches_again_after_the_ttl_and_drops_withdrawn_keys(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    await cache.key("a", "RS256")
    server.keys = [rsa_key("new").jwk()]
    clock.advance(599)
    assert (await cache.key("a", "RS256")).key_id == "a"
    clock.advance(1)
    with pytest.raises(TokenKeyUnknown):
        await cache.key("a", "RS256")
    assert server.hits == 2


async def test_an_unknown_key_id_finds_a_rotated_key(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    await cache.key("a", "RS256")
    server.keys.append(rsa_key("new").jwk())
    clock.advance(10)
    assert (await cache.key("new", "RS256")).key_id == "new"
    assert server.hits == 2


async def test_a_flood_of_unknown_key_ids_causes_few_fetches(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    for second in range(30):
        answers = await asyncio.gather(
            *(cache.key(f"junk-{second}-{n}", "RS256") for n in range(20)), return_exceptions=True
        )
        assert all(isinstance(answer, TokenKeyUnknown) for answer in answers)
        clock.advance(1)
    assert server.hits == 3
    assert (await cache.key("a", "RS256")).key_id == "a"


async def test_a_key_is_bound_to_its_algorithm(cache: JwksCache) -> None:
    for kid, alg in (("a", "ES256"), ("b", "RS256"), ("a", "HS256"), ("a", "none")):
        with pytest.raises(TokenKeyUnknown):
            await cache.key(kid, alg)


async def test_without_a_key_id_the_only_fitting_key_is_taken(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    assert (await cache.key(None, "ES256")).key_id == "b"
    server.keys.append(ec_key("c").jwk())
    clock.advance(600)
    with pytest.raises(TokenKeyUnknown):
        await cache.key(None, "ES256")


async def test_an_issuer_that_was_never_reached_is_unavailable(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    await server.stop()
    with pytest.raises(JwksUnavailable):
        await cache.key("a", "RS256")
    await server.start()
    with pytest.raises(JwksUnavailable):
        await cache.key("a", "RS256")
    assert server.hits == 0
    clock.advance(10)
    assert (await cache.key("a", "RS256")).key_id == "a"


async def test_known_keys_outlive_an_outage_for_a_day(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    await cache.key("a", "RS256")
    await server.stop()
    clock.advance(24 * 3600 - 1)
    assert (await cache.key("a", "RS256")).key_id == "a"
    with pytest.raises(JwksUnavailable):
        await cache.key("new", "RS256")
    clock.advance(1)
    with pytest.raises(JwksUnavailable):
        await cache.key("a", "RS256")


async def test_nobody_with_a_known_key_waits_for_an_issuer_that_failed(
    cache: JwksCache, server: JwksServer, clock: ManualClock
) -> None:
    await cache.key("a", "RS256")
    server.status = "500 Internal Server Error"
    clock.advance(600)
    await cache.key("a", "RS256")
    server.status = "200 OK"
    server.gate.clear()
    server.arrived.clear()
    clock.advance(10)
    assert (await cache.key("a", "RS256")).key_id == "a"
    await server.arrived.wait()
    server.gate.set()
    # Once it has answered, the keys are current again, and a missing one is unknown, not unavailable.
    with pytest.raises(TokenKeyUnknown):
        await cache.key("junk", "RS256")


async def test_a_fetch_has_a_time_limit(
    server: JwksServer, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    server.gate.clear()
    with pytest.raises(JwksUnavailable):
        await JwksCache(server.url, http, clock, timeout_s=0.05).key("a", "RS256")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b'{"keys": [' + b"1," * jwks.MAX_RESPONSE_BYTES + b"1]}",
    ],
    ids=lambda body: f"{len(body)}-{body[:12]!r}",
)
async def test_what_is_no_key_set_counts_as_an_outage(
    cache: JwksCache, server: JwksServer, clock: ManualClock, body: bytes
) -> None:
    await cache.key("a", "RS256")
    server.body = body
    clock.advance(600)
    assert (await cache.key("a", "RS256")).key_id == "a"
    with pytest.raises(JwksUnavailable):
        await cache.key("new", "RS256")
    assert server.hits == 2


async def test_redirects_are_not_followed(
    server: JwksServer, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    async with JwksServer() as decoy, httpx.AsyncClient(follow_redirects=True) as eager:
        decoy.status, decoy.headers = "302 Found", {"location": server.url}
        with pytest.raises(JwksUnavailable):
            await JwksCache(decoy.url, eager, clock).key("a", "RS256")
    assert server.hits == 0


async def test_an_empty_key_set_is_an_answer(cache: JwksCache, server: JwksServer) -> None:
    server.keys = []
    with pytest.raises(TokenKeyUnknown):
        await cache.key("a", "RS256")


async def test_unusable_keys_are_passed_over(cache: JwksCache, server: JwksServer) -> None:
    good = rsa_key("a").jwk()
    unusable = [
        {
            "kty": "oct",
            "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA",
            "kid": "a",
            "alg": "HS256",
        },
        {"kty": "oct", "k": "c2VjcmV0", "kid": "a", "alg": "RS256"},
        rsa_key("a").jwk(use="enc"),
        rsa_key("a").jwk(key_ops=["encrypt"]),
        rsa_key("a").jwk(key_ops="verify"),
        rsa_key("a").jwk(alg="PS256"),
        rsa_key("a").jwk(kid=7),
        rsa_key("a").jwk(n=7),
        rsa_key("a").jwk(n="é"),
        rsa_key("a", 1024).jwk(),
        ec_key("a").jwk(crv="P-384"),
        ec_key("a").jwk(x="AAAA"),
        {"kty": ["RSA"], "kid": "a"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "a"},
        "text",
        None,
    ]
    server.keys = unusable  # type: ignore[assignment]
    with pytest.raises(TokenKeyUnknown):
        await cache.key("a", "RS256")
    assert list(jwks._read_keys(json.dumps({"keys": [*unusable, good]}).encode())) == [("a", "RS256")]


def test_a_published_private_key_is_not_held() -> None:
    private = RSAAlgorithm.to_jwk(rsa_key("a").private, as_dict=True) | {
        "kid": "a",
        "key_ops": ["verify"],
    }
    assert "d" in private
    [key] = jwks._read_keys(json.dumps({"keys": [private]}).encode()).values()
    assert not hasattr(key.key, "private_numbers")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["kty", "alg", "use", "kid", "key_ops", "crv", "n", "e", "x", "y"]), json_values
    ),
    st.sampled_from([rsa_key("a").jwk(), ec_key("b").jwk()]),
)
def test_no_key_set_breaks_the_reader(members: dict[str, object], base: dict[str, object]) -> None:
    keys = jwks._read_keys(json.dumps({"keys": [members, {**base, **members}]}).encode())
    assert {alg for _, alg in keys} <= {"RS256", "ES256"}


@pytest.mark.parametrize("url", ["", "jwks.json", "file:///etc/passwd", "https://", "\0"])
async def test_an_address_that_is_no_url_is_refused(
    url: str, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    with pytest.raises(IdentityMisconfigured):
        JwksCache(url, http, clock)
