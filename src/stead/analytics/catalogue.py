"""003's events: names, properties, when they happen, and who knows of it. The one place where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: Grows with every change that a client could notice.
VERSION: Final = 1

#: ``label``: text or a whole number, as products name their phases and steps. ``count``: a whole number.
#: ``milliseconds``: a number. ``amount``: a number, in the currency that the product sells in.
PropertyType = Literal["uuid", "text", "label", "url", "count", "milliseconds", "amount"]
FiredBy = Literal["browser", "server"]


@dataclass(frozen=True, kw_only=True)
class EventProperty:
    """One property of an event.

    Args:
        required: Whether an event is refused without it.
    """

    name: str
    type: PropertyType
    meaning: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class EventType:
    """One event of 003.

    Args:
        name: ``{domain}.{action}``.
        trigger: When it happens.
        fired_by: Who is believed: ``browser``, or ``server`` for what only a server knows.
        forwarded: Whether Stead sends it on to PostHog. A browser has sent its own.
    """

    name: str
    properties: tuple[EventProperty, ...]
    trigger: str
    fired_by: FiredBy = "browser"
    forwarded: bool = False

    @property
    def domain(self) -> str:
        """Before the point."""
        return self.name.partition(".")[0]

    @property
    def action(self) -> str:
        """After the point."""
        return self.name.partition(".")[2]


_SESSION = EventProperty(name="sessionId", type="uuid", meaning="The session.")
_PHASE = EventProperty(name="phase", type="label", meaning="The phase, by name or number.")
_STEP = (
    _PHASE,
    EventProperty(name="step", type="label", meaning="The step, by name or number."),
    EventProperty(name="stepType", type="text", meaning="What kind of step it is."),
)
_PLAN = EventProperty(name="planId", type="text", meaning="The plan, by the shop's id.")


def _perhaps(name: str, type: PropertyType, meaning: str) -> EventProperty:  # noqa: A002
    return EventProperty(name=name, type=type, meaning=meaning, required=False)


CATALOGUE: Final = (
    EventType(
        name="session.created",
        properties=(
            EventProperty(name="orgId", type="text", meaning="The organisation: the tenant's slug."),
            _SESSION,
        ),
        trigger="A session was opened.",
        fired_by="server",
    ),
    EventType(
        name="session.authenticated",
        properties=(_SESSION,),
        trigger="A session was linked to a person who signed in.",
        fired_by="server",
    ),
    EventType(name="phase.started", properties=(_SESSION, _PHASE), trigger="Somebody enters a phase."),
    EventType(
        name="phase.completed",
        properties=(
            _SESSION,
            _PHASE,
            EventProperty(name="duration", type="milliseconds", meaning="How long the phase took."),
        ),
        trigger="Somebody finishes a phase.",
    ),
    EventType(name="step.viewed", properties=(_SESSION, *_STEP), trigger="Somebody sees a step."),
    EventType(
        name="step.completed", properties=(_SESSION, *_STEP), trigger="Somebody completes a step."
    ),
    EventType(
        name="chat.message_sent",
        properties=(
            _SESSION,
            EventProperty(name="messageLength", type="count", meaning="Characters of the message."),
        ),
        trigger="Somebody sends a message.",
    ),
    EventType(
        name="chat.message_received",
        properties=(
            _SESSION,
            EventProperty(name="responseLength", type="count", meaning="Characters of the answer."),
            EventProperty(
                name="latency", type="milliseconds", meaning="From the message to the answer's end."
            ),
        ),
        trigger="An agent's answer is complete.",
        fired_by="server",
        forwarded=True,
    ),
    EventType(
        name="content.served",
        properties=(
            _SESSION,
            EventProperty(name="contentType", type="text", meaning="What kind of content it is."),
            EventProperty(name="contentId", type="text", meaning="Which one."),
        ),
        trigger="A video or another resource is shown.",
    ),
    EventType(
        name="conversion.checkout_started",
        properties=(_SESSION, _PLAN),
        trigger="The checkout is opened.",
    ),
    EventType(
        name="conversion.checkout_completed",
        properties=(
            _perhaps("sessionId", "uuid", "The session; absent where the shop was told of none."),
            _perhaps("planId", "text", "The plan, by the shop's id."),
            _perhaps("amount", "amount", "What was paid; in US dollars where the shop says so."),
        ),
        trigger="The shop says that a purchase was paid.",
        fired_by="server",
        forwarded=True,
    ),
    EventType(
        name="conversion.call_booked",
        properties=(
            _perhaps("sessionId", "uuid", "The session; absent where the calendar was told of none."),
            _perhaps("calendlyUrl", "url", "The booked call, by the calendar's address of it."),
        ),
        trigger="The calendar says that a call was booked.",
        fired_by="server",
        forwarded=True,
    ),
)

BY_NAME: Final = {event.name: event for event in CATALOGUE}
