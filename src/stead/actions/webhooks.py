"""Telling tenants of what happens, as Standard Webhooks; retried by the outbox itself.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import httpx
from standardwebhooks.webhooks import Webhook

from stead import audit
from stead.actions import queries
from stead.actions.errors import WebhookInvalid, WebhookUnknown
from stead.actions.models import WebhookEndpoint
from stead.core.clock import Clock, system_clock
from stead.db import Database, Transaction, assert_no_transaction
from stead.identity import Principal, Tenant, tenant_service
from stead.outbox import Claimed, Result
from stead.tools import AddressRefused, AddressUnknown, Guard, guarded_client

EVENTS: Final = (
    "approval.requested",
    "approval.escalated",
    "approval.approved",
    "approval.rejected",
    "approval.expired",
    "approval.superseded",
    "approval.cancelled",
    "envelope.outcome_unknown",
    "envelope.dead",
    "*",
)
_TIMEOUT_S: Final = 15.0
_RETRIED: Final = frozenset({408, 425, 429})


class Webhooks:
    """Sends what was put into the outbox for endpoints.

    Args:
        db: The database.
        secret: The server's own, from which each endpoint's is derived; None: nothing can be signed, so nothing is
            sent.
        guard: Which addresses may be called.
        clock: The time of the signature.
    """

    def __init__(
        self, db: Database, secret: str | None, guard: Guard, clock: Clock = system_clock
    ) -> None:
        self._db = db
        self._secret = secret
        self._guard = guard
        self._clock = clock
        self._client = guarded_client(guard)

    async def aclose(self) -> None:
        """Lets go of connections."""
        await self._client.aclose()

    def secret_of(self, endpoint_id: UUID, secret_no: int) -> str:
        """The secret that an endpoint checks signatures with (``whsec_…``).

        Raises:
            WebhookInvalid: The server has no secret to derive it from.
        """
        if self._secret is None:
            raise WebhookInvalid("the server has no service secret", hint="Set STEAD_SERVICE_SECRET.")
        about = f"stead.webhook/{endpoint_id}/{secret_no}".encode()
        derived = hmac.new(self._secret.encode(), about, hashlib.sha256).digest()
        return "whsec_" + base64.b64encode(derived).decode()

    async def put(
        self, tx: Transaction, principal: Principal, url: str, events: Sequence[str]
    ) -> tuple[WebhookEndpoint, str]:
        """Makes an endpoint; returns it with its secret, which is shown this once.

        Raises:
            WebhookInvalid: The URL may not be called, or an event is none.
        """
        wanted = _events(events)
        try:
            self._guard.check_url(url)
        except AddressRefused as error:
            raise WebhookInvalid(error.detail, hint=error.hint) from error
        try:
            row = await queries.insert_endpoint(tx, principal.tenant.id, url, wanted)
        except asyncpg.UniqueViolationError as error:
            raise WebhookInvalid("there is an endpoint of this URL already") from error
        if row is None:
            raise WebhookInvalid("the endpoint was not stored")
        fields = dict(row)
        secret = self.secret_of(row["id"], fields.pop("secret_no"))
        await audit.record(
            tx,
            principal,
            category="auth_policy",
            action="webhook_added",
            subject_type="webhook",
            subject_id=row["id"],
            payload={"events": len(events)},
        )
        return WebhookEndpoint(**fields), secret

    async def change(
        self,
        tx: Transaction,
        principal: Principal,
        endpoint_id: UUID,
        *,
        events: Sequence[str] | None = None,
        paused: bool | None = None,
        new_secret: bool = False,
    ) -> tuple[WebhookEndpoint, str]:
        """Changes an endpoint; returns it with its secret.

        Args:
            tx: A transaction of the tenant's service.
            principal: The tenant's service.
            endpoint_id: Which.
            events: None: as they are.
            paused: None: as it is.
            new_secret: From now on it is signed with another one.

        Raises:
            WebhookUnknown: There is none of that id.
            WebhookInvalid: An event is none.
        """
        wanted = None if events is None else _events(events)
        row = await queries.change_endpoint(
            tx, principal.tenant.id, endpoint_id, wanted, paused=paused, new_secret=new_secret
        )
        if row is None:
            raise WebhookUnknown("no webhook endpoint of that id is here")
        fields = dict(row)
        secret = self.secret_of(endpoint_id, fields.pop("secret_no"))
        await audit.record(
            tx,
            principal,
            category="auth_policy",
            action="webhook_changed",
            subject_type="webhook",
            subject_id=endpoint_id,
            payload={"events": len(row["events"]), "paused": row["paused"], "new_secret": new_secret},
        )
        return WebhookEndpoint(**fields), secret

    async def send(self, envelope: Claimed) -> Result:
        """Sends one; receivers tell repeats by the id, so what may have arrived may be sent again."""
        assert_no_transaction("a webhook")
        endpoint_id = UUID(str(envelope.arguments["endpoint_id"]))
        tenant = Tenant(id=envelope.tenant_id, slug=envelope.tenant_slug)
        async with self._db.transaction(tenant_service(tenant), read_only=True) as tx:
            row = await queries.endpoint(tx, envelope.tenant_id, endpoint_id)
        if row is None or row["paused"]:
            return Result(kind="permanent", error="the endpoint is gone or paused", code="webhook_gone")
        if self._secret is None:
            return Result(
                kind="permanent", error="there is no secret to sign with", code="webhook_unsigned"
            )
        said = {key: envelope.arguments[key] for key in ("type", "timestamp", "data")}
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        now = self._clock.now()
        signer = Webhook(self.secret_of(endpoint_id, row["secret_no"]))
        headers = {
            "content-type": "application/json",
            "user-agent": "Stead",
            "webhook-id": str(envelope.id),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(str(envelope.id), now, body),
        }
        return await self._post(row["url"], body, headers)

    async def _post(self, url: str, body: str, headers: dict[str, str]) -> Result:
        try:
            # A receiver that drips is within the timeout of each read, and never at an end.
            async with (
                asyncio.timeout(_TIMEOUT_S),
                self._client.stream(
                    "POST", url, content=body.encode(), headers=headers, timeout=_TIMEOUT_S
                ) as answer,
            ):
                status = answer.status_code
                after = answer.headers.get("retry-after", "")
        except AddressRefused as error:
            return Result(kind="permanent", error=error.detail, code=error.code)
        except (httpx.HTTPError, AddressUnknown, TimeoutError) as error:
            return Result(kind="retryable", error=type(error).__name__, code="webhook_failed")
        if status < 300:
            return Result(kind="succeeded")
        code = f"http_{status}"
        if status == 410:
            return Result(kind="permanent", error="the endpoint is gone", code=code)
        if status >= 500 or status in _RETRIED or 300 <= status < 400:
            return Result(
                kind="retryable",
                error=f"answered {status}",
                code=code,
                retry_after_s=float(after) if after.isdigit() else None,
            )
        return Result(kind="retryable", error=f"answered {status}", code=code)


def _events(events: Sequence[str]) -> list[str]:
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise WebhookInvalid(
            f"no such events: {', '.join(unknown)[:200]}" if unknown else "no events",
            hint=f"There are: {', '.join(EVENTS)}.",
        )
    return list(dict.fromkeys(events))


async def listing(tx: Transaction, principal: Principal) -> list[WebhookEndpoint]:
    """The tenant's endpoints."""
    return [WebhookEndpoint(**dict(row)) for row in await queries.endpoints(tx, principal.tenant.id)]


async def delete(tx: Transaction, principal: Principal, endpoint_id: UUID) -> None:
    """Ends an endpoint; what is on its way is not sent any more.

    Raises:
        WebhookUnknown: There is none of that id.
    """
    if not await queries.delete_endpoint(tx, principal.tenant.id, endpoint_id):
        raise WebhookUnknown("no webhook endpoint of that id is here")
    await audit.record(
        tx,
        principal,
        category="auth_policy",
        action="webhook_removed",
        subject_type="webhook",
        subject_id=endpoint_id,
    )
