"""Workers of Celery in processes of their own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from stead import jobs
from stead.jobs import NewJob
from stead.jobs.broker import BrokerConfig, CeleryDelivery, Dispatcher
from stead.realtime import Hub
from tests.guarantees.jobs import TARGET, Plant
from tests.support.people import SECRET
from tests.support.workshop_app import app

#: What is lost is sent again after a second in place of ten, so that a test need not wait for it.
HASTY_S = 1.0
#: Never within a test: what runs all the same was sent when it was due.
PATIENT_S = 3_600.0


class CeleryProcess:
    """``celery -A stead.celery_app worker``."""

    def __init__(self, plant: Plant, broker_url: str, *options: str, **environment: str) -> None:
        self.name = f"w{uuid.uuid4().hex[:8]}"
        self._options = options or ("--pool", "threads", "--concurrency", "8")
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("STEAD_")},
            "EFFECTS_FILE": str(plant.effects),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "STEAD_APP": TARGET,
            "STEAD_BROKER_URL": broker_url,
            "STEAD_DATABASE_URL": plant.access.runtime_url,
            "STEAD_ADMIN_DATABASE_URL": plant.access.admin_url or "",
            "STEAD_JWT_SECRET": SECRET,
            "STEAD_LOG_FORMAT": "json",
            "STEAD_DRAIN_S": "1",
            **environment,
        }
        self.process: asyncio.subprocess.Process | None = None
        self.log: list[str] = []
        self._reader: asyncio.Task[None] | None = None

    async def start(self, *, ready: bool = True) -> CeleryProcess:
        """Starts it, and waits until it takes messages."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "celery", "-A", "stead.celery_app", "worker",
            "-n", self.name, "--loglevel", "info", *self._options,
            env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        if ready:
            await self.says(f"{self.name} ready")
        return self

    async def says(self, *words: str, timeout_s: float = 60) -> None:
        """Waits until a line of its log has all of these."""
        async with asyncio.timeout(timeout_s):
            while not any(all(word in line for word in words) for line in self.log):
                assert self.process is not None
                assert self.process.returncode is None, self.text
                await asyncio.sleep(0.02)

    @property
    def text(self) -> str:
        """All that it said."""
        return "\n".join(self.log)

    @property
    def pid(self) -> int:
        """Of the main process."""
        assert self.process is not None
        return self.process.pid

    async def kill(self) -> None:
        """``kill -9``, of its children too."""
        self._send(signal.SIGKILL)
        await self._gone()

    def pause(self) -> list[int]:
        """Holds it, and its children too. Returns their ids."""
        return self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        self._send(signal.SIGCONT)

    @property
    def children(self) -> list[int]:
        """Ids of its children."""
        return [each.pid for each in psutil.Process(self.pid).children(recursive=True)]

    def _send(self, number: signal.Signals) -> list[int]:
        family = [self.pid, *self.children]
        for pid in family:
            os.kill(pid, number)
        return family

    async def stop(self) -> int:
        """SIGTERM to the main process, and waits."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        await self._gone()
        assert self.process.returncode is not None
        return self.process.returncode

    async def _gone(self) -> None:
        assert self.process is not None
        await self.process.wait()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.log.append(line.decode(errors="replace").rstrip())


class Fleet:
    """A plant whose jobs a broker delivers, and the one who gives them to it."""

    def __init__(self, plant: Plant, broker_url: str, hub: Hub, lost_s: float) -> None:
        self.plant = plant
        self.broker_url = broker_url
        self.config = BrokerConfig(
            url=broker_url, answer_s=10.0, poll_s=0.2, check_s=0.2, lost_s=lost_s, least_s=30 * lost_s
        )
        self.delivery = CeleryDelivery(self.config)
        self.dispatcher = Dispatcher(plant.db, hub, self.delivery, app.jobs.queues, self.config)
        self._workers: list[CeleryProcess] = []

    async def worker(self, *options: str, **environment: str) -> CeleryProcess:
        """A worker that takes messages."""
        process = CeleryProcess(self.plant, self.broker_url, *options, **environment)
        self._workers.append(process)
        return await process.start()

    async def enqueue(
        self, kind: str, count: int = 1, /, *, queue: str = "default", **given: Any
    ) -> list[UUID]:
        """So many jobs for Celery."""
        async with self.plant.db.transaction(self.plant.service) as tx:
            return await jobs.enqueue_many(
                tx,
                self.plant.service,
                [NewJob(kind=kind, input=given, queue=queue) for _ in range(count)],
                registry=app.jobs,
                dispatch="celery",
            )

    async def until(self, job_id: UUID, *statuses: str) -> jobs.Job:
        """The job as soon as it has one of these statuses."""
        async with asyncio.timeout(60):
            while True:
                job = await self.plant.get(job_id)
                if job.status in statuses:
                    return job
                await asyncio.sleep(0.02)

    async def ended(self, job_id: UUID) -> jobs.Job:
        """The job at its end."""
        return await self.until(job_id, "completed", "failed", "cancelled")

    async def left(self, job_id: UUID, *words: str) -> None:
        """Waits until the job has left this line."""
        async with asyncio.timeout(60):
            while True:
                if list(words) in [line[: len(words)] for line in self.plant.lines()[job_id]]:
                    return
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Kills what still runs."""
        await self.dispatcher.stop()
        await self.delivery.aclose()
        for worker in self._workers:
            if worker.process is not None and worker.process.returncode is None:
                await worker.kill()


@asynccontextmanager
async def fleet(
    plant: Plant, broker_url: str, *, lost_s: float = PATIENT_S, dispatching: bool = True
) -> AsyncIterator[Fleet]:
    """A fleet without workers yet."""
    hub = Hub(plant.access.listen_url)
    await hub.start()
    made = Fleet(plant, broker_url, hub, lost_s)
    if dispatching:
        made.dispatcher.start()
    try:
        yield made
    finally:
        await made.stop()
        await hub.stop()
