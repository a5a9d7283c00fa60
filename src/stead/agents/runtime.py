"""Runs in this process: begun by a message, independent of who listens, stored when they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import structlog

from stead import knowledge, sessions
from stead.actions import Proposer
from stead.agents import frames, queries, resuming, tracing, voting, waiting
from stead.agents.acting import RunActions
from stead.agents.closing import Ending, memories_of, write_end
from stead.agents.endings import last_frames
from stead.agents.errors import RunInterrupted, TooManyRuns
from stead.agents.extracting import extract_next
from stead.agents.following import follow
from stead.agents.frames import Frame
from stead.agents.generating import Generation, OnceKey, generated, open_generation
from stead.agents.incoming import Incoming
from stead.agents.limits import RuntimeConfig
from stead.agents.linked import as_owner
from stead.agents.loading import EngineLoader
from stead.agents.looking_up import MemorySearch
from stead.agents.models import RunOutcome
from stead.agents.opening import Begun, Request, open_run
from stead.agents.registry import AgentRegistry
from stead.agents.rescue import (
    INTERRUPTED_TEXT,
    claim_lost_runs,
    end_lost_run,
    interrupted_error,
)
from stead.agents.streams import SILENCE_S, FrameWriter, LiveStream, topic_of
from stead.agents.transcript import fold, without_calls
from stead.agents.voting import ApprovalAnswer
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import CONNECTION_LOST, NOBODY, Database, Row
from stead.identity import Principal, tenant_service
from stead.processes import Heartbeat, ProcessKind
from stead.providers.embedders import Embedder
from stead.providers.models import ModelConfig, PriceList, check_model
from stead.realtime import Hub, notify

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace
    from stead.traces.tracer import Tracer

_log = structlog.stdlib.get_logger(__name__)
_STORE_TRIES: Final = 6
#: How long a client that voted waits for the run to go on.
_GOING_ON_S: Final = 60.0


class AgentRuntime:
    """Begins, follows, stops and rescues runs.

    Args:
        db: The database.
        hub: For wake-ups between processes.
        registry: Agents and tools.
        models: Keys and addresses of models.
        embedder: For questions and turns.
        prices: What models cost; list prices when None.
        config: Limits.
        kind: What process this is.
        beat_db: Where its heartbeat goes; a pool of its own is not kept waiting by what this process does.
        tracer: What runs are traced with; None: they are not.
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
        beat_db: Database | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.process_id = new_id()
        self.registry = registry
        self.embedder = embedder
        self.config = config or RuntimeConfig()
        self.engine = EngineLoader(models, prices or PriceList(), self.config.loop, embedder, tracer)
        self._tracer = tracer
        self._db = db
        self._hub = hub
        self._models = models
        self._heartbeat = Heartbeat(beat_db or db, self.process_id, kind, self.config.beat_s)
        self._writer = FrameWriter(db, self.process_id)
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._live: dict[UUID, LiveStream] = {}
        self._claimed: dict[UUID, Row] = {}

    async def start(self) -> None:
        """Registers agents in code and this process; begins to write, to beat and to load the engine."""
        check_model(self.config.loop.model, self._models)
        self.check_model(self.config.memory_model)
        await self.registry.register(self._db)
        await self._heartbeat.start()
        await self._writer.start()
        self.engine.start()

    async def stop(self, *, drain_s: float = 10.0) -> None:
        """Lets runs end for some seconds, then stores what they have as failed, and says goodbye."""
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._writer.stop()
        await self.engine.aclose()
        await self._heartbeat.stop()

    @property
    def active(self) -> int:
        """Runs under way here."""
        return len(self._tasks)

    def _check_room(self) -> None:
        if self.active >= self.config.max_runs:
            raise TooManyRuns("try again in a moment", hint="Start another `stead serve`.")

    def check_model(self, name: str | None) -> None:
        """Raises ModelUnknown or ModelNotConfigured when this process cannot run that model."""
        if name is not None:
            check_model(name, self._models)

    async def begin(
        self,
        principal: Principal,
        session_id: UUID,
        agent: str,
        incoming: Incoming,
        *,
        traceparent: str | None = None,
    ) -> AsyncIterator[list[Frame]]:
        """Stores a message, begins the answer and returns its stream.

        A message that was sent before gets the stream of its answer again, not a second answer.

        Args:
            principal: Whose session it is.
            session_id: The session.
            agent: Slug of who answers.
            incoming: The message, or the wish for another answer.
            traceparent: The caller's span, which the run's trace becomes a part of.

        Raises:
            SessionUnknown, SessionEnded, AgentUnknown: One of them is not there for this caller.
            SessionBusy: The session is answering another message.
            TooManyRuns: This process is full.
        """
        self._check_room()
        trace = self._trace(principal, session_id, traceparent)
        request = Request(
            principal=principal,
            session_id=session_id,
            agent=agent,
            incoming=incoming,
            vector=await knowledge.embed_question(self.embedder, incoming.text),
            trace=trace,
        )
        async with self._db.transaction(principal.served()) as tx:
            begun = await open_run(
                tx, request, self.registry, self.embedder, self.config, self.process_id
            )
        if isinstance(begun, UUID):
            return self._stream_of(principal, begun)
        return self._launch(begun).follow()

    async def generate(
        self,
        principal: Principal,
        session_id: UUID,
        generates: str,
        *,
        once: OnceKey | None = None,
        traceparent: str | None = None,
    ) -> Generation:
        """What the agent of a type makes of what a session's context says at this moment.

        The run goes on if the caller does not wait for it, and is logged all the same.

        Args:
            principal: Whose session it is.
            session_id: The session, whatever its status.
            generates: The type.
            once: Sent again with this key, it is the same run that is waited for, unless that one failed.
            traceparent: The caller's span, which the run's trace becomes a part of.

        Raises:
            SessionUnknown, GenerationUnknown, AgentUnknown: One of them is not there for this caller.
            ModelFailed, RunInterrupted: The run failed; ``run_id`` says which.
            TooManyRuns: This process is full.
        """
        self._check_room()
        trace = self._trace(principal, session_id, traceparent)
        async with self._db.transaction(principal.served()) as tx:
            begun = await open_generation(
                tx,
                principal,
                session_id,
                generates,
                once,
                self.registry,
                self.config,
                self.process_id,
                trace,
            )
        repeated = isinstance(begun, UUID)
        run_id = begun if repeated else self._launch(begun).run_id
        async for _ in self._stream_of(principal, run_id):
            pass
        # As the tenant's service: whoever held the session when it began may have linked it meanwhile.
        async with self._db.transaction(tenant_service(principal.tenant), read_only=True) as tx:
            return await generated(tx, principal, run_id, repeated=repeated)

    async def resume(self, principal: Principal, session_id: UUID) -> AsyncIterator[list[Frame]] | None:
        """The stream of a session's run from its beginning, from whichever process carries it out.

        Returns:
            None when nothing is being answered. A run whose process died in the last ten minutes is told
            again: what there was of it, and that it ended there.
        """
        async with self._db.transaction(principal.served(), read_only=True) as tx:
            await sessions.get(tx, principal, session_id)
            row = await queries.latest_run(tx, principal.tenant.id, session_id)
        if row is None:
            return None
        error = row["error"] or {"code": None}
        if row["status"] == "running" or (row["recent"] and error["code"] == RunInterrupted.code):
            return self._stream_of(principal, row["id"])
        return None

    async def request_stop(self, principal: Principal, session_id: UUID) -> UUID | None:
        """Ends the answer of a session, wherever it is being made; returns the run, if there was one."""
        async with self._db.transaction(principal.served()) as tx:
            await sessions.get(tx, principal, session_id)
            run_id = await queries.request_stop(tx, principal.tenant.id, session_id)
            if run_id is not None:
                await notify(tx, [_stop_topic(run_id)])
        return run_id

    async def rescue(self) -> int:
        """Ends runs whose process has fallen silent; returns how many."""
        # What was claimed and could not be ended is this process's own now: nobody else will.
        for row in await claim_lost_runs(self._db, self.process_id, silent_s=self.config.silent_s):
            self._claimed[row["id"]] = row
        ended = 0
        for run_id, row in tuple(self._claimed.items()):
            await end_lost_run(self._db, self.process_id, row["tenant_id"], run_id)
            self._claimed.pop(run_id, None)
            ended += 1
        return ended

    async def go_on(self) -> int:
        """Goes on with runs whose actions have ended; returns how many. Waits a moment where there are none."""
        room = self.config.max_runs - self.active
        rows = await resuming.claim(self._db, room) if room > 0 else []
        if not rows:
            with self._hub.subscribe(waiting.WAKE_TOPIC) as due:
                await due.wait(1.0)
            return 0
        for row in rows:
            try:
                await self._go_on_with(row)
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                # It is looked at again in a second, and holds up no other one.
                _log.warning("run_not_reopened", run_id=str(row["run_id"]), reason=type(error).__name__)
        return len(rows)

    async def vote(
        self, principal: Principal, session_id: UUID, ballots: Sequence[ApprovalAnswer], message_id: str
    ) -> AsyncIterator[list[Frame]]:
        """Votes on what a run of a session waits for, and returns the stream of how it goes on.

        Args:
            principal: The person who votes.
            session_id: The session.
            ballots: What they decided, all or nothing.
            message_id: The message that waits.

        Raises:
            SessionUnknown, ApprovalUnknown: One of them is not there for this caller.
            ApprovalForbidden, ApprovalDecided, VotedAlready: See `stead.actions.approving.vote`.
        """
        async with self._db.transaction(principal.served()) as tx:
            await sessions.get(tx, principal, session_id)
            latest = await queries.latest_run(tx, principal.tenant.id, session_id)
            decided = await voting.vote(tx, principal, session_id, ballots)
        before = latest["id"] if latest is not None else None
        return self._going_on(principal, session_id, before, message_id, patient=decided)

    async def extract(self) -> int:
        """Reads one finished conversation that waits for it; returns 0 when none does, or no model is to."""
        model = self.config.memory_model
        if model is None:
            return 0
        return await extract_next(self._db, self.engine, self.embedder, model)

    async def sweep(self, *, keep_chunks_s: float = 3600.0) -> int:
        """Deletes written frames of runs that ended long ago; the messages stay."""
        async with self._db.transaction(NOBODY) as tx:
            return await queries.sweep_runs(tx, keep_chunks_s)

    def _trace(self, principal: Principal, session_id: UUID, traceparent: str | None) -> RunTrace | None:
        if self._tracer is None:
            return None
        return tracing.begin(self._tracer, principal, session_id, traceparent)

    def _launch(self, begun: Begun) -> LiveStream:
        if begun.trace is not None:
            tracing.describe(begun.trace, begun)
        stream = LiveStream(begun.run_id)
        stream.emit(frames.start(str(begun.goes_on_in or begun.message_id), begun.metadata()))
        for frame in begun.prologue:
            stream.emit(frame)
        self._live[begun.run_id] = stream
        self._writer.add(stream)
        task = asyncio.create_task(self._carry_out(begun, stream), name=f"run-{begun.run_id}")
        self._tasks[begun.run_id] = task
        task.add_done_callback(lambda _: self._forget(begun.run_id))
        return stream

    def _forget(self, run_id: UUID) -> None:
        self._tasks.pop(run_id, None)
        self._live.pop(run_id, None)

    def _stream_of(self, principal: Principal, run_id: UUID) -> AsyncIterator[list[Frame]]:
        live = self._live.get(run_id)
        return live.follow() if live else follow(self._db, self._hub, principal, run_id)

    async def _go_on_with(self, row: Row) -> None:
        if row["unwanted"]:
            await resuming.withdraw(self._db, row)
            return
        trace = tracing.go_on(self._tracer, row) if self._tracer is not None else None
        vector = await knowledge.embed_question(self.embedder, resuming.question_of(row))
        begun = await resuming.reopen(
            self._db, row, self.registry, self.embedder, self.config, self.process_id, vector, trace
        )
        if begun is not None:
            self._launch(begun)

    async def _going_on(
        self,
        principal: Principal,
        session_id: UUID,
        before: UUID | None,
        message_id: str,
        *,
        patient: bool,
    ) -> AsyncIterator[list[Frame]]:
        """The stream of the session's next run; of nothing where more people have to vote, or none comes."""
        until = time.monotonic() + (_GOING_ON_S if patient else 0)
        with self._hub.subscribe(waiting.topic_of_session(session_id)) as goes_on:
            told = time.monotonic()
            while time.monotonic() < until:
                try:
                    async with self._db.transaction(principal.served(), read_only=True) as tx:
                        row = await queries.latest_run(tx, principal.tenant.id, session_id)
                except (SteadError, *CONNECTION_LOST):
                    row = None
                if row is not None and row["id"] != before:
                    break
                if time.monotonic() - told > SILENCE_S:
                    told = time.monotonic()
                    yield []
                await goes_on.wait(1.0)
            else:
                metadata = {"sessionId": str(session_id), "status": "waiting"}
                yield [frames.start(message_id, metadata), frames.finish(metadata)]
                return
        async for batch in self._stream_of(principal, row["id"]):
            yield batch

    async def _carry_out(self, begun: Begun, stream: LiveStream) -> None:
        outcome = RunOutcome(status="failed", error=interrupted_error(), finish_reason="error")
        began = time.monotonic()
        stopping = False
        listener = asyncio.create_task(self._listen_for_stop(stream))
        try:
            engine = await self.engine.get()
            turn = begun.turn(self._actions_of(begun), MemorySearch(self._db, self.embedder, begun))
            outcome = await engine.answer(turn, stream)
        except asyncio.CancelledError:
            # This process is stopping: what there is of the answer is stored all the same.
            stopping = True
            outcome.latency_ms = round((time.monotonic() - began) * 1000)
        except Exception as error:  # noqa: BLE001 - the outermost edge of a run: whatever it is, it gets an end
            _log.error("run_broken", run_id=str(begun.run_id), reason=type(error).__name__)
        finally:
            listener.cancel()
        try:
            stored = not stream.taken_over and await self._store(begun, stream, outcome)
        finally:
            if begun.trace is not None:
                tracing.end(begun.trace, outcome, stream)
        if not stored:
            stream.emit(frames.error(INTERRUPTED_TEXT))
        stream.end()
        self._hub.wake(topic_of(begun.run_id))
        if not (stored or stream.taken_over or stopping):
            self._live.pop(begun.run_id, None)
            await self._give_up(begun)

    def _actions_of(self, begun: Begun) -> RunActions:
        proposer = Proposer(
            agent=begun.agent.slug,
            profile_id=begun.session.profile_id,
            run_id=begun.run_id,
            session_id=begun.session.id,
        )
        return RunActions(
            self._db, self._hub, begun.principal, proposer, begun.run_id, self.config.patience_s
        )

    async def _store(self, begun: Begun, stream: LiveStream, outcome: RunOutcome) -> bool:
        await self._writer.release(stream)
        parts = fold(stream.frames)
        if begun.resumed is not None:
            # What was waited for stands in the message that waited.
            parts = without_calls(parts, begun.resumed.outcomes)
        ending = Ending(
            outcome=outcome,
            parts=parts,
            memories=await memories_of(begun, outcome, parts, self.embedder),
            frames=last_frames(outcome, begun.metadata(outcome)),
            to_be_read=self.config.memory_model is not None
            and begun.resumed is None
            and begun.kind == "chat",
            load=self.active / self.config.max_runs,
        )
        for attempt in range(_STORE_TRIES):
            if attempt:
                await asyncio.sleep(0.1 * 2**attempt)
            try:
                async with self._db.transaction(begun.principal.served()) as tx:
                    stored = await write_end(tx, begun, stream, ending, self.embedder, self.process_id)
                owned = None if stored else await as_owner(self._db, begun, self.process_id)
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning(
                    "run_not_stored",
                    run_id=str(begun.run_id),
                    attempt=attempt,
                    reason=type(error).__name__,
                )
            else:
                if owned is not None:
                    begun = owned
                    continue
                stream.taken_over = not stored
                break
        else:
            return False
        if stored:
            for frame in ending.frames:
                stream.emit(frame)
        return stored

    async def _give_up(self, begun: Begun) -> None:
        """Ends a run whose end could not be stored as it was, from what was written of its stream: while this
        process lives, nobody else would."""
        tenant_id = begun.principal.tenant.id
        pause_s = 0.5
        while True:
            try:
                await end_lost_run(self._db, self.process_id, tenant_id, begun.run_id)
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning("run_not_ended", run_id=str(begun.run_id), reason=type(error).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 30.0)
            else:
                return

    async def _listen_for_stop(self, stream: LiveStream) -> None:
        with self._hub.subscribe(_stop_topic(stream.run_id)) as asked:
            while True:
                # A wake-up is a hint: after a reconnect the hub wakes everybody. The database knows.
                if await asked.wait(60.0):
                    self._writer.look_at(stream)


def _stop_topic(run_id: UUID) -> str:
    return f"stop:{run_id}"
