"""An application whose jobs leave lines in a file: run by worker processes that tests kill."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from stead import Stead
from stead.db import Transaction
from stead.jobs import JobContext, Question

# A clock that is wrong in this process: the time of day, not what measures durations.
if "CLOCK_OFF_S" in os.environ:
    time_machine.travel(
        datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_OFF_S"])), tick=True
    ).start()

app = Stead()


def leave(*words: object) -> None:
    """One line, at once on disk: what was done is known even of a process that is killed the moment after."""
    line = " ".join(str(word) for word in words) + "\n"
    fd = os.open(os.environ["EFFECTS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, line.encode())
        os.fsync(fd)
    finally:
        os.close(fd)


@app.job("note")
async def note(job: JobContext) -> None:
    """Leaves one line."""
    leave(job.id)


@app.job("steps", backoff_s=0.05)
async def steps(job: JobContext, n: int) -> int:
    """So many steps, each with a line of its own."""

    async def one(number: int) -> int:
        await asyncio.sleep(0.002)
        leave(job.id, number)
        return number

    return sum([await job.step("one", one, number) for number in range(n)])


@app.job("gate")
async def gate(job: JobContext, path: str) -> int:
    """A step, then waits for a file, then another step; tells which process ended it."""

    async def one(name: str) -> int:
        leave(job.id, name, os.getpid())
        return os.getpid()

    await job.step("before", one, "before")
    while not Path(path).exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.01)
    return await job.step("after", one, "after")


@app.job("poison", max_attempts=50)
async def poison(job: JobContext, how: str) -> None:
    """Ends its process."""
    leave(job.id, how, os.getpid())
    os.kill(os.getpid(), signal.Signals[how])


@app.job("garbage", max_attempts=2, backoff_s=0.01)
async def garbage(job: JobContext) -> object:
    """Returns what is no JSON."""
    leave(job.id)
    return object()


@app.job("slow")
async def slow(job: JobContext) -> str:
    """Takes a moment."""
    await asyncio.sleep(0.3)
    return "done"


@app.job("ask")
async def ask(job: JobContext) -> str:
    """A step, a question, a step."""

    async def one(name: str) -> str:
        leave(job.id, name)
        return name

    await job.step("before", one, "before")
    answer = (await job.ask([Question(id="q", question="Well?")]))[0].answer
    return await job.step("after", one, answer)


@app.job("ledger", backoff_s=0.05)
async def ledger(job: JobContext, n: int) -> int:
    """Begins with a line; then so many rows of a table of the test's, each with its checkpoint."""

    async def one(tx: Transaction, number: int) -> int:
        await tx.execute("insert into public.effects (job_id, number) values ($1, $2)", job.id, number)
        return number

    leave(job.id, "began", os.getpid())
    total = 0
    for number in range(n):
        await asyncio.sleep(0.005)
        total += await job.write("one", one, number)
    return total


@app.job("guarded")
async def guarded(job: JobContext) -> None:
    """Waits until it is ended from outside, and tells of it."""
    leave(job.id, "began")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        leave(job.id, "ended")
        raise


@app.job("flaky", max_attempts=3, backoff_s=0.2)
async def flaky(job: JobContext) -> int:
    """Fails at first."""
    leave(job.id, job.attempt)
    if job.attempt < 3:
        raise ValueError("not yet")
    return job.attempt


@app.job("family")
async def family(job: JobContext, n: int) -> list[int]:
    """Sleeps a moment, spawns children, and waits for them."""
    await job.sleep_until(await job.step("when", _soon))
    children = [await job.spawn("steps", {"n": number}) for number in range(n)]
    return [child.result for child in await job.wait(children)]


async def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=0.3)
