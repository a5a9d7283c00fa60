"""The last transaction of a run: its end, its message, its memories and the end of its stream, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from stead import analytics, memory, sessions
from stead.agents import queries, waiting
from stead.agents.frames import Frame
from stead.agents.models import RunOutcome
from stead.agents.opening import Begun
from stead.agents.streams import LiveStream, topic_of
from stead.core.errors import SteadError
from stead.db import Transaction
from stead.memory import NewMemory, Recalled, cognition
from stead.providers.embedders import Embedder
from stead.providers.models import is_offline
from stead.realtime import notify
from stead.sessions import Part

_log = structlog.stdlib.get_logger(__name__)
_MAX_TURN_CHARS: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a run leaves behind.

    Args:
        parts: The assistant's message.
        memories: What is remembered of the turn.
        to_be_read: A model is to look for more in it, afterwards.
        load: Active runs of the process over the most that it takes.
        frames: The last frames of the stream.
    """

    outcome: RunOutcome
    parts: list[Part]
    memories: list[NewMemory]
    frames: list[Frame]
    to_be_read: bool = False
    load: float | None = None


async def write_end(
    tx: Transaction,
    begun: Begun,
    stream: LiveStream,
    ending: Ending,
    embedder: Embedder,
    process_id: UUID,
) -> bool:
    """Stores the end of a run.

    Returns:
        Whether this process ended it, now or with a first try whose commit went through after all. False
        when it was rescued from here: then nothing of it was written.
    """
    principal, outcome = begun.principal, ending.outcome
    if not await queries.end_run(
        tx,
        principal.tenant.id,
        begun.run_id,
        process_id,
        outcome.status,
        {"parts": ending.parts},
        outcome.error,
        outcome.finish_reason,
        outcome.latency_ms,
        outcome.first_token_ms,
        outcome.input_tokens,
        outcome.output_tokens,
        outcome.cached_tokens,
        outcome.requests,
        outcome.cost_usd,
    ):
        run = await queries.run_by_id(tx, principal.tenant.id, begun.run_id)
        return run is not None and (run["status"], run["error"]) == (outcome.status, outcome.error)
    last = ending.frames
    goes_on = begun.resumed is not None and await waiting.end_resumed(
        tx, principal, begun.run_id, outcome
    )
    if goes_on:
        last = waiting.GOES_ON
    elif ending.parts and begun.kind == "chat":
        await sessions.messages.add(
            tx,
            principal,
            begun.session.id,
            role="assistant",
            parts=ending.parts,
            message_id=begun.message_id,
            run_id=begun.run_id,
            metadata=begun.metadata(outcome),
        )
        await _answered(tx, begun, ending)
    if outcome.suspension is not None and outcome.status == "completed":
        await waiting.store(tx, principal, begun.run_id, begun.session.id, outcome.suspension)
    hit_rate: float | None = None
    given = _given(begun)
    if given and outcome.status == "completed":
        hit_rate = await memory.note_use(
            tx,
            principal,
            session_id=begun.session.id,
            profile_id=begun.session.profile_id,
            run_id=begun.run_id,
            agent_name=begun.agent.slug,
            injected=[item.memory.id for item in given],
            used=memory.used(
                sessions.text_of(ending.parts),
                sessions.text_of(begun.user_message.parts),
                given,
            ),
            embedder=embedder,
        )
    await cognition.record(
        tx, principal, begun.run_id, recall_hit_rate=hit_rate, cognitive_load=ending.load
    )
    if ending.memories:
        await memory.remember(
            tx,
            principal,
            session_id=begun.session.id,
            profile_id=begun.session.profile_id,
            memories=ending.memories,
            embedder=embedder,
            run_id=begun.run_id,
            agent_name=begun.agent.slug,
        )
    if ending.to_be_read and outcome.status == "completed":
        await queries.await_extraction(tx, principal.tenant.id, begun.run_id)
    await queries.insert_chunks(
        tx,
        principal.tenant.id,
        begun.run_id,
        stream.next_seq,
        [*stream.unwritten_chunks(), last],
    )
    await notify(tx, [topic_of(begun.run_id)])
    return True


def _given(begun: Begun) -> list[Recalled]:
    """What the model was given of memory, each once: with its instructions, or by a tool."""
    return list({item.memory.id: item for item in [*begun.injected, *begun.looked_up]}.values())


async def _answered(tx: Transaction, begun: Begun, ending: Ending) -> None:
    outcome = ending.outcome
    if outcome.status != "completed" or outcome.suspension is not None:
        return
    await analytics.events.message_received(
        tx,
        begun.principal,
        begun.session.id,
        begun.session.profile_id,
        characters=len(sessions.text_of(ending.parts)),
        latency_ms=outcome.latency_ms,
    )


async def memories_of(
    begun: Begun, outcome: RunOutcome, parts: list[Part], embedder: Embedder
) -> list[NewMemory]:
    """The turn, and the facts in what the person said.

    Facts are looked for in the person's own words only: what was recalled and given to the model is never
    among them, and cannot be extracted again. Nothing is said in a generation.
    """
    if begun.kind == "generation":
        return []
    # What the person said was remembered when the run began to wait.
    new = _of_the_person(begun) if begun.resumed is None else []
    answered = sessions.text_of(parts)
    # The offline model says nothing but what memory gave it: remembering that would be an echo.
    if answered.strip() and outcome.status == "completed" and not is_offline(begun.model):
        new.append(
            NewMemory(
                content=answered[:_MAX_TURN_CHARS],
                kind="turn",
                speaker=begun.agent.name,
                happened_at=begun.user_message.created_at,
                place=sessions.place_of(begun.session.number, begun.user_message.seq + 1),
                agent_id=begun.agent.id,
                metadata={"message_id": str(begun.message_id)},
                message_ids=(begun.message_id,),
                importance=0.2,
            )
        )
    try:
        return await memory.prepare(embedder, new)
    except SteadError as error:
        _log.warning("turn_not_embedded", reason=type(error).__name__)
        return new


def _of_the_person(begun: Begun) -> list[NewMemory]:
    message = begun.user_message
    said = sessions.text_of(message.parts)
    if not said.strip() or said.startswith("/tool "):
        return []
    turn = NewMemory(
        content=said[:_MAX_TURN_CHARS],
        kind="turn",
        speaker="user",
        happened_at=message.created_at,
        place=sessions.place_of(begun.session.number, message.seq),
        agent_id=begun.agent.id,
        metadata={"message_id": str(message.id)},
        message_ids=(message.id,),
        importance=0.4,
    )
    return [turn, *memory.draw_facts(said, said_at=message.created_at, message_ids=(message.id,))]
