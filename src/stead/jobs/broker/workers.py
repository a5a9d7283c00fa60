"""Celery's worker processes: the task that runs a job, and what is open while they live."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import structlog

from stead.core.errors import SteadError
from stead.core.ids import parse_id
from stead.db import CONNECTION_LOST
from stead.jobs.broker.application import TASK, library
from stead.jobs.broker.running import JobRunner, OpenWorker, RunnerStopping

_log = structlog.stdlib.get_logger(__name__)
_LOOK_S: Final = 0.02


class CeleryWorkers:
    """Makes workers of Celery run jobs, in whatever pool.

    Every process that runs tasks has one event loop with an open worker of Stead: each child of a prefork pool has
    its own, a pool of threads has one for all.

    Args:
        app: The application of Celery, to which the task is added.
        open_worker: Opens what jobs run on.
        before: Called in the main process before it starts anything; it may end the process.
        set_up_logging: Instead of Celery's own.
    """

    def __init__(
        self,
        app: Any,
        open_worker: OpenWorker,
        before: Callable[[], None],
        set_up_logging: Callable[[], None],
    ) -> None:
        self._open_worker = open_worker
        self._before = before
        self._set_up_logging = set_up_logging
        self._runner: JobRunner | None = None
        self._lock = threading.Lock()
        self._main_pid = 0
        #: Read by children, and written by nobody: its end says that the main process stops.
        self._leash: tuple[int, int] | None = None
        self._reject: Any = library("celery.exceptions").Reject
        self._prefork: Any = library("celery.concurrency.prefork").TaskPool
        app.task(name=TASK, shared=False)(self._run_job)
        app.steps["consumer"].add(_step(self._on_connected))
        signals = library("celery.signals")
        for signal, receiver in (
            (signals.setup_logging, self._on_logging),
            (signals.worker_init, self._on_begin),
            (signals.worker_process_init, self._on_process),
            (signals.worker_shutting_down, self._on_stopping),
            (signals.worker_process_shutdown, self._on_stopped),
            (signals.worker_shutdown, self._on_stopped),
        ):
            signal.connect(receiver, weak=False)

    def _run_job(self, job_id: str) -> None:
        """Runs the job to its end or its next wait, if it is still to be had."""
        wanted = parse_id(str(job_id))
        if wanted is None:
            _log.warning("job_message_invalid")
            return
        try:
            if not self._running().run(wanted):
                # Delivered twice, cancelled, or held back: the row knows.
                _log.info("job_not_claimed", job_id=str(wanted))
        except RunnerStopping:
            raise self._reject("this worker stops", requeue=True) from None
        except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
            # The row is still queued, and is sent again.
            _log.warning("job_not_taken", job_id=str(wanted), reason=type(error).__name__)

    def _running(self) -> JobRunner:
        with self._lock:
            runner = self._runner
            if runner is not None and runner.pid == os.getpid():
                if runner.stopped:
                    raise RunnerStopping
                if runner.alive:
                    return runner
            # The first, or one that could not open the database: it is tried again with each job.
            in_child = self._leash is not None and os.getpid() != self._main_pid
            self._runner = runner = JobRunner(
                self._open_worker, leash=self._leash[0] if self._leash and in_child else None
            )
            runner.start()
            return runner

    def _on_logging(self, **_: Any) -> None:
        self._set_up_logging()

    def _on_begin(self, **_: Any) -> None:
        self._before()
        self._main_pid = os.getpid()
        self._leash = os.pipe()

    def _on_process(self, **_: Any) -> None:
        if self._leash is not None and os.getpid() != self._main_pid:
            os.close(self._leash[1])
            # A child that was forked while another thread of its parent held it.
            self._lock = threading.Lock()
        self._running()

    def _on_connected(self, consumer: Any) -> None:
        if isinstance(consumer.pool, self._prefork):
            return
        self._running()
        if consumer.hub is not None:
            # A thread that ends a task leaves its acknowledgement to Celery's loop, and does not wake it.
            consumer.hub.call_repeatedly(_LOOK_S, _nothing)

    def _on_stopping(self, **_: Any) -> None:
        # Within a signal handler: no lock is taken.
        leash, self._leash = self._leash, None
        if leash is not None:
            os.close(leash[1])
            os.close(leash[0])
        if self._runner is not None:
            self._runner.stop()

    def _on_stopped(self, **_: Any) -> None:
        if self._runner is not None:
            self._runner.stop()
            self._runner.join()


def _step(connected: Callable[[Any], None]) -> Any:
    """A step of Celery's consumer, begun with each connection to the broker, and its timers with it."""

    def start(self: Any, parent: Any) -> None:
        del self
        connected(parent)

    base: Any = library("celery.bootsteps").StartStopStep
    return type("Stead", (base,), {"requires": {"celery.worker.consumer.tasks:Tasks"}, "start": start})


def _nothing() -> None:
    """Only the waking counts."""
