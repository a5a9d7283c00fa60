"""What is worth remembering of something that a person said: by rule, at once, and always."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from stead.memory.facts import find_facts
from stead.memory.models import MemorySource, NewMemory
from stead.memory.time_expressions import find_event


def draw_facts(
    text: str,
    *,
    said_at: datetime,
    message_ids: Sequence[UUID] = (),
    speaker: str | None = "user",
    source: MemorySource = "chat",
    zone: tzinfo = UTC,
) -> list[NewMemory]:
    """The facts in a person's own words, with when what they tell of happens.

    What was recalled and stands in the text again (memory blocks, quotations) is no word of the person's.

    Args:
        text: One message of a person; never an agent's, a tool's or the system's.
        said_at: When it was said.
        message_ids: The messages that it is.
        speaker: Who said it.
        source: Where it comes from.
        zone: Where days begin and end.
    """
    found: list[NewMemory] = []
    for fact in find_facts(text, said_at=said_at):
        event = find_event(fact.text, said_at, zone=zone)
        start = event.start if event else None
        found.append(
            NewMemory(
                content=fact.text,
                kind="fact",
                source=source,
                speaker=speaker,
                happened_at=said_at,
                importance=fact.importance,
                confidence=fact.confidence,
                topic=fact.topic,
                correction=fact.correction,
                message_ids=tuple(message_ids),
                event_from=start,
                event_to=event.end if event and start else None,
                metadata={"category": fact.category, **({"value": fact.value} if fact.value else {})},
            )
        )
    return found
