"""An issuer's published signing keys (JWKS, RFC 7517), fetched when needed and kept.

What always holds:
- N concurrent callers cause one fetch, and no two fetches begin within ``min_refresh_s``: tokens with
  invented key ids cannot make Stead hammer the issuer.
- A key that the issuer withdrew is refused after ``ttl_s`` at the latest while the issuer answers.
- While it does not answer, keys known before go on working for ``max_stale_s``; nobody waits for a
  fetch that is likely to fail again.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import httpx
import jwt
import structlog

from stead.core.clock import Clock
from stead.identity.errors import IdentityMisconfigured, JwksUnavailable, TokenKeyUnknown

MAX_RESPONSE_BYTES = 128 * 1024
_MAX_KEYS = 64
# Which algorithm a key is for follows from the key, never from the token. RSA below 2048 bits is weak;
# above 8192 each check costs so much that it is an attack.
_PUBLIC_MEMBERS = {"RS256": ("kty", "n", "e"), "ES256": ("kty", "crv", "x", "y")}
_RSA_BITS = range(2048, 8193)

_log = structlog.get_logger(__name__)


class JwksCache:
    """The signing keys at one address.

    Args:
        url: Address of the key set.
        http: Client to fetch with; closed by whoever made it.
        clock: Measures ages.
        ttl_s: Age after which keys are fetched again.
        min_refresh_s: Shortest time between the beginnings of two fetches.
        timeout_s: Longest time for a whole fetch.
        max_stale_s: Age after which keys are no longer believed, even if the issuer does not answer.
    """

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient,
        clock: Clock,
        *,
        ttl_s: float = 600,
        min_refresh_s: float = 10,
        timeout_s: float = 5,
        max_stale_s: float = 24 * 3600,
    ) -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise IdentityMisconfigured("The address of a key set (JWKS) must be an http(s) URL.")
        self._url = parsed
        self._http = http
        self._clock = clock
        self._ttl_s = ttl_s
        self._min_refresh_s = min_refresh_s
        self._timeout_s = timeout_s
        self._max_stale_s = max_stale_s
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}
        self._fetched_at_s: float | None = None
        self._tried_at_s: float | None = None
        self._failing = False
        self._fetch: asyncio.Task[None] | None = None

    async def key(self, kid: str | None, alg: str) -> jwt.PyJWK:
        """The key ``kid`` for ``alg``; without ``kid``, the only key for ``alg``.

        Raises:
            TokenKeyUnknown: The issuer publishes no such key.
            JwksUnavailable: The key is not known and the issuer does not answer.
        """
        found = self._find(kid, alg)
        if found is not None and self._age_s() < self._ttl_s:
            return found
        fetch = self._begin_fetch()
        # The last fetch failed, so this one likely will: it runs, but nobody waits who has a key.
        if fetch is not None and not (found is not None and self._failing):
            # Unlike awaiting it, this does not cancel the fetch for the others if one caller goes away.
            await asyncio.wait([fetch])
            if not fetch.cancelled():
                fetch.result()
        found = self._find(kid, alg)
        if found is not None:
            return found
        if self._failing or self._fetched_at_s is None:
            raise JwksUnavailable(hint="Try again shortly.")
        raise TokenKeyUnknown(hint="Sign in again, so that the token is signed with a current key.")

    async def aclose(self) -> None:
        """Ends a fetch that is under way."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait([self._fetch])

    def _age_s(self) -> float:
        if self._fetched_at_s is None:
            return float("inf")
        return self._clock.monotonic_s() - self._fetched_at_s

    def _find(self, kid: str | None, alg: str) -> jwt.PyJWK | None:
        if self._age_s() >= self._max_stale_s:
            return None
        if kid is not None:
            return self._keys.get((kid, alg))
        fitting = [key for (_, key_alg), key in self._keys.items() if key_alg == alg]
        return fitting[0] if len(fitting) == 1 else None

    def _begin_fetch(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None if the last one began too recently."""
        if self._fetch is not None and not self._fetch.done():
            return self._fetch
        now_s = self._clock.monotonic_s()
        if self._tried_at_s is not None and now_s - self._tried_at_s < self._min_refresh_s:
            return None
        self._tried_at_s = now_s
        self._fetch = asyncio.create_task(self._refresh(), name="jwks-refresh")
        return self._fetch

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                keys = _read_keys(await self._download())
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError, RecursionError) as error:
            self._failing = True
            _log.warning(
                "jwks_refresh_failed", host=self._url.host, reason=str(error) or type(error).__name__
            )
        else:
            self._keys, self._failing = keys, False
            self._fetched_at_s = self._clock.monotonic_s()

    async def _download(self) -> bytes:
        # Redirects are not followed: they could point this server at an address that others choose.
        # Uncompressed, so that the bound on the size is one on the work.
        async with self._http.stream(
            "GET",
            self._url,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            follow_redirects=False,
            timeout=self._timeout_s,
        ) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_RESPONSE_BYTES:
                    raise ValueError(f"more than {MAX_RESPONSE_BYTES} bytes")
        return bytes(body)


def _read_keys(body: bytes) -> dict[tuple[str, str], jwt.PyJWK]:
    """The usable keys of a key set; an empty set is one too (a Supabase project that signs with HS256).

    Raises:
        ValueError: This is no key set.
    """
    document: object = json.loads(body)
    listed = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a key set")  # noqa: TRY004 - the document is wrong, not the caller
    keys: dict[tuple[str, str], jwt.PyJWK] = {}
    for item in cast("list[object]", listed)[:_MAX_KEYS]:
        key = _read_key(cast("dict[str, Any]", item)) if isinstance(item, dict) else None
        if key is not None:
            keys.setdefault((key.key_id or "", key.algorithm_name), key)
    return keys


def _read_key(data: dict[str, Any]) -> jwt.PyJWK | None:
    """A key for checking RS256 or ES256 signatures; None for any other."""
    match data.get("kty"), data.get("crv"):
        case "RSA", _:
            alg = "RS256"
        case "EC", "P-256":
            alg = "ES256"
        case _:
            return None
    operations = data.get("key_ops", ["verify"])
    kid = data.get("kid", "")
    if (
        data.get("alg", alg) != alg
        or data.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or not isinstance(kid, str)
    ):
        return None
    # Only the public members: a private key that was published by mistake is not held here.
    public = {name: data[name] for name in _PUBLIC_MEMBERS[alg] if name in data}
    try:
        key = jwt.PyJWK.from_dict({**public, "kid": kid}, algorithm=alg)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError):
        return None
    if alg == "RS256" and key.key.key_size not in _RSA_BITS:
        return None
    return key
