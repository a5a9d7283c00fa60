"""Taking events, and recording what the server itself knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from stead import audit
from stead.analytics import queries
from stead.analytics.catalogue import BY_NAME
from stead.analytics.errors import EventNotYours, EventSessionUnknown
from stead.analytics.models import NewEvent, Origin, Taken
from stead.audit import AuditEntry
from stead.core.ids import new_id
from stead.db import Transaction
from stead.identity import Principal


async def take(tx: Transaction, principal: Principal, events: Sequence[NewEvent]) -> Taken:
    """Takes events that somebody sends: all of them, or none. What only a server knows is audited too.

    Args:
        tx: A transaction as the server, on behalf of the principal.
        principal: Who sends them. What only a server knows is believed of a service alone.
        events: Of the catalogue's names and properties.

    Raises:
        EventNotYours: One is a server's to tell.
        EventSessionUnknown: A session is not the sender's, or not there.
    """
    service = principal.kind == "service"
    for event in events:
        if not service and BY_NAME[event.name].fired_by == "server":
            raise EventNotYours(
                f"{event.name} is told by a server", hint="Stead records it, or your server sends it."
            )
    once = list({event.id: event for event in reversed(events)}.values())
    noted = await _note(tx, once, "server" if service else "browser")
    if len(noted) < len(once):
        raise EventSessionUnknown("the session of an event is not yours")
    await audit.record_many(
        tx,
        principal,
        [
            AuditEntry(
                category="analytics",
                action=event.name,
                subject_type="session" if event.session_id else None,
                subject_id=event.session_id,
                # What else a sender says of it may be in anybody's words.
                payload={"event_id": event.id, "provider": "server"},
            )
            for event in once
            if BY_NAME[event.name].forwarded and noted[event.id]
        ],
    )
    accepted = sum(noted.values())
    return Taken(accepted=accepted, repeated=len(events) - accepted)


async def session_created(tx: Transaction, principal: Principal, session_id: UUID) -> None:
    """Records that a session was opened."""
    await _happened(tx, "session.created", session_id, {"orgId": principal.tenant.slug})


async def session_authenticated(tx: Transaction, session_id: UUID) -> None:
    """Records that a session was linked to a person."""
    await _happened(tx, "session.authenticated", session_id, {})


async def message_received(
    tx: Transaction,
    principal: Principal,
    session_id: UUID,
    profile_id: UUID | None,
    *,
    characters: int,
    latency_ms: int,
) -> None:
    """Records that an agent answered, here and in the audit log.

    Args:
        tx: The transaction that stores the answer.
        principal: Who was answered.
        session_id: The session.
        profile_id: Its person.
        characters: Of the answer's text.
        latency_ms: From the message to the answer's end.
    """
    properties = {"responseLength": characters, "latency": latency_ms}
    event_id = await _happened(tx, "chat.message_received", session_id, properties)
    await audit.record(
        tx,
        principal,
        category="analytics",
        action="chat.message_received",
        subject_type="session",
        subject_id=session_id,
        subject_profile_id=profile_id,
        payload={"event_id": event_id, **properties},
    )


async def note_one(tx: Transaction, event: NewEvent, origin: Origin) -> bool:
    """Records one event; False where it is there already, or its session is gone."""
    return (await _note(tx, [event], origin)).get(event.id, False)


async def _happened(
    tx: Transaction, name: str, session_id: UUID, properties: Mapping[str, object]
) -> UUID:
    event = NewEvent(id=new_id(), name=name, session_id=session_id, properties=properties)
    await _note(tx, [event], "server")
    return event.id


async def _note(tx: Transaction, events: Sequence[NewEvent], origin: Origin) -> dict[UUID, bool]:
    return await queries.note(
        tx,
        [event.id for event in events],
        [event.session_id for event in events],
        [event.name for event in events],
        [json.dumps(dict(event.properties), ensure_ascii=False) for event in events],
        [event.at for event in events],
        [origin != "browser" and BY_NAME[event.name].forwarded for event in events],
        origin,
    )
