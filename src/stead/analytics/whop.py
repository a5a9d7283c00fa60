"""Webhooks of Whop (Standard Webhooks): what a purchase is.

https://docs.whop.com/developer/guides/webhooks
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stead.analytics.models import Conversion
from stead.analytics.payloads import amount_of, code_of, member, moment_of, session_of

#: Payments that nobody made by a checkout: a subscription went on.
_RENEWALS: Final = frozenset({"subscription_cycle", "subscription_update"})


def read(message: Mapping[str, Any]) -> Conversion | None:
    """The purchase that a webhook tells of; None: it is about something else."""
    data = member(message, "data")
    if message.get("type") != "payment.succeeded" or data.get("billing_reason") in _RENEWALS:
        return None
    key = code_of(data.get("id"))
    if key is None:
        return None
    plan = code_of(member(data, "plan").get("id"))
    # Amounts of several currencies would add up to nothing.
    amount = amount_of(data.get("usd_total"))
    if amount is None:
        amount = amount_of(data.get("total"))
    properties: dict[str, Any] = {}
    if plan is not None:
        properties["planId"] = plan
    if amount is not None:
        properties["amount"] = amount
    return Conversion(
        name="conversion.checkout_completed",
        key=key,
        session=session_of(member(data, "metadata").get("session_id")),
        properties=properties,
        at=moment_of(data.get("paid_at")) or moment_of(message.get("timestamp")),
    )
