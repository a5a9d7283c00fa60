"""Sends ids of jobs to the broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from stead.jobs.broker.application import TASK, celery_application, queue_name
from stead.jobs.broker.config import BrokerConfig
from stead.jobs.errors import BrokerUnavailable

R = TypeVar("R")
_log = structlog.stdlib.get_logger(__name__)
#: Calls that wait for one that hangs. More would only wait in vain.
_MOST_WAITING: Final = 20


class CeleryDelivery:
    """Implements `Delivery` by a broker: one connection, used by one thread, since its library blocks.

    Args:
        config: The broker.

    Raises:
        BrokerNotConfigured: Celery is not installed.
    """

    def __init__(self, config: BrokerConfig) -> None:
        self._config = config
        self._app = celery_application(config, (), sender=True)
        # Else it would take a connection of its own for each broadcast.
        self._app.control.mailbox.producer_pool = None
        self._connection: Any = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stead-broker")
        self._waiting = 0

    async def send(self, jobs: Sequence[tuple[UUID, str, str]]) -> int:
        """Sends ids of jobs.

        Args:
            jobs: Each job's id, queue, and the id of its task.

        Returns:
            How many the broker took, from the first on.

        Raises:
            BrokerUnavailable: It does not answer at all.
        """
        return await self._call(lambda: self._send(jobs), self._config.batch_s)

    async def revoke(self, tasks: Sequence[str]) -> None:
        """Tells workers not to begin these. Whoever runs one is told by the database."""
        if not tasks:
            return
        try:
            await self._call(lambda: self._revoke(tasks), self._config.answer_s)
        except BrokerUnavailable:
            # Nothing is lost: a message for a job that was cancelled finds it so.
            _log.warning("jobs_not_revoked", tasks=len(tasks))

    async def waiting(self, queues: Sequence[str]) -> dict[str, int]:
        """How many messages wait in each of these queues of Stead; those that workers hold are not counted.

        Raises:
            BrokerUnavailable: The broker does not answer.
        """
        return await self._call(lambda: self._depths(queues), self._config.batch_s)

    async def aclose(self) -> None:
        """Closes the connection."""
        with contextlib.suppress(BrokerUnavailable):
            await self._call(self._drop, self._config.answer_s)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[[], R], limit_s: float) -> R:
        if self._waiting >= _MOST_WAITING:
            raise self._unavailable("it hangs")
        self._waiting += 1
        call = asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, function)
        call.add_done_callback(self._called)
        try:
            # The thread cannot be interrupted: its own time limits end what it does.
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(call)
        except TimeoutError:
            raise self._unavailable("it does not answer in time") from None

    def _called(self, call: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        if not call.cancelled():
            # Retrieved, also where nobody waits any more.
            call.exception()

    def _guarded(self, function: Callable[[], R]) -> R:
        try:
            return function()
        except BrokerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - errors of kombu, redis and amqp have no common base
            self._drop()
            raise self._unavailable(type(error).__name__) from None

    def _unavailable(self, reason: str) -> BrokerUnavailable:
        return BrokerUnavailable(f"the broker at {self._config.address} cannot be used: {reason}")

    def _connected(self) -> Any:
        if self._connection is None:
            self._connection = self._app.connection_for_write()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.release()

    def _send(self, jobs: Sequence[tuple[UUID, str, str]]) -> int:
        taken = 0
        try:
            with self._app.amqp.Producer(
                self._connected().default_channel, auto_declare=False
            ) as producer:
                for job_id, queue, task_id in jobs:
                    self._app.send_task(
                        TASK,
                        args=[str(job_id)],
                        task_id=task_id,
                        queue=queue_name(queue),
                        producer=producer,
                        retry=False,
                        ignore_result=True,
                    )
                    taken += 1
        except Exception:
            if not taken:
                raise
            self._drop()
        return taken

    def _revoke(self, tasks: Sequence[str]) -> None:
        self._app.control.revoke(list(tasks), connection=self._connected())

    def _depths(self, queues: Sequence[str]) -> dict[str, int]:
        return {queue: self._depth(queue_name(queue)) for queue in queues}

    def _depth(self, name: str) -> int:
        connection = self._connected()
        with contextlib.closing(connection.channel()) as channel:
            try:
                return channel.queue_declare(queue=name, passive=True).message_count
            except connection.channel_errors:
                # There is no such queue, until something is sent to it.
                return 0
