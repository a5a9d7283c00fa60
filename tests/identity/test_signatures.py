"""Standard Webhooks, against the reference package in both directions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from stead.core.clock import ManualClock, system_clock
from stead.identity.errors import (
    IdentityMisconfigured,
    SignatureInvalid,
    SignatureMissing,
    SignatureStale,
)
from stead.identity.signatures import sign, verify

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
BODY = b'{"event": "run.finished", "text": "caf\xc3\xa9"}'


def test_the_reference_package_accepts_what_we_sign() -> None:
    headers = sign(SECRET, BODY, "msg_1", system_clock.now())
    assert Webhook(SECRET).verify(BODY, headers)["event"] == "run.finished"


def test_we_accept_what_the_reference_package_signs() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(SECRET).sign("msg_1", at, BODY.decode()),
    }
    assert verify(SECRET, headers, BODY, ManualClock()) == "msg_1"


@given(body=st.binary(), message_id=st.from_regex(r"[!-\-/-~]{1,255}", fullmatch=True))
def test_any_body_and_id_make_the_round_trip(body: bytes, message_id: str) -> None:
    clock = ManualClock()
    assert verify(SECRET, sign(SECRET, body, message_id, clock.now()), body, clock) == message_id


def test_the_time_zone_of_signing_does_not_matter() -> None:
    here = datetime(2026, 1, 1, tzinfo=UTC)
    there = here.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    assert sign(SECRET, BODY, "m", here) == sign(SECRET, BODY, "m", there)
    with pytest.raises(ValueError, match="time zone"):
        sign(SECRET, BODY, "m", here.replace(tzinfo=None))


@pytest.mark.parametrize("age_s", [-300, 0, 300])
def test_within_the_tolerance_it_is_fresh(age_s: int) -> None:
    clock = ManualClock()
    headers = sign(SECRET, BODY, "m", clock.now() - timedelta(seconds=age_s))
    assert verify(SECRET, headers, BODY, clock) == "m"


@pytest.mark.parametrize("age_s", [-301, 301])
def test_beyond_the_tolerance_it_is_stale(age_s: int) -> None:
    clock = ManualClock()
    headers = sign(SECRET, BODY, "m", clock.now() - timedelta(seconds=age_s))
    with pytest.raises(SignatureStale):
        verify(SECRET, headers, BODY, clock)
    assert verify(SECRET, headers, BODY, clock, tolerance_s=301) == "m"


def test_a_wrong_signature_is_invalid_even_if_it_is_stale() -> None:
    headers = sign(OTHER, BODY, "m", datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(SignatureInvalid):
        verify(SECRET, headers, BODY, ManualClock())


def test_one_of_several_signatures_suffices() -> None:
    clock = ManualClock()
    old, new = (sign(secret, BODY, "m", clock.now()) for secret in (OTHER, SECRET))
    both = f"v1a,AAAA {old['webhook-signature']} v1,%% v2 {new['webhook-signature']}"
    assert verify(SECRET, new | {"webhook-signature": both}, BODY, clock) == "m"


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_whatever_is_changed_breaks_the_signature(changed: str) -> None:
    clock = ManualClock()
    headers = sign(SECRET, BODY, "1", clock.now())
    if changed in headers:
        headers[changed] += "1" if changed == "webhook-id" else ""
        headers[changed] = headers[changed][:-1] + ("1" if headers[changed][-1] != "1" else "2")
    with pytest.raises(SignatureInvalid):
        verify(
            OTHER if changed == "secret" else SECRET,
            headers,
            BODY + b" " if changed == "body" else BODY,
            clock,
        )


def test_the_parts_cannot_be_read_another_way() -> None:
    # The same signed bytes, cut elsewhere: id "a.1767225600", timestamp "1767225600", body "x".
    clock = ManualClock()
    second = str(int(clock.now().timestamp()))
    headers = sign(SECRET, f"{second}.x".encode(), "a", clock.now())
    with pytest.raises(SignatureInvalid):
        verify(SECRET, headers | {"webhook-id": f"a.{second}"}, b"x", clock)
    with pytest.raises(ValueError, match="full stops"):
        sign(SECRET, BODY, "a.b", clock.now())


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(name: str) -> None:
    clock = ManualClock()
    headers = sign(SECRET, BODY, "m", clock.now())
    for absent in ({key: value for key, value in headers.items() if key != name}, headers | {name: ""}):
        with pytest.raises(SignatureMissing, match=name):
            verify(SECRET, absent, BODY, clock)


@given(
    st.fixed_dictionaries(
        {},
        optional={name: st.text() for name in ("webhook-id", "webhook-timestamp", "webhook-signature")},
    )
)
def test_no_header_breaks_the_check(headers: dict[str, str]) -> None:
    good = sign(SECRET, BODY, "m", datetime(2026, 1, 1, tzinfo=UTC))
    if any(good[name] != value for name, value in headers.items()):
        with pytest.raises((SignatureInvalid, SignatureMissing)):
            verify(SECRET, good | headers, BODY, ManualClock())


def test_an_endless_signature_header_is_not_read() -> None:
    clock = ManualClock()
    headers = sign(SECRET, BODY, "m", clock.now())
    headers["webhook-signature"] += " v1,AAAA" * 1000
    with pytest.raises(SignatureInvalid):
        verify(SECRET, headers, BODY, clock)


def test_forms_of_a_secret() -> None:
    clock = ManualClock()
    headers = sign(SECRET, BODY, "m", clock.now())
    bare = SECRET.removeprefix("whsec_")
    for same in (bare, bare.rstrip("="), SECRET.rstrip("=")):
        assert verify(same, headers, BODY, clock) == "m"


def test_a_plain_secret_is_used_as_it_stands() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    signed = f"m.{int(at.timestamp())}.".encode() + BODY
    mac = hmac.new(b"ws_plain-secret-of-a-provider", signed, hashlib.sha256).digest()
    headers = sign("ws_plain-secret-of-a-provider", BODY, "m", at)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "short", "whsec_AAAA", "whsec_not base64 at all, though long"]
)
def test_an_unfit_secret_is_refused(secret: str) -> None:
    with pytest.raises(IdentityMisconfigured):
        sign(secret, BODY, "m", datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(IdentityMisconfigured):
        verify(secret, {}, BODY, ManualClock())
