"""The frames of running answers: kept for those who listen here, written down for everybody else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import structlog

from stead.agents import queries
from stead.agents.frames import Frame
from stead.db import NOBODY, Database
from stead.realtime import notify

_log = structlog.stdlib.get_logger(__name__)

#: How long a frame may wait to be written together with others.
FLUSH_INTERVAL_S: Final = 0.04
#: After how long without a frame a reader is told that there is none, so that connections are kept alive.
SILENCE_S: Final = 15.0
#: How often runs that produce nothing are asked about (stop requests, rescue by another process).
CHECK_INTERVAL_S: Final = 1.0


def topic_of(run_id: UUID) -> str:
    """The topic that is notified when a run's stream grows or ends."""
    return f"run:{run_id}"


class LiveStream:
    """One run's frames as they come. Readers follow an index, so a slow one holds up nobody.

    Args:
        run_id: The run.

    Attributes:
        stop_requested: Set when the run is to end: somebody asked for it, or it was taken over.
        taken_over: Another process rescued the run: it is no longer this one's to write.
    """

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.frames: list[Frame] = []
        self.next_seq = 1
        self.written = 0
        self._attempt = 0
        self.done = False
        self.stop_requested = asyncio.Event()
        self.taken_over = False
        self._grown = asyncio.Event()

    def emit(self, frame: Frame) -> None:
        """Adds a frame; readers here see it at once."""
        self.frames.append(frame)
        self._wake()

    def end(self) -> None:
        """No more frames will come."""
        self.done = True
        self._wake()

    def next_chunk(self) -> list[Frame]:
        """The frames to write next, under ``next_seq``.

        What was tried once is tried again as it was: the first try may have been committed and read.
        """
        if not self._attempt:
            self._attempt = len(self.frames) - self.written
        return self.frames[self.written : self.written + self._attempt]

    def chunk_written(self) -> None:
        """Says that the last `next_chunk` is in the database."""
        if self._attempt:
            self.written += self._attempt
            self.next_seq += 1
        self._attempt = 0

    def unwritten_chunks(self) -> list[list[Frame]]:
        """What is not known to be in the database, as it has to be written from ``next_seq`` on: first what
        was tried, as it was tried, then the rest."""
        tried = self.frames[self.written : self.written + self._attempt]
        rest = self.frames[self.written + self._attempt :]
        return [chunk for chunk in (tried, rest) if chunk]

    async def follow(self) -> AsyncIterator[list[Frame]]:
        """Every frame from the first on, to the end: all that is there at once, then what comes. Nothing at
        all (an empty list) when nothing came for a while."""
        index = 0
        while True:
            if index < len(self.frames):
                batch = self.frames[index:]
                index = len(self.frames)
                yield batch
            elif self.done:
                return
            else:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        await self._grown.wait()
                except TimeoutError:
                    yield []

    def _wake(self) -> None:
        # A new event for the next wait: whoever waits for this one is woken, however many there are.
        self._grown.set()
        self._grown = asyncio.Event()


class FrameWriter:
    """Writes the frames of all streams of this process, together, every few tens of milliseconds.

    One statement and one notification for all, however many streams there are. The same statement tells
    which runs are to end.
    """

    def __init__(self, db: Database, process_id: UUID) -> None:
        self._db = db
        self._process_id = process_id
        self._streams: dict[UUID, LiveStream] = {}
        self._asked: set[UUID] = set()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins writing, in the background."""
        self._task = asyncio.create_task(self._run(), name="frame-writer")

    async def stop(self) -> None:
        """Ends writing. Streams have ended by then."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def add(self, stream: LiveStream) -> None:
        """Takes care of a stream from now on."""
        self._streams[stream.run_id] = stream

    def look_at(self, stream: LiveStream) -> None:
        """Asks the database with the next write whether this run is to end."""
        self._asked.add(stream.run_id)

    async def release(self, stream: LiveStream) -> None:
        """Leaves the rest of a stream to its run, which writes it together with its end.

        Waits for a write under way: what it carries must be there before the end is.
        """
        self._streams.pop(stream.run_id, None)
        async with self._turn:
            pass

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            await asyncio.sleep(FLUSH_INTERVAL_S)
            check_all = loop.time() - checked >= CHECK_INTERVAL_S
            batch = [
                s
                for s in self._streams.values()
                if check_all or s.written < len(s.frames) or s.run_id in self._asked
            ]
            self._asked.clear()
            if check_all:
                checked = loop.time()
            if not batch:
                continue
            try:
                async with self._turn:
                    await self._write([s for s in batch if s.run_id in self._streams])
            except Exception as error:  # noqa: BLE001 - the loop's outermost edge: all streams hang on it
                # Nothing is lost: the same frames go along with the next try.
                _log.warning("stream_write_failed", reason=type(error).__name__, streams=len(batch))
                await asyncio.sleep(1.0)

    async def _write(self, batch: list[LiveStream]) -> None:
        chunks = [stream.next_chunk() for stream in batch]
        async with self._db.transaction(NOBODY) as tx:
            ending = await queries.append_frames(
                tx, self._process_id, [s.run_id for s in batch], [s.next_seq for s in batch], chunks
            )
            await notify(
                tx, [topic_of(s.run_id) for s, chunk in zip(batch, chunks, strict=True) if chunk]
            )
        for stream in batch:
            stream.chunk_written()
        for row in ending:
            stream = self._streams.get(row["run_id"])
            if stream is not None:
                stream.taken_over = row["gone"]
                stream.stop_requested.set()
