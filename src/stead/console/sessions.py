"""Who is signed in to the console: a signed cookie, which proves nothing anywhere else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import jwt

from stead.core.clock import Clock, system_clock
from stead.core.ids import parse_id
from stead.identity import Admission, Principal, Tenant, tenant_service

COOKIE: Final = "stead_console"
PATH: Final = "/console"
LASTS: Final = timedelta(hours=8)
_AUDIENCE: Final = "stead-console"
_MAX_CHARS: Final = 4000


@dataclass(frozen=True, kw_only=True)
class ConsoleSession:
    """Somebody who signed in.

    Args:
        principal: As whom.
        id: Of this signing in; the token of its forms hangs on it.
        expires_at: Eight hours after it, and never after the token that proved it.
    """

    principal: Principal
    id: str = field(repr=False)
    expires_at: datetime


class ConsoleSessions:
    """Makes cookies and reads them.

    Args:
        key: The server's own; the same on every host.
        clock: Tells when they end.
    """

    def __init__(self, key: bytes, clock: Clock = system_clock) -> None:
        self._key = key
        self._clock = clock

    def begin(self, admission: Admission) -> tuple[ConsoleSession, str]:
        """A session of somebody who proved who it is, and its cookie. The proof itself is not in it."""
        ends = self._clock.now() + LASTS
        if admission.expires_at is not None:
            ends = min(ends, admission.expires_at)
        who = admission.principal
        session = ConsoleSession(principal=who, id=secrets.token_urlsafe(24), expires_at=ends)
        claims: dict[str, Any] = {
            "aud": _AUDIENCE,
            "exp": int(ends.timestamp()),
            "jti": session.id,
            "kind": who.kind,
            "tenant_id": str(who.tenant.id),
            "tenant": who.tenant.slug,
            "credential": who.credential,
            "scopes": sorted(who.scopes),
        }
        if who.profile_id is not None:
            claims |= {"profile_id": str(who.profile_id), "email": who.email}
        return session, jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, cookie: str | None) -> ConsoleSession | None:
        """The session of a cookie; None where there is none, or it was forged or has ended."""
        if cookie is None or len(cookie) > _MAX_CHARS:
            return None
        try:
            # The time is looked at below, by this server's clock.
            claims = jwt.decode(
                cookie,
                self._key,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"require": ["exp", "jti"], "verify_exp": False},
            )
        except jwt.PyJWTError:
            return None
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        if ends <= self._clock.now():
            return None
        return ConsoleSession(principal=_principal(claims), id=claims["jti"], expires_at=ends)

    def form_token(self, session: ConsoleSession) -> str:
        """What every form of this session brings along."""
        return hmac.new(self._key, b"form/" + session.id.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, session: ConsoleSession, given: str) -> bool:
        """Whether a form of this session brought that."""
        return hmac.compare_digest(self.form_token(session).encode(), given.encode())


def _principal(claims: dict[str, Any]) -> Principal:
    tenant = Tenant(id=UUID(claims["tenant_id"]), slug=claims["tenant"])
    kind: Literal["user", "service"] = "user" if claims["kind"] == "user" else "service"
    if kind == "service":
        return tenant_service(
            tenant, credential=claims["credential"], scopes=frozenset(claims["scopes"])
        )
    return Principal(
        kind="user",
        tenant=tenant,
        role="authenticated",
        profile_id=parse_id(claims["profile_id"]),
        email=claims["email"],
        credential=claims["credential"],
    )
