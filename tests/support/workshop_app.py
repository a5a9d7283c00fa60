"""An application whose jobs leave lines in a file: run by worker processes that tests kill."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from stead import Stead
from stead.jobs import JobContext, Question

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
