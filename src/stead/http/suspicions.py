"""What looks like abuse: counted each time, and told in the log once a minute of each caller."""

from __future__ import annotations

import hmac
from typing import Final, Literal

import structlog
from prometheus_client import Counter
from starlette.requests import HTTPConnection

from stead.http.addresses import address_of
from stead.http.limiting import read_limit
from stead.http.windows import Count, MovingWindows
from stead.identity import Principal

_log = structlog.stdlib.get_logger(__name__)

Kind = Literal["flood", "guessing", "failed_proofs", "replay", "email_claim", "link_taken"]

SUSPECTED: Final = Counter("stead_http_suspected_total", "What looks like abuse, by kind.", ["kind"])
# So that who floods the server does not flood its log: lines of one caller, and of all.
_TOLD: Final = read_limit("1/minute")
_TOLD_IN_ALL: Final = read_limit("100/minute")


class Suspicions:
    """Counts and tells what looks like abuse, in this process."""

    def __init__(self) -> None:
        self._told = MovingWindows()

    def note(self, request: HTTPConnection, kind: Kind, code: str = "") -> None:
        """Counts it, and tells it where this caller's was not told within a minute.

        No address, person or session stands in the log, only keyed hashes: the same for the same one on every
        server, and of no use to who has no more than the log.

        Args:
            request: The one that it was.
            kind: What it looks like.
            code: Of the error that answered it, if one did.
        """
        SUSPECTED.labels(kind).inc()
        principal = principal_of(request)
        address = address_of(request)
        caller = name_of(principal) if principal is not None else None
        lines = (Count(_TOLD, kind, caller or address), Count(_TOLD_IN_ALL, kind, ""))
        if self._told.take(lines) is not None:
            return
        key: bytes = request.app.state.parts.console_key
        _log.warning(
            "abuse_suspected",
            kind=kind,
            code=code or None,
            caller=_hashed(key, "caller", caller) if caller else None,
            address=_hashed(key, "address", address),
            forwarded=_forwarded(request),
        )


def principal_of(request: HTTPConnection) -> Principal | None:
    """Who was found to ask; None: nobody yet, or nobody who proved anything."""
    return getattr(request.state, "principal", None)


def name_of(principal: Principal) -> str:
    """The name of an identity, unique over all tenants."""
    return f"{principal.tenant.id}/{principal.key}"


def _forwarded(request: HTTPConnection) -> bool:
    """Whether it says that it comes through a proxy, and that proxy is none that is trusted: then many callers may
    count as one."""
    peer = request.client.host if request.client else None
    return "x-forwarded-for" in request.headers and peer not in request.app.state.config.trusted_proxies


def _hashed(key: bytes, what: str, name: str) -> str:
    return hmac.digest(key, f"{what} in the log: {name}".encode(), "sha256").hex()[:16]
