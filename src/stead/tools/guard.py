"""Keeps calls to addresses that others chose out of the networks that this process is in.

A name is resolved once; each of its addresses must be a public one; the connection goes to the address that was
looked at, and TLS and ``Host`` keep the name. So it does not matter what the name resolves to a moment later
(DNS rebinding), or how an address was spelt: ``2130706433``, ``127.1`` and ``::ffff:127.0.0.1`` are what they
resolve to. A client that follows redirects comes through here with each hop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx

from stead.tools.errors import AddressRefused, AddressUnknown

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Host and port to addresses, as text.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

#: IANA's special-purpose registry, multicast and reserved space; and the one metadata address in public space.
_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
#: All that is public is in here: loopback, link-local, unique local, multicast, IPv4-mapped and NAT64 are not.
_PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")
#: Teredo and its neighbours, documentation, and 6to4, which stands for an IPv4 address.
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_PORTS: Final = {"http": 80, "https": 443}
_MAX_ADDRESSES: Final = 4


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, and not spelt to look like one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _REFUSED_V4)
    return (
        found.scope_id is None
        and found in _PUBLIC_V6
        and not any(found in network for network in _REFUSED_V6)
    )


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine's resolver knows."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Which addresses may be called.

    Args:
        allowed: ``host`` or ``host:port`` that may be called whatever it resolves to, on any port or on that one,
            and without TLS. For development, and for services inside that are meant to be called.
        resolver: Names to addresses.
    """

    allowed: frozenset[str] = frozenset()
    resolver: Resolver = system_resolver

    def check_url(self, url: str) -> httpx.URL:
        """Refuses a URL by its form alone, before any name is resolved.

        Raises:
            AddressRefused: It is not https to the usual port of a host, without a user.
        """
        try:
            read = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise AddressRefused("the URL cannot be read") from None
        host = read.host.rstrip(".")
        if read.scheme not in _PORTS or not _HOST.fullmatch(host):
            raise AddressRefused("the URL is not that of a host, by https")
        if read.userinfo:
            raise AddressRefused(
                "a URL with a user or a password in it", hint="Use a header with a secret."
            )
        if self._is_allowed(read):
            return read
        if read.scheme != "https":
            raise AddressRefused(
                "the URL is not https", hint="What is meant to be called inside is a setting."
            )
        if (read.port or _PORTS[read.scheme]) != _PORTS["https"]:
            raise AddressRefused("the URL has an unusual port", hint="Only 443 is called.")
        try:
            literal = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return read
        if not is_public(str(literal)):
            raise AddressRefused("the URL is of an address that is not public")
        return read

    async def addresses_of(self, url: httpx.URL) -> list[str]:
        """The addresses to connect to. All of a name must be public: one that is not is what it was made for.

        Raises:
            AddressRefused: One of them is not public, or the URL is none that is called.
            AddressUnknown: There is none.
        """
        self.check_url(str(url))
        host = url.host.rstrip(".")
        try:
            found = await self.resolver(host, url.port or _PORTS[url.scheme])
        except (OSError, UnicodeError):
            raise AddressUnknown("the host has no address") from None
        if not found:
            raise AddressUnknown("the host has no address")
        if not self._is_allowed(url) and not all(is_public(address) for address in found):
            raise AddressRefused("the host has an address that is not public")
        return list(found)[:_MAX_ADDRESSES]

    def _is_allowed(self, url: httpx.URL) -> bool:
        host = url.host.rstrip(".").lower()
        port = url.port or _PORTS.get(url.scheme, 0)
        return (
            host in self.allowed
            or f"{host}:{port}" in self.allowed
            or f"[{host}]:{port}" in self.allowed
        )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Connects to addresses that the guard has looked at, and to no others.

    Args:
        guard: Which may be called.
        inner: What carries the request; connections are not kept, so that each call is looked at.
    """

    def __init__(self, guard: Guard, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._guard = guard
        self._inner = inner or httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=0), trust_env=False
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Resolves, looks, connects.

        Raises:
            AddressRefused, AddressUnknown: See `Guard.addresses_of`; nothing was sent.
        """
        url = request.url
        addresses = await self._guard.addresses_of(url)
        for last, address in enumerate(addresses, start=1 - len(addresses)):
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": url.host.rstrip(".")},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Nothing was sent: the next address may answer.
                if last == 0:
                    raise
        raise AddressUnknown("the host has no address")

    async def aclose(self) -> None:
        """Closes what is open."""
        await self._inner.aclose()


def guarded_client(guard: Guard, inner: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client whose every request is looked at; it follows no redirect, knows no proxy and keeps no cookie."""
    return httpx.AsyncClient(
        transport=GuardedTransport(guard, inner),
        follow_redirects=False,
        trust_env=False,
        # A cookie of one tenant's call must not go along with another one's.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )
