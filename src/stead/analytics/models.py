"""Events, funnels and what the part works with, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

#: Who said that it happened.
Origin = Literal["browser", "server", "whop", "calendly"]
#: Whose webhooks are taken.
Provider = Literal["whop", "calendly"]
#: What became of a webhook: an event; nothing, as it came before; nothing, as it is about something else.
Reception = Literal["recorded", "repeated", "ignored"]


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event as it is sent.

    Args:
        id: Given by the sender: sent twice it is there once.
        name: One of the catalogue.
        session_id: None: of no session.
        properties: As the catalogue has them, without ``sessionId``.
        at: When it happened; None: now.
    """

    id: UUID
    name: str
    session_id: UUID | None
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """How many events of a batch are there now, and how many were before."""

    accepted: int
    repeated: int


@dataclass(frozen=True, kw_only=True)
class ClaimedEvent:
    """An event that is this process's to send on, for a while."""

    tenant_id: UUID
    id: UUID
    session_id: UUID | None
    profile_id: UUID | None
    name: str
    properties: dict[str, Any]
    occurred_at: datetime
    leased_until: datetime


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What a provider's webhook tells.

    Args:
        key: What names it at the provider: the payment, the booking.
        session: Of which session it says that it is; not believed until it was looked for.
    """

    name: str
    key: str
    session: UUID | None
    properties: Mapping[str, Any]
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One phase, or one step of a phase, of a funnel.

    Args:
        step: None: the phase as a whole.
        position: Its place in the order in which sessions come by, from 1; among phases, or among steps.
        sessions: Sessions that came to it.
        completed: Those that finished it.
        went_on: Those that also came to the one after it.
        dropped: Those that came to nothing after it, and bought and booked nothing.
        converted: Those that bought or booked afterwards.
        median_s: Seconds from coming to finishing, of the middle one; None: nobody has.
    """

    phase: str
    step: str | None
    position: int
    sessions: int
    completed: int
    went_on: int
    dropped: int
    converted: int
    median_s: float | None

    @property
    def share(self) -> float:
        """Of those who came, how many came to the one after it: 0 to 1."""
        return self.went_on / self.sessions


@dataclass(frozen=True, kw_only=True)
class Total:
    """How often an event happened, and in how many sessions."""

    name: str
    events: int
    sessions: int


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Who came how far, in a time.

    Args:
        totals: Of every event that happened, by the catalogue's order.
        phases: In order.
        steps: In order, over all phases.
    """

    since: datetime
    until: datetime
    totals: tuple[Total, ...]
    phases: tuple[Stage, ...]
    steps: tuple[Stage, ...]


@dataclass(frozen=True, kw_only=True)
class PostHogConfig:
    """Where events are sent on to.

    Args:
        url: Of the host that takes events, such as ``https://eu.i.posthog.com``.
        key: Of the project (``phc_…``).
        batch: Events of one request.
        timeout_s: For one request.
        lease_s: How long a claimed batch is this process's.
    """

    url: str
    key: str = field(repr=False)
    batch: int = 200
    timeout_s: float = 10.0
    lease_s: float = 60.0
