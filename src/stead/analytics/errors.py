"""What can go wrong with events."""

from __future__ import annotations

from stead.core.errors import Forbidden, Invalid, NotFound


class EventSessionUnknown(NotFound):
    """An event is of a session that is not there."""

    code = "event_session_unknown"


class EventNotYours(Forbidden):
    """An event is told by a server."""

    code = "event_not_yours"


class FunnelPeriodInvalid(Invalid):
    """A funnel cannot be made of that time."""

    code = "funnel_period_invalid"


class WebhookNotExpected(NotFound):
    """No webhooks of this kind are expected here."""

    code = "webhook_not_expected"


class ConversionInvalid(Invalid):
    """A webhook about a purchase or a call cannot be read."""

    code = "conversion_invalid"
