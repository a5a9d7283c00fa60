"""Webhooks of Whop and Calendly: proven, counted once, and abused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from standardwebhooks import Webhook

from tests.analytics.conftest import CALENDLY_SECRET, WHOP_SECRET, Records, Shop, visit
from tests.http.conftest import captured_logs

PURCHASE = "conversion.checkout_completed"
CALL = "conversion.call_booked"


def payment(session: str | None = None, **data: Any) -> dict[str, Any]:
    """As Whop tells of a payment, with somebody's name and address in it."""
    return {
        "id": f"msg_{uuid.uuid4().hex}",
        "api_version": "v1",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "type": "payment.succeeded",
        "data": {
            "id": f"pay_{uuid.uuid4().hex[:14]}",
            "status": "paid",
            "billing_reason": "one_time",
            "currency": "eur",
            "total": 91.5,
            "usd_total": 99.0,
            "plan": {"id": "plan_abc"},
            "user": {"id": "user_1", "name": "Ann Xylophone", "email": "ann@xylophone.example"},
            "metadata": {"session_id": session} if session else {},
            "paid_at": datetime.now(UTC).isoformat(),
            **data,
        },
    }


def booking(session: str | None = None, **payload: Any) -> dict[str, Any]:
    """As Calendly tells of one."""
    call = f"https://api.calendly.com/scheduled_events/{uuid.uuid4().hex}"
    return {
        "event": "invitee.created",
        "created_at": datetime.now(UTC).isoformat(),
        "created_by": "https://api.calendly.com/users/AAAA",
        "payload": {
            "uri": f"{call}/invitees/{uuid.uuid4().hex}",
            "event": call,
            "name": "Ann Xylophone",
            "email": "ann@xylophone.example",
            "status": "active",
            "old_invitee": None,
            "tracking": {"utm_source": None, "utm_content": session},
            "scheduled_event": {"uri": call, "name": "Strategy call"},
            **payload,
        },
    }


def by_whop(message: dict[str, Any], *, secret: str = WHOP_SECRET, at: datetime | None = None,
            message_id: str | None = None) -> tuple[bytes, dict[str, str]]:  # fmt: skip
    """The body, and headers as Standard Webhooks' own library makes them of Whop's plain secret."""
    body, at, name = json.dumps(message), at or datetime.now(UTC), message_id or message["id"]
    signer = Webhook(base64.b64encode(secret.encode()).decode())
    return body.encode(), {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign(name, at, body),
        "content-type": "application/json",
    }


def by_calendly(message: dict[str, Any], *, secret: str = CALENDLY_SECRET,
                at: datetime | None = None) -> tuple[bytes, dict[str, str]]:  # fmt: skip
    body, seconds = json.dumps(message).encode(), int((at or datetime.now(UTC)).timestamp())
    signature = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {
        "calendly-webhook-signature": f"t={seconds},v1={signature}",
        "content-type": "application/json",
    }


SENDERS = {"whop": (payment, by_whop, PURCHASE), "calendly": (booking, by_calendly, CALL)}


async def post(shop: Shop, provider: str, signed: tuple[bytes, dict[str, str]],
               org: str | None = None) -> httpx.Response:  # fmt: skip
    path = f"/v1/webhooks/{provider}/{org or shop.tenant.slug}"
    return await shop.client.post(path, content=signed[0], headers=signed[1])


def counted(provider: str, outcome: str) -> float:
    labels = {"provider": provider, "outcome": outcome}
    return REGISTRY.get_sample_value("stead_analytics_webhooks_total", labels) or 0.0


@pytest.mark.parametrize("provider", SENDERS)
async def test_a_conversion_is_recorded_once_however_often_it_is_told(
    shop: Shop, records: Records, provider: str
) -> None:
    tell, sign, name = SENDERS[provider]
    session, _ = await visit(shop.client, shop.tenant)
    message = tell(session)
    signed, repeats = sign(message), counted(provider, "repeated")
    with captured_logs() as logs:
        at_once = await asyncio.gather(*(post(shop, provider, signed) for _ in range(5)))
        # Under another message id it is the same payment; the same booking is signed anew when it is sent again.
        later = {"message_id": "msg_another"} if provider == "whop" else {}
        again = await post(
            shop, provider, sign(message, at=datetime.now(UTC) + timedelta(seconds=9), **later)
        )
    outcomes = sorted(answer.json()["outcome"] for answer in (*at_once, again))
    assert outcomes == ["recorded"] + ["repeated"] * 5
    assert counted(provider, "repeated") - repeats == 5
    warned = [line for line in logs.lines if line["event"] == "conversion_repeated"]
    assert [(line["provider"], line["tenant"]) for line in warned] == [(provider, shop.tenant.slug)] * 5

    (kept,) = [e for e in await records.events(shop.tenant, name) if str(e["session_id"]) == session]
    said = message["data"] if provider == "whop" else message["payload"]
    assert kept["properties"] == (
        {"planId": "plan_abc", "amount": 99.0}
        if provider == "whop"
        else {"calendlyUrl": said["scheduled_event"]["uri"]}
    )
    assert (kept["origin"], kept["forward_at"] is not None) == (provider, True)
    (audited,) = [a for a in await records.audited(shop.tenant, name) if a["subject_id"] == session]
    assert audited["payload"] == {
        "event_id": str(kept["id"]),
        "provider": provider,
        **kept["properties"],
    }
    for held in (kept, audited, logs.text):
        assert "xylophone" not in str(held).lower()


@pytest.mark.parametrize("provider", SENDERS)
async def test_a_session_counts_where_it_is_the_tenants(
    shop: Shop, records: Records, provider: str
) -> None:
    tell, sign, name = SENDERS[provider]
    elsewhere, _ = await visit(shop.client, shop.rival)
    before = {e["id"] for e in await records.events(shop.tenant, name)}
    named = [elsewhere, str(uuid.uuid4()), "'; drop table", None]
    for session in named:
        answer = await post(shop, provider, sign(tell(session)))
        assert answer.json() == {"outcome": "recorded"}
    added = [e for e in await records.events(shop.tenant, name) if e["id"] not in before]
    assert [e["session_id"] for e in added] == [None] * len(named)
    assert [e for e in await records.events(shop.rival, name) if str(e["session_id"]) == elsewhere] == []


@pytest.mark.parametrize("provider", SENDERS)
async def test_what_is_not_proven_is_refused_counted_and_logged(
    shop: Shop, records: Records, provider: str
) -> None:
    tell, sign, name = SENDERS[provider]
    session, _ = await visit(shop.client, shop.tenant)
    body, good = sign(tell(session))
    header = "webhook-signature" if provider == "whop" else "calendly-webhook-signature"
    now = datetime.now(UTC)
    attempts = [
        ((body, {k: v for k, v in good.items() if k != header}), "signature_missing"),
        ((body, {**good, header: "v1,"}), "signature_invalid"),
        ((body, {**good, header: good[header][:-2] + "00"}), "signature_invalid"),
        ((body, {**good, header: "t=1,t=2,v1=" + "0" * 64}), "signature_invalid"),
        ((body + b" ", good), "signature_invalid"),
        (sign(tell(session), secret="not-the-secret-0123456789"), "signature_invalid"),
        # Recorded by somebody, and sent again later.
        (sign(tell(session), at=now - timedelta(minutes=6)), "signature_stale"),
        (sign(tell(session), at=now + timedelta(minutes=6)), "signature_stale"),
    ]
    refused = counted(provider, "refused")
    with captured_logs() as logs:
        for signed, code in attempts:
            answer = await post(shop, provider, signed)
            assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert counted(provider, "refused") - refused == len(attempts)
    warned = [line["code"] for line in logs.lines if line["event"] == "conversion_refused"]
    assert warned == [code for _, code in attempts]
    assert [e for e in await records.events(shop.tenant, name) if str(e["session_id"]) == session] == []


async def test_each_tenant_has_its_own_secret(shop: Shop) -> None:
    theirs = by_whop(payment(), secret=WHOP_SECRET + "2")
    assert (await post(shop, "whop", theirs)).status_code == 401
    assert (await post(shop, "whop", theirs, shop.rival.slug)).json() == {"outcome": "recorded"}
    # No tenant, and one without a secret, are the same to whoever asks.
    answers = [await post(shop, "calendly", by_calendly(booking()), org)
               for org in (shop.rival.slug, "nobody-of-that-name", "gone", "x" * 255)]  # fmt: skip
    told = {(a.status_code, a.json()["code"], a.json()["detail"]) for a in answers}
    assert len(told) == 1
    assert answers[0].json()["code"] == "webhook_not_expected"


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ("whop", {**payment(), "type": "membership.activated"}),
        ("whop", payment(billing_reason="subscription_cycle")),
        ("whop", {"id": "msg_1", "type": "payment.succeeded", "data": []}),
        ("whop", {"id": "msg_2", "type": ["payment.succeeded"], "data": {"id": 7}}),
        ("calendly", {**booking(), "event": "invitee.canceled"}),
        ("calendly", booking(old_invitee="https://api.calendly.com/scheduled_events/1/invitees/2")),
        ("calendly", {"event": "invitee.created", "payload": "x"}),
    ],
)
async def test_what_is_about_something_else_is_received_and_ignored(
    shop: Shop, records: Records, provider: str, message: dict[str, Any]
) -> None:
    _, sign, name = SENDERS[provider]
    before = len(await records.events(shop.tenant, name))
    answer = await post(shop, provider, sign(message))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "ignored"})
    assert len(await records.events(shop.tenant, name)) == before


async def test_what_makes_no_sense_in_it_is_left_out(shop: Shop, records: Records) -> None:
    session, _ = await visit(shop.client, shop.tenant)
    odd = payment(
        session, plan={"id": "ann@xylophone.example"}, usd_total=True, total="99", paid_at="soon"
    )
    assert (await post(shop, "whop", by_whop(odd))).json() == {"outcome": "recorded"}
    (kept,) = [e for e in await records.events(shop.tenant, PURCHASE) if str(e["session_id"]) == session]
    assert kept["properties"] == {}
    assert kept["occurred_at"] <= kept["received_at"]


async def test_bodies_are_bounded_and_json(shop: Shop) -> None:
    body = json.dumps([payment()])
    listed = by_whop({"id": "msg_list"})[1]
    at = datetime.now(UTC)
    signer = Webhook(base64.b64encode(WHOP_SECRET.encode()).decode())
    listed["webhook-timestamp"] = str(int(at.timestamp()))
    listed["webhook-signature"] = signer.sign("msg_list", at, body)
    answer = await post(shop, "whop", (body.encode(), listed))
    assert (answer.status_code, answer.json()["code"]) == (422, "conversion_invalid")
    large = await post(shop, "whop", by_whop(payment(metadata={"x": "x" * 1_048_576})))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
