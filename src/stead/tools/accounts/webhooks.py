"""What a provider says of its own accord (Standard Webhooks).

What it says is a reason to look, and only what makes things stricter is believed at once: notices come late, twice
and out of order. Each is done once, whatever is sent again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import structlog

from stead.core.clock import Clock
from stead.db import NOBODY
from stead.identity import signatures, tenant_service, tenants, use_message
from stead.tools.accounts import accounts, linking, queries
from stead.tools.accounts.errors import AccountsNotConfigured, WebhookInvalid
from stead.tools.accounts.models import AccountServices, RemoteAccount

_log = structlog.stdlib.get_logger(__name__)

_ABOUT_ACCOUNTS: Final = "composio.connected_account."
_EXPIRED: Final = "composio.connected_account.expired"


Receipt = Literal["done", "replayed", "ignored"]


async def receive(
    services: AccountServices,
    secret: str | None,
    headers: Mapping[str, str],
    body: bytes,
    clock: Clock,
) -> Receipt:
    """Takes a webhook of Composio.

    Args:
        services: What linking works with.
        secret: What it is signed with.
        headers: Of the request.
        body: The exact bytes.
        clock: For the age of the signature.

    Returns:
        What came of it: ``replayed`` for what was received before, ``ignored`` for what concerns nobody here.

    Raises:
        AccountsNotConfigured: There is no provider, or no secret.
        SignatureMissing, SignatureInvalid, SignatureStale: It is not proven.
        WebhookInvalid: It is no JSON object.
    """
    if secret is None:
        raise AccountsNotConfigured(
            "webhooks are not expected", hint="Set STEAD_COMPOSIO_WEBHOOK_SECRET."
        )
    provider = linking.provider_of(services)
    message_id = signatures.verify(secret, headers, body, clock)
    kind, external_id = _read(body)
    if not kind.startswith(_ABOUT_ACCOUNTS) or external_id is None:
        return "ignored"
    async with services.db.transaction(NOBODY, read_only=True) as tx:
        tenant_id = await queries.tenant_of(tx, provider.name, external_id)
        tenant = await tenants.find_by_id(tx, tenant_id) if tenant_id else None
    if tenant is None:
        _log.info("account_notice_ignored", provider=provider.name, notice=kind[:100])
        return "ignored"
    principal = tenant_service(tenant, credential=provider.name)
    async with services.db.transaction(principal) as tx:
        # Noted together with what it causes: where that fails, the message may come again.
        digest = hashlib.sha256(message_id.encode()).hexdigest()
        if not await use_message(tx, f"{provider.name}:{digest}"):
            return "replayed"
        account = await accounts.find(tx, principal, external_id, provider.name)
        if account is None:
            return "ignored"
        if kind == _EXPIRED and account.status in {"active", "inactive"}:
            gone = RemoteAccount(status="expired")
            await accounts.settle(tx, principal, account.id, gone, why="notice")
        await linking.refresh_later(tx, services, principal, account.id)
    return "done"


def _read(body: bytes) -> tuple[str, str | None]:
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookInvalid("the body is no JSON") from None
    if not isinstance(message, dict):
        raise WebhookInvalid("the body is no object")
    told = cast("dict[str, Any]", message)
    data: Any = told.get("data")
    found: Any = cast("dict[str, Any]", data).get("id") if isinstance(data, dict) else None
    external_id = (
        found if isinstance(found, str) and 1 <= len(found) <= 255 and "\x00" not in found else None
    )
    return str(told.get("type", "")), external_id
