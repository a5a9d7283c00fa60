"""An instance of Clerk for a browser: its published keys, and what ``getToken()`` gives a page."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.servers.jwks import SigningKey, rsa_key

_LIFE_S = 60


@dataclass
class ClerkInstance:
    """Signs for whoever asks: that somebody is who they say is not its business here.

    Attributes:
        issuer: Its own address, as soon as it listens.
        issued: For whom, and for which organisation.
    """

    issuer: str = ""
    issued: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    key: SigningKey = field(default_factory=lambda: rsa_key("ins_browser"))

    def app(self) -> Starlette:
        """Its server."""
        return Starlette(
            routes=[Route("/.well-known/jwks.json", self._keys), Route("/token", self._token)]
        )

    @staticmethod
    def subject(email: str) -> str:
        """Whom its tokens prove."""
        return f"user_{hashlib.sha256(email.encode()).hexdigest()[:24]}"

    async def _keys(self, _: Request) -> JSONResponse:
        return JSONResponse({"keys": [self.key.jwk()]})

    async def _token(self, request: Request) -> JSONResponse:
        email, org = request.query_params["user"], request.query_params["org"]
        # The party is the page that asks: a browser says which, and its scripts have no say in it.
        origin, now = request.headers["origin"], int(time.time())
        self.issued.append((email, org))
        token = self.key.sign(
            {
                "v": 2,
                "iss": self.issuer,
                "sub": self.subject(email),
                "sid": "sess_browser",
                "azp": origin,
                "iat": now,
                "nbf": now - 10,
                "exp": now + _LIFE_S,
                "email": email,
                "email_verified": True,
                "o": {"id": org, "slg": "example", "rol": "member"},
            }
        )
        return JSONResponse({"token": token}, headers={"access-control-allow-origin": origin})
