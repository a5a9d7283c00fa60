"""A Clerk instance: its key set over a real socket, session tokens that it signs, and Stead that believes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from stead.assembly.database import DatabaseAccess
from tests.servers.jwks import JwksServer, rsa_key
from tests.support.servers import Running, running_server

APP = "https://app.example.com"


class ClerkServer(JwksServer):
    """The key set of a Clerk instance, whose issuer is the server's own address."""

    @property
    def issuer(self) -> str:
        return self.url.removesuffix("/.well-known/jwks.json")

    def token(self, subject: str, org: str | None, **changes: Any) -> dict[str, str]:
        """The header of a person, with their active organisation."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "v": 2,
            "iss": self.issuer,
            "sub": subject,
            "sid": "sess_1",
            "azp": APP,
            "iat": now,
            "nbf": now - 10,
            "exp": now + 60,
            **({"o": {"id": org, "slg": "acme", "rol": "admin"}} if org else {}),
            **changes,
        }
        return {"authorization": f"Bearer {rsa_key('ins_1').sign(claims)}"}


@asynccontextmanager
async def with_clerk(access: DatabaseAccess) -> AsyncIterator[tuple[ClerkServer, Running]]:
    """A Clerk instance, and a server that takes its tokens."""
    async with (
        ClerkServer(rsa_key("ins_1").jwk()) as clerk,
        running_server(
            access,
            clerk_issuer=clerk.issuer,
            clerk_authorized_parties=(APP,),
            trusted_proxies=("127.0.0.1",),
        ) as running,
    ):
        yield clerk, running
