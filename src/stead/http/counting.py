"""Which limits a request counts against.

A person, the holder of a session and a key have windows of their own (`identity`), and so have each session and
each address; all that a request counts against are asked at once, and the strictest answers. A service speaks for
many people from one address: it counts by itself and by session, and never by address. Nor is it held to unknown
ids, which people could name through it to have it refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from limits import RateLimitItem
from starlette.requests import HTTPConnection, Request

from stead.core.errors import NotFound, SteadError
from stead.core.ids import parse_id
from stead.http.addresses import address_of
from stead.http.config import HttpConfig
from stead.http.errors import TooManyRequests
from stead.http.limiting import Limiter, read_limit
from stead.http.suspicions import Kind, Suspicions, name_of, principal_of
from stead.http.windows import Count
from stead.identity import Principal
from stead.identity.errors import SignatureReplayed
from stead.sessions.errors import SessionAlreadyLinked

#: Batches of events of one sender.
_BATCHES: Final = read_limit("60/minute")
#: Proofs that fail, from one address.
FAILURES: Final = read_limit("30/minute")
# What a client may well ask for before it is there, and what is no id.
_NO_GUESS: Final = frozenset(
    {
        "route_unknown",
        "feedback_unknown",
        "artifact_content_missing",
        "audit_row_unproven",
        "table_not_published",
        # Counted as a proof that failed.
        "approval_link_unknown",
    }
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of `HttpConfig`, read."""

    identity: RateLimitItem
    session: RateLimitItem
    address: RateLimitItem
    opening: RateLimitItem
    messages: RateLimitItem
    address_messages: RateLimitItem
    service: RateLimitItem
    service_messages: RateLimitItem
    unknown_ids: RateLimitItem

    @classmethod
    def of(cls, config: HttpConfig) -> Limits:
        """Those of a configuration.

        Raises:
            ValueError: One of them is no limit.
        """
        return cls(
            identity=read_limit(config.rate_limit),
            session=read_limit(config.session_rate_limit),
            address=read_limit(config.address_rate_limit),
            opening=read_limit(config.open_rate_limit),
            messages=read_limit(config.chat_rate_limit),
            address_messages=read_limit(config.address_chat_rate_limit),
            service=read_limit(config.service_rate_limit or config.rate_limit),
            service_messages=read_limit(config.service_chat_rate_limit or config.chat_rate_limit),
            unknown_ids=read_limit(config.unknown_id_rate_limit),
        )


async def count_request(request: HTTPConnection, principal: Principal | None) -> None:
    """Counts a request; its caller is known from here on.

    Args:
        request: With the path's ``session_id``, where it has one.
        principal: Who asks; None where nothing was presented.

    Raises:
        TooManyRequests: Of them, of their session or from their address; or they named too many unknown ids.
    """
    request.state.principal = principal
    limits, address = _limits(request), address_of(request)
    if principal is None:
        await _take(
            request,
            Count(limits.identity, "nobody", address),
            Count(limits.address, "address", address),
            Count(limits.unknown_ids, "address-unknown-ids", address, looks=True),
        )
        return
    who = name_of(principal)
    session = _session(principal, who, request.path_params.get("session_id"))
    counts = [Count(limits.session, "session", session)] if session else []
    if principal.kind == "service":
        counts.append(Count(limits.service, "identity", who))
    else:
        counts.append(Count(limits.identity, "identity", who))
        counts.append(Count(limits.address, "address", address))
        counts.append(Count(limits.unknown_ids, "unknown-ids", who, looks=True))
        if principal.kind == "anonymous":
            # Another session costs nothing: who holds one is held to what others did from there.
            counts.append(Count(limits.unknown_ids, "address-unknown-ids", address, looks=True))
    await _take(request, *counts)


async def count_message(request: Request, principal: Principal) -> None:
    """Counts what costs a model call: by identity, by the session that it names, and by address.

    Args:
        request: The session stands in its path or its JSON body. A person whom a service names there
            (``profile_id``) has it counted as their own, too.
        principal: Who asks.

    Raises:
        TooManyRequests: Of them, in this session or from their address.
    """
    limits, who = _limits(request), name_of(principal)
    body = await _members(request)
    named = request.path_params.get("session_id") or next(
        (body[name] for name in ("sessionId", "session_id", "id") if body.get(name)), None
    )
    session = _session(principal, who, named)
    counts = [Count(limits.messages, "session-messages", session)] if session else []
    if principal.kind == "service":
        counts.append(Count(limits.service_messages, "messages", who))
        person = parse_id(str(body.get("profile_id", "")))
        if person is not None:
            counts.append(Count(limits.messages, "messages", f"{principal.tenant.id}/profile:{person}"))
    else:
        counts.append(Count(limits.messages, "messages", who))
        counts.append(Count(limits.address_messages, "address-messages", address_of(request)))
    await _take(request, *counts)


async def count_opening(request: Request) -> None:
    """Counts an anonymous session that is about to be opened.

    Raises:
        TooManyRequests: So many were opened from this address.
    """
    await _take(request, Count(_limits(request).opening, "opening", address_of(request)))


async def count_events(request: HTTPConnection, principal: Principal) -> None:
    """Counts a batch of events.

    Raises:
        TooManyRequests: Of this sender.
    """
    await _take(request, Count(_BATCHES, "events", name_of(principal)))


async def count_failed_proof(request: HTTPConnection, error: SteadError) -> None:
    """Counts a proof of identity that failed, whatever it was to prove.

    Raises:
        TooManyRequests: So many failed from this address.
    """
    if isinstance(error, SignatureReplayed):
        _note(request, "replay", error.code)
    await _take(request, Count(FAILURES, "failed-proofs", address_of(request)))


def note_replay(request: Request) -> None:
    """Notes a webhook that came before. It is answered without an error: providers send again what they take
    for lost."""
    _note(request, "replay", "")


def note_email_claim(request: Request) -> None:
    """Notes that a caller named the address of another person, who may be themselves without having signed in."""
    _note(request, "email_claim", "")


async def count_refusal(request: HTTPConnection, error: SteadError) -> None:
    """Looks at an error that is about to be the answer: ids that are guessed, and what others have already.

    Raises:
        TooManyRequests: The caller named too many ids that are none of theirs.
    """
    if isinstance(error, SessionAlreadyLinked):
        _note(request, "link_taken", error.code)
    if not isinstance(error, NotFound) or error.code in _NO_GUESS:
        return
    principal = principal_of(request)
    limit, address = _limits(request).unknown_ids, address_of(request)
    counts: list[Count] = []
    if principal is not None and principal.kind != "service":
        counts.append(Count(limit, "unknown-ids", name_of(principal)))
    if principal is None or principal.kind == "anonymous":
        counts.append(Count(limit, "address-unknown-ids", address))
    await _take(request, *counts)


async def _take(request: HTTPConnection, *counts: Count) -> None:
    limiter: Limiter = request.app.state.limiter
    try:
        await limiter.take(*counts)
    except TooManyRequests as refused:
        _note(request, _KINDS.get(refused.limit, "flood"), refused.code)
        raise


_KINDS: Final[dict[str, Kind]] = {
    "failed-proofs": "failed_proofs",
    "unknown-ids": "guessing",
    "address-unknown-ids": "guessing",
}


def _note(request: HTTPConnection, kind: Kind, code: str) -> None:
    suspicions: Suspicions = request.app.state.suspicions
    suspicions.note(request, kind, code)


def _limits(request: HTTPConnection) -> Limits:
    return request.app.state.limits


def _session(principal: Principal, who: str, named: object) -> str | None:
    """The window of the session that a request is about.

    It is the session's own where it is proven that the caller may use it: the session of its token, or any of a
    service's tenant. What a person names counts in a window of theirs: naming somebody's session must not use up
    its room.
    """
    if principal.kind == "anonymous":
        return None if principal.session_id is None else f"{principal.tenant.id}/{principal.session_id}"
    session_id = parse_id(named) if isinstance(named, str) else None
    if session_id is None:
        return None
    return f"{principal.tenant.id if principal.kind == 'service' else who}/{session_id}"


async def _members(request: Request) -> dict[str, Any]:
    """The members of a JSON body, which the framework has read before."""
    if not await request.body():
        return {}
    try:
        body: Any = await request.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
