"""Webhooks of shops and calendars: proven, done once, and kept in the audit log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import structlog

from stead import audit
from stead.analytics import calendly, events, metrics, queries, whop
from stead.analytics.errors import ConversionInvalid, WebhookNotExpected
from stead.analytics.models import Conversion, NewEvent, Provider, Reception
from stead.analytics.services import AnalyticsServices
from stead.core.clock import Clock
from stead.core.errors import Unauthenticated
from stead.db import NOBODY, Database
from stead.identity import signatures, tenant_service, tenants
from stead.identity.errors import TenantUnknown

_log = structlog.stdlib.get_logger(__name__)


async def receive(
    db: Database,
    services: AnalyticsServices,
    provider: Provider,
    org: str,
    headers: Mapping[str, str],
    body: bytes,
    clock: Clock,
) -> Reception:
    """Takes a webhook.

    Args:
        db: The database.
        services: Where the secrets are.
        provider: Whose it is.
        org: For which tenant, by its slug.
        headers: Of the request.
        body: The exact bytes.
        clock: For the age of the signature.

    Raises:
        WebhookNotExpected: There is no such tenant, or no secret for it.
        SignatureMissing, SignatureInvalid, SignatureStale: It is not proven.
        ConversionInvalid: It is no JSON object.
    """
    secret = services.secrets.get(provider, {}).get(org)
    if secret is None:
        raise WebhookNotExpected(f"no webhooks of {provider} are expected for that organisation")
    try:
        if provider == "whop":
            signatures.verify(secret, headers, body, clock)
        else:
            calendly.verify(secret, headers, body, clock)
    except Unauthenticated as error:
        metrics.received(provider, "refused")
        _log.warning("conversion_refused", provider=provider, tenant=org, code=error.code)
        raise
    message = _read(body)
    told = whop.read(message) if provider == "whop" else calendly.read(message)
    reception = "ignored" if told is None else await _record(db, provider, org, told)
    metrics.received(provider, reception)
    if reception == "repeated":
        _log.warning("conversion_repeated", provider=provider, tenant=org)
    return reception


async def _record(db: Database, provider: Provider, org: str, told: Conversion) -> Reception:
    async with db.transaction(NOBODY, read_only=True) as tx:
        try:
            tenant = await tenants.find(tx, org)
        except TenantUnknown:
            raise WebhookNotExpected(
                f"no webhooks of {provider} are expected for that organisation"
            ) from None
    principal = tenant_service(tenant, credential=provider)
    async with db.transaction(principal) as tx:
        # A session that is no one's here is none: what was paid or booked is recorded all the same.
        session = await queries.session(tx, tenant.id, told.session) if told.session else None
        event = NewEvent(
            id=_event_id(provider, told.key),
            name=told.name,
            session_id=session["id"] if session else None,
            properties=told.properties,
            at=told.at,
        )
        # By the payment or the booking itself: it is one conversion, under however many message ids it is told.
        if not await events.note_one(tx, event, provider):
            return "repeated"
        await audit.record(
            tx,
            principal,
            category="analytics",
            action=told.name,
            subject_type="session" if session else None,
            subject_id=session["id"] if session else None,
            subject_profile_id=session["profile_id"] if session else None,
            payload={"event_id": event.id, "provider": provider, **told.properties},
        )
    return "recorded"


def _event_id(provider: Provider, key: str) -> UUID:
    # Of version 8, which no sender may use: nobody can be there before with this id.
    digest = hashlib.sha256(f"stead.analytics/{provider}/{key}".encode()).digest()
    number = int.from_bytes(digest[:16])
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 8 << 76 | 2 << 62)


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise ConversionInvalid("the body is no JSON") from None
    if not isinstance(message, dict):
        raise ConversionInvalid("the body is no object")
    return cast("dict[str, Any]", message)
