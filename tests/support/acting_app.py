"""An application whose tools leave lines in a file: the provider that tests ask what was done, and how often."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from stead import Stead
from stead.tools import ActionContext, ToolRetry

# A clock that is wrong in this process: the time of day, not what measures durations.
if "CLOCK_OFF_S" in os.environ:
    time_machine.travel(
        datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_OFF_S"])), tick=True
    ).start()

app = Stead()


def leave(action: ActionContext, *words: object) -> None:
    """One line, at once on disk: what was done is known even of a process that is killed the moment after."""
    line = " ".join(str(word) for word in (action.key, *words)) + "\n"
    fd = os.open(os.environ["EFFECTS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, line.encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def end_process(how: str) -> None:
    """Ends this process at once, as the kernel would."""
    if how == "MEMORY":
        # All that it may have, taken at once: the interpreter cannot go on.
        resource.setrlimit(resource.RLIMIT_AS, (1, 1))
        os.abort()
    os.kill(os.getpid(), signal.Signals[how])


async def do(action: ActionContext, order: str, dies: str, wait: str) -> dict[str, object]:
    """Has its effect once a call; ends its process before or after, or waits for a file, where that is asked."""
    leave(action, "call", order, action.attempt, os.getpid())
    if dies == "before" and action.attempt == 1:
        end_process("SIGKILL")
    leave(action, "effect", order, action.attempt, os.getpid())
    if dies == "after" and action.attempt == 1:
        end_process("SIGKILL")
    while wait and not Path(wait).exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.01)
    return {"order": order, "by": os.getpid()}


@app.tool(name="send", risk="medium")
async def send(action: ActionContext, order: str, dies: str = "", wait: str = "") -> dict[str, object]:
    """Sends something: twice sent is two of it."""
    return await do(action, order, dies, wait)


@app.tool(name="upsert", risk="medium", idempotent=True)
async def upsert(action: ActionContext, order: str, dies: str = "", wait: str = "") -> dict[str, object]:
    """Puts something in its place: twice put is one of it."""
    return await do(action, order, dies, wait)


@app.tool(name="transfer", risk="high")
async def transfer(action: ActionContext, order: str) -> dict[str, object]:
    """Wants an approval."""
    return await do(action, order, "", "")


@app.tool(name="poison_send", risk="medium")
async def poison_send(action: ActionContext, how: str) -> None:
    """Ends its process, each time."""
    leave(action, "call", how, action.attempt, os.getpid())
    end_process(how)


@app.tool(name="poison_upsert", risk="medium", idempotent=True)
async def poison_upsert(action: ActionContext, how: str) -> None:
    """Ends its process, each time."""
    leave(action, "call", how, action.attempt, os.getpid())
    end_process(how)


@app.tool(name="garbage", risk="medium")
async def garbage(action: ActionContext) -> object:
    """Returns what is no JSON."""
    leave(action, "effect", "garbage", action.attempt, os.getpid())
    return object()


@app.tool(name="busy", risk="medium")
async def busy(action: ActionContext) -> None:
    """Asks to be called again."""
    leave(action, "call", "busy", action.attempt, os.getpid())
    raise ToolRetry("later", after_s=0.01)
