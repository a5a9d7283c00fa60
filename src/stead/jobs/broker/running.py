"""One event loop in a thread of its own, for tasks of Celery, which are no coroutines."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager
from typing import Final
from uuid import UUID

import structlog

from stead.jobs.worker import Worker

_log = structlog.stdlib.get_logger(__name__)
_LOOK_S: Final = 1.0

OpenWorker = Callable[[], AbstractAsyncContextManager[Worker]]


class RunnerStopping(Exception):
    """This process ends: the job is for another one."""


class JobRunner:
    """Runs jobs in one loop with one pool of connections, for any number of threads that wait for them.

    Args:
        open_worker: Opens what jobs run on, and closes it.
        leash: A file descriptor whose end of file says that the process that made this one stops; None: there is
            no such process.
    """

    def __init__(self, open_worker: OpenWorker, *, leash: int | None = None) -> None:
        self._open_worker = open_worker
        self._leash = leash
        self._takes: set[asyncio.Task[bool]] = set()
        self._opened: Future[tuple[asyncio.AbstractEventLoop, Worker, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._main, name="stead-jobs", daemon=True)
        #: The process that it lives in: a fork does not take threads along.
        self.pid = os.getpid()

    def start(self) -> None:
        """Begins to open, and does not wait for it."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it opens, or is open."""
        return self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        opened = self._opened
        return opened.done() and opened.exception() is None and opened.result()[2].is_set()

    def run(self, job_id: UUID) -> bool:
        """Runs one job to its end or its next wait, and waits for that.

        Args:
            job_id: The job.

        Returns:
            False when it is not to be had.

        Raises:
            RunnerStopping: This process stops, and did not take it.
            SteadError: The database cannot be had.
        """
        loop, worker, stopping = self._opened.result()
        if stopping.is_set():
            raise RunnerStopping
        try:
            call = asyncio.run_coroutine_threadsafe(self._take(worker, job_id), loop)
        except RuntimeError:
            raise RunnerStopping from None
        # A loop that has ended answers nothing any more.
        while not wait([call], _LOOK_S).done:
            if not self._thread.is_alive():
                raise RunnerStopping
        if call.cancelled():
            raise RunnerStopping
        taken = call.result()
        if not taken and stopping.is_set():
            raise RunnerStopping
        return taken

    def stop(self) -> None:
        """Takes no more; lets jobs end for some seconds, then hands them back. Does not wait for it."""
        self._opened.add_done_callback(self._stop)

    def join(self) -> None:
        """Waits until it has stopped."""
        if self.pid == os.getpid():
            self._thread.join()

    @staticmethod
    def _stop(opened: Future[tuple[asyncio.AbstractEventLoop, Worker, asyncio.Event]]) -> None:
        if opened.exception() is None:
            loop, _, stopping = opened.result()
            if not loop.is_closed():
                loop.call_soon_threadsafe(stopping.set)

    async def _take(self, worker: Worker, job_id: UUID) -> bool:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs
        self._takes.add(task)
        try:
            return await worker.take(job_id)
        finally:
            self._takes.discard(task)

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._live())
        except Exception as error:  # noqa: BLE001 - the thread's outermost edge: whoever waits is told
            if not self._opened.done():
                self._opened.set_exception(error)
            else:
                _log.error("job_runner_ended", reason=type(error).__name__)

    async def _live(self) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        async with self._open_worker() as worker:
            async with worker.ready():
                if self._leash is not None:
                    loop.add_reader(self._leash, self._let_go, loop, stopping)
                self._opened.set_result((loop, worker, stopping))
                await stopping.wait()
                worker.stop()
                await worker.drain()
            await asyncio.gather(*self._takes, return_exceptions=True)

    def _let_go(self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
        assert self._leash is not None  # noqa: S101 - it is read
        loop.remove_reader(self._leash)
        stopping.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
