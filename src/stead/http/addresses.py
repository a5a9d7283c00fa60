"""From where a request comes."""

from __future__ import annotations

import functools
import ipaddress

from starlette.requests import HTTPConnection

from stead.http.config import HttpConfig


def address_of(request: HTTPConnection) -> str:
    """The client's address: the last hop that is no trusted proxy. IPv6 counts by its /64."""
    host = request.client.host if request.client else "unknown"
    config: HttpConfig = request.app.state.config
    trusted = config.trusted_proxies
    if host in trusted:
        for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            if hop.strip() and hop.strip() not in trusted:
                host = hop.strip()
                break
    return _counted_as(host[:64])


@functools.lru_cache(maxsize=4096)
def _counted_as(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        # As a socket for both says it: the /64 around it has all of IPv4.
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
