"""Analytics: the events of 003, from the first step to a purchase or a call.

Owns ``analytics_events``. What always holds: an event is one of the catalogue's; it is there once, however often
it is sent; it goes with its session when that is forgotten. What only a server knows is recorded in the
transaction of what it tells of, kept in the audit log, and sent on to PostHog by a worker, outside of every
transaction.
"""

from stead.analytics import catalogue, events, funnel, receiving, upkeep
from stead.analytics.catalogue import CATALOGUE, VERSION, EventProperty, EventType
from stead.analytics.errors import (
    ConversionInvalid,
    EventNotYours,
    EventSessionUnknown,
    FunnelPeriodInvalid,
    WebhookNotExpected,
)
from stead.analytics.forwarding import Forwarder
from stead.analytics.models import (
    Funnel,
    NewEvent,
    PostHogConfig,
    Provider,
    Reception,
    Stage,
    Taken,
    Total,
)
from stead.analytics.services import AnalyticsServices

__all__ = [
    "CATALOGUE",
    "VERSION",
    "AnalyticsServices",
    "ConversionInvalid",
    "EventNotYours",
    "EventProperty",
    "EventSessionUnknown",
    "EventType",
    "Forwarder",
    "Funnel",
    "FunnelPeriodInvalid",
    "NewEvent",
    "PostHogConfig",
    "Provider",
    "Reception",
    "Stage",
    "Taken",
    "Total",
    "WebhookNotExpected",
    "catalogue",
    "events",
    "funnel",
    "receiving",
    "upkeep",
]
