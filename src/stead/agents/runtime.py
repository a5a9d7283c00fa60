"""Runs in this process: begun by a message, independent of who listens, stored when they end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import structlog

from stead import memory, sessions
from stead.agents import frames, queries
from stead.agents.endings import last_frames
from stead.agents.errors import RunInterrupted, SessionBusy, TooManyRuns
from stead.agents.following import follow, interrupted_end
from stead.agents.frames import Frame
from stead.agents.incoming import Incoming, settle
from stead.agents.limits import RuntimeConfig
from stead.agents.loading import EngineLoader
from stead.agents.models import AgentContext, AgentDefinition, RunOutcome, ToolContext, Turn
from stead.agents.registry import AgentRegistry
from stead.agents.streams import FrameWriter, LiveStream, topic_of
from stead.agents.transcript import fold
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import CONNECTION_LOST, NOBODY, Database, Row, Transaction
from stead.identity import Principal, tenant_service, tenants
from stead.providers.embedders import Embedder
from stead.providers.models import ModelConfig, PriceList, check_model, is_offline
from stead.realtime import Hub, notify

_log = structlog.stdlib.get_logger(__name__)
_EMBED_TIMEOUT_S: Final = 2.0
_STORE_TRIES: Final = 6
ProcessKind = Literal["serve", "worker", "up"]


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """What the first transaction of a run leaves for the rest of it."""

    principal: Principal
    session: sessions.Session
    agent: AgentDefinition
    user_message: sessions.Message
    run_id: UUID
    message_id: UUID
    model: str
    history: list[sessions.Message]
    memories: str
    recalled: int


class AgentRuntime:
    """Begins, follows, stops and rescues runs.

    Args:
        db: The database.
        hub: For wake-ups between processes.
        registry: Agents and tools.
        models: Keys and addresses of models.
        embedder: For questions and turns.
        kind: What process this is.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        registry: AgentRegistry,
        models: ModelConfig,
        embedder: Embedder,
        *,
        prices: PriceList | None = None,
        config: RuntimeConfig | None = None,
        kind: ProcessKind = "serve",
    ) -> None:
        self.process_id = new_id()
        self.registry = registry
        self.embedder = embedder
        self.config = config or RuntimeConfig()
        self._db = db
        self._hub = hub
        self._models = models
        self._kind = kind
        self._writer = FrameWriter(db, self.process_id)
        self.engine = EngineLoader(models, prices or PriceList(), self.config.loop, embedder)
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._live: dict[UUID, LiveStream] = {}
        self._beat: asyncio.Task[None] | None = None

    # Life of the process.

    async def start(self) -> None:
        """Registers agents in code and this process, and begins writing, beating and loading the engine."""
        check_model(self.config.loop.model, self._models)
        await self.registry.register(self._db)
        await self._beat_once()
        await self._writer.start()
        self._beat = asyncio.create_task(self._keep_beating(), name="heartbeat")
        self.engine.start()

    async def stop(self, *, drain_s: float = 10.0) -> None:
        """Lets runs end for some seconds, then stores what they have as failed, and says goodbye."""
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._beat is not None:
            self._beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beat
        await self._writer.stop()
        await self.engine.aclose()
        with contextlib.suppress(SteadError, *CONNECTION_LOST):
            async with self._db.transaction(NOBODY) as tx:
                await queries.leave(tx, self.process_id)

    @property
    def active(self) -> int:
        """Runs under way here."""
        return len(self._tasks)

    def check_model(self, name: str | None) -> None:
        """Raises ModelUnknown or ModelNotConfigured when this process cannot run that model."""
        if name is not None:
            check_model(name, self._models)

    # Use cases.

    async def begin(
        self, principal: Principal, session_id: UUID, agent_slug: str | None, incoming: Incoming
    ) -> AsyncIterator[list[Frame]]:
        """Stores a message, begins the answer and returns its stream.

        A message that was sent before gets the stream of its answer again, not a second answer.

        Args:
            principal: Whose session it is.
            session_id: The session.
            agent_slug: Who answers; None: the agent that the session is with.
            incoming: The message, or the wish for another answer.

        Raises:
            SessionUnknown, SessionEnded, AgentUnknown: One of them is not there for this caller.
            SessionBusy: The session is answering another message.
            TooManyRuns: This process is full.
        """
        if self.active >= self.config.max_runs:
            raise TooManyRuns("try again in a moment", hint="Start another `stead serve`.")
        vector = await self._embed_question(incoming.text)
        async with self._db.transaction(principal.served()) as tx:
            begun = await self._open(tx, principal, session_id, agent_slug, incoming, vector)
        if isinstance(begun, UUID):
            return self._frames_of(principal, begun)
        stream = LiveStream(begun.run_id)
        stream.emit(frames.start(str(begun.message_id), _metadata(begun)))
        self._live[begun.run_id] = stream
        self._writer.add(stream)
        task = asyncio.create_task(self._carry_out(begun, stream), name=f"run-{begun.run_id}")
        self._tasks[begun.run_id] = task
        task.add_done_callback(lambda _: self._forget(begun.run_id))
        return stream.follow()

    async def resume(self, principal: Principal, session_id: UUID) -> AsyncIterator[list[Frame]] | None:
        """The stream of a session's run from its beginning, from whichever process carries it out.

        Returns:
            None when nothing is being answered. For a run whose process died a moment ago, a stream that
            says so.
        """
        async with self._db.transaction(principal.served(), read_only=True) as tx:
            await sessions.get(tx, principal, session_id)
            row = await queries.latest_run(tx, principal.tenant.id, session_id)
        if row is None:
            return None
        if row["status"] == "running":
            return self._frames_of(principal, row["id"])
        if row["recent"] and (row["error"] or {}).get("code") == RunInterrupted.code:
            return interrupted_end(row["message_id"], _interrupted_text())
        return None

    async def request_stop(self, principal: Principal, session_id: UUID) -> UUID | None:
        """Ends the answer of a session, wherever it is being made; returns the run, if there was one."""
        async with self._db.transaction(principal.served()) as tx:
            await sessions.get(tx, principal, session_id)
            run_id = await queries.request_stop(tx, principal.tenant.id, session_id)
            if run_id is not None:
                await notify(tx, [f"stop:{run_id}"])
        return run_id

    async def rescue(self, *, batch: int = 20) -> int:
        """Ends runs whose process has fallen silent; returns how many.

        What had arrived of the answer becomes the message, and the run is marked failed.
        """
        async with self._db.transaction(NOBODY) as tx:
            lost = await queries.claim_lost_runs(tx, self.process_id, self.config.silent_s, batch)
        for row in lost:
            await self._end_lost(row)
        return len(lost)

    async def sweep(self, *, keep_chunks_s: float = 3600.0) -> int:
        """Deletes written frames of runs that ended long ago; the messages stay."""
        async with self._db.transaction(NOBODY) as tx:
            return await queries.sweep_runs(tx, keep_chunks_s)

    # The first transaction.

    async def _open(
        self,
        tx: Transaction,
        principal: Principal,
        session_id: UUID,
        agent_slug: str | None,
        incoming: Incoming,
        vector: Sequence[float] | None,
    ) -> _Begun | UUID:
        session = await sessions.lock(tx, principal, session_id)
        agent = await self.registry.resolve(tx, principal, agent_slug or "concierge")
        active = await queries.active_run(tx, principal.tenant.id, session_id)
        known = await sessions.messages.find(tx, principal, session_id, incoming.client_id)
        if known is not None and incoming.trigger == "submit-message":
            earlier = await queries.run_by_user_message(tx, principal.tenant.id, known.id)
            if earlier is not None and earlier["status"] in {"running", "completed"}:
                return earlier["id"]
        if session.status != "in_progress":
            raise sessions.SessionEnded(f"the session is {session.status}", hint="Open a new session.")
        if active is not None:
            raise SessionBusy(
                "one message at a time",
                hint="Wait for the answer, or stop it.",
                run_id=str(active["id"]),
            )
        user_message = await settle(tx, principal, session_id, incoming, known)
        run_id, message_id = new_id(), new_id()
        model = agent.model or self.config.loop.model
        await queries.insert_run(
            tx,
            run_id,
            principal.tenant.id,
            session_id,
            session.profile_id,
            agent.id,
            agent.version_id,
            agent.slug,
            user_message.id,
            message_id,
            self.process_id,
            model,
            {"message": user_message.parts, "trigger": incoming.trigger},
        )
        text = sessions.text_of(user_message.parts)
        began = time.monotonic()
        found = await memory.recall(
            tx,
            session.profile_id or session.id,
            text,
            embedder=self.embedder,
            vector=vector,
            agent_id=agent.id,
            limit=self.config.budget.max_items * 2,
        )
        history = await sessions.messages.latest(
            tx,
            principal,
            session_id,
            before_seq=user_message.seq,
            limit=self.config.history_messages,
        )
        block, injected = memory.as_instructions(
            found, self.config.budget, already_said=[m.id for m in [*history, user_message]]
        )
        await memory.note(
            tx,
            principal,
            session_id=session_id,
            profile_id=session.profile_id,
            run_id=run_id,
            agent_name=agent.slug,
            found=found,
            injected=injected,
            embedder=self.embedder,
            started_at=began,
        )
        return _Begun(
            principal=principal,
            session=session,
            agent=agent,
            user_message=user_message,
            run_id=run_id,
            message_id=message_id,
            model=model,
            history=[*history, user_message],
            memories=block,
            recalled=len(injected),
        )

    async def _embed_question(self, text: str) -> Sequence[float] | None:
        if not text.strip():
            return None
        try:
            async with asyncio.timeout(_EMBED_TIMEOUT_S):
                return (await self.embedder.embed([text]))[0]
        except (SteadError, TimeoutError) as error:
            # Words still find memories; a slow embedder must not keep a person waiting.
            _log.warning("question_not_embedded", reason=type(error).__name__)
            return None

    # The run itself, and the last transaction.

    async def _carry_out(self, begun: _Begun, stream: LiveStream) -> None:
        outcome = RunOutcome(status="failed", error=_interrupted_error(), finish_reason="error")
        began = time.monotonic()
        listener = asyncio.create_task(self._listen_for_stop(stream))
        try:
            engine = await self.engine.get()
            outcome = await engine.answer(_turn(begun), stream)
        except asyncio.CancelledError:
            # This process is stopping: what there is gets stored, and the task ends as asked.
            outcome.latency_ms = round((time.monotonic() - began) * 1000)
        finally:
            listener.cancel()
        if not stream.taken_over:
            await self._store(begun, stream, outcome)
        stream.end()

    async def _store(self, begun: _Begun, stream: LiveStream, outcome: RunOutcome) -> None:
        """Message, run, memories and the end of the stream: one commit, tried again until it is known."""
        await self._writer.release(stream)
        parts = fold(stream.frames)
        memories = await self._memories(begun, outcome, parts)
        ending = last_frames(outcome, _metadata(begun, outcome))
        for attempt in range(_STORE_TRIES):
            try:
                async with self._db.transaction(begun.principal.served()) as tx:
                    await self._write_end(tx, begun, stream, outcome, parts, memories, ending)
                break
            except (SteadError, *CONNECTION_LOST) as error:
                _log.warning(
                    "run_not_stored",
                    run_id=str(begun.run_id),
                    attempt=attempt,
                    reason=type(error).__name__,
                )
                if attempt == _STORE_TRIES - 1:
                    # The rescue of another process will end it from what was written of its stream.
                    ending = [frames.error(_interrupted_text())]
                else:
                    await asyncio.sleep(0.2 * 2**attempt)
        for frame in ending:
            stream.emit(frame)
        self._hub.wake(topic_of(begun.run_id))

    async def _write_end(
        self,
        tx: Transaction,
        begun: _Begun,
        stream: LiveStream,
        outcome: RunOutcome,
        parts: list[sessions.Part],
        memories: list[memory.NewMemory],
        ending: list[Frame],
    ) -> None:
        principal = begun.principal
        ended = await queries.end_run(
            tx,
            principal.tenant.id,
            begun.run_id,
            self.process_id,
            outcome.status,
            {"parts": parts},
            outcome.error,
            outcome.finish_reason,
            outcome.latency_ms,
            outcome.first_token_ms,
            outcome.input_tokens,
            outcome.output_tokens,
            outcome.cached_tokens,
            outcome.requests,
            outcome.cost_usd,
        )
        if not ended:
            return  # a first try was committed after all, or the run was rescued
        if parts:
            await sessions.messages.add(
                tx,
                principal,
                begun.session.id,
                role="assistant",
                parts=parts,
                message_id=begun.message_id,
                run_id=begun.run_id,
                metadata=_metadata(begun, outcome),
            )
        if memories:
            await memory.remember(
                tx,
                principal,
                session_id=begun.session.id,
                profile_id=begun.session.profile_id,
                memories=memories,
                embedder=self.embedder,
                run_id=begun.run_id,
                agent_name=begun.agent.slug,
            )
        seq = stream.next_seq
        for chunk in (stream.next_chunk(), stream.frames[stream.written + len(stream.next_chunk()) :]):
            if chunk:
                await queries.insert_chunk(tx, principal.tenant.id, begun.run_id, seq, chunk)
                seq += 1
        await queries.insert_chunk(tx, principal.tenant.id, begun.run_id, seq, ending)
        await notify(tx, [topic_of(begun.run_id)])

    async def _memories(
        self, begun: _Begun, outcome: RunOutcome, parts: list[sessions.Part]
    ) -> list[memory.NewMemory]:
        """The turn, and the facts in what the person said. What was recalled is never among them: only the
        person's own words are looked at."""
        said = sessions.text_of(begun.user_message.parts)
        at = begun.user_message.created_at
        place = sessions.place_of(begun.session.number, begun.user_message.seq)
        new: list[memory.NewMemory] = []
        if said.strip() and not said.startswith("/tool "):
            new.append(
                memory.NewMemory(
                    content=said[:20_000],
                    kind="turn",
                    speaker="user",
                    happened_at=at,
                    place=place,
                    agent_id=begun.agent.id,
                    metadata={"message_id": str(begun.user_message.id)},
                    importance=0.4,
                )
            )
            new.extend(
                memory.NewMemory(
                    content=fact.text,
                    kind="fact",
                    speaker="user",
                    happened_at=at,
                    metadata={
                        "category": fact.category,
                        "correction": fact.correction,
                        "message_ids": [str(begun.user_message.id)],
                    },
                    importance=0.8,
                )
                for fact in memory.find_facts(said)
            )
        answered = sessions.text_of(parts)
        # The offline model says nothing but what memory gave it: remembering that would be an echo.
        if answered.strip() and outcome.status == "completed" and not is_offline(begun.model):
            new.append(
                memory.NewMemory(
                    content=answered[:20_000],
                    kind="turn",
                    speaker=begun.agent.name,
                    happened_at=at,
                    place=place + 1,
                    agent_id=begun.agent.id,
                    metadata={"message_id": str(begun.message_id)},
                    importance=0.2,
                )
            )
        try:
            return await memory.prepare(self.embedder, new)
        except SteadError as error:
            _log.warning("turn_not_embedded", reason=type(error).__name__)
            return new

    async def _listen_for_stop(self, stream: LiveStream) -> None:
        with self._hub.subscribe(f"stop:{stream.run_id}") as asked:
            while not await asked.wait(60.0):
                pass
        stream.stop_requested.set()

    def _forget(self, run_id: UUID) -> None:
        self._tasks.pop(run_id, None)
        self._live.pop(run_id, None)

    def _frames_of(self, principal: Principal, run_id: UUID) -> AsyncIterator[list[Frame]]:
        live = self._live.get(run_id)
        return live.follow() if live is not None else follow(self._db, self._hub, principal, run_id)

    # Rescue and heartbeat.

    async def _end_lost(self, row: Row) -> None:
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            tenant = await _tenant_of(tx, row["tenant_id"])
        if tenant is None:
            return
        async with self._db.transaction(tenant) as tx:
            chunks = await queries.chunks_after(tx, row["tenant_id"], row["id"], 0)
            run = await queries.end_lost_run(
                tx, row["tenant_id"], row["id"], self.process_id, _interrupted_error()
            )
            if run is None:
                return
            parts = fold([frame for chunk in chunks for frame in chunk["frames"]])
            if parts:
                await sessions.messages.add(
                    tx,
                    tenant,
                    run["session_id"],
                    role="assistant",
                    parts=parts,
                    message_id=run["message_id"],
                    run_id=row["id"],
                    metadata={"runId": str(row["id"]), "agent": run["agent_name"], "status": "failed"},
                )
            last = chunks[-1]["seq"] + 1 if chunks else 1
            closing = [] if chunks else [frames.start(str(run["message_id"]), {"status": "failed"})]
            await queries.insert_chunk(
                tx, row["tenant_id"], row["id"], last, [*closing, frames.error(_interrupted_text())]
            )
            await notify(tx, [topic_of(row["id"])])
        _log.warning("run_rescued", run_id=str(row["id"]), tenant_id=str(row["tenant_id"]))

    async def _beat_once(self) -> None:
        async with self._db.transaction(NOBODY) as tx:
            await queries.beat(tx, self.process_id, self._kind, socket.gethostname(), os.getpid())

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self.config.beat_s)
            try:
                await self._beat_once()
            except (SteadError, *CONNECTION_LOST) as error:
                _log.warning("heartbeat_failed", reason=type(error).__name__)


def _turn(begun: _Begun) -> Turn:
    context = AgentContext(
        agent=begun.agent.slug,
        session=begun.session,
        memories=begun.memories,
        user_text=sessions.text_of(begun.user_message.parts),
    )
    return Turn(
        agent=begun.agent,
        model=begun.model,
        context=context,
        tool_context=ToolContext(
            principal=begun.principal,
            session=begun.session,
            run_id=begun.run_id,
            agent=begun.agent.slug,
        ),
        history=begun.history,
    )


def _metadata(begun: _Begun, outcome: RunOutcome | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "runId": str(begun.run_id),
        "sessionId": str(begun.session.id),
        "agent": begun.agent.slug,
        "model": begun.model,
        "memories": begun.recalled,
        "offline": is_offline(begun.model),
    }
    if outcome is not None:
        metadata |= {
            "status": outcome.status,
            "finishReason": outcome.finish_reason,
            "latencyMs": outcome.latency_ms,
            "usage": {"inputTokens": outcome.input_tokens, "outputTokens": outcome.output_tokens},
        }
    return metadata


def _interrupted_text() -> str:
    return "The answer was interrupted: the server that was giving it stopped. Send the message again."


def _interrupted_error() -> dict[str, Any]:
    return {"code": RunInterrupted.code, "message": RunInterrupted.title()}


async def _tenant_of(tx: Transaction, tenant_id: UUID) -> Principal | None:
    tenant = await tenants.find_by_id(tx, tenant_id)
    return tenant_service(tenant) if tenant else None
