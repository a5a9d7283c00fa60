"""``stead jobs watch``: follows jobs to their end by the database alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from stead.assembly.logs import configure_logging
from stead.cli import output
from stead.cli.access import Opened
from stead.cli.jobs_output import COLOURS, plain, short
from stead.cli.output import line

if TYPE_CHECKING:
    from stead.jobs import Job, JobEvent, JobStreams

_MOST: Final = 100
_ENDS: Final = {"complete": "completed", "error": "failed", "cancelled": "cancelled"}


class Screen(Protocol):
    """Where events are shown."""

    def show(self, job: Job, event: str, data: dict[str, Any]) -> None:
        """Shows an event of a job; ``gone``: the job was deleted."""
        ...


async def follow(opened: Opened, ids: Sequence[UUID], *, as_json: bool) -> bool:
    """Follows these jobs, or all that are under way, to their ends.

    Args:
        opened: The database.
        ids: Which; none: all that are under way.
        as_json: Events as JSON Lines.

    Returns:
        Whether all completed.

    Raises:
        JobUnknown: One of them is not there.
    """
    from stead.jobs import JobStreams  # noqa: PLC0415
    from stead.realtime import Hub  # noqa: PLC0415

    configure_logging(opened.settings)
    watched = await _jobs(opened, ids)
    if not watched:
        output.err.print("no job is under way", style="dim")
        return True
    hub = Hub(opened.access.listen_url)
    await hub.start()
    try:
        streams = JobStreams(opened.db, hub)
        with _screen(as_json=as_json) as screen:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_follow(opened, streams, job, screen)) for job in watched]
        return all(task.result() for task in tasks)
    finally:
        await hub.stop()


async def _jobs(opened: Opened, ids: Sequence[UUID]) -> list[Job]:
    from stead import jobs  # noqa: PLC0415

    async with opened.db.transaction(opened.principal, read_only=True) as tx:
        if ids:
            return [await jobs.jobs.get(tx, opened.principal, each) for each in dict.fromkeys(ids)]
        return await jobs.jobs.listing(
            tx, opened.principal, statuses=["queued", "running", "waiting_for_input"], limit=_MOST
        )


async def _follow(opened: Opened, streams: JobStreams, job: Job, screen: Screen) -> bool:
    from stead import jobs  # noqa: PLC0415

    db, principal = opened.db, opened.principal
    try:
        async with db.transaction(principal, read_only=True) as tx:
            start = await streams.start(tx, principal, job.id, None)
        async with aclosing(streams.follow(job.id, start)) as events:
            async for event in events:
                if event is None:
                    # Silent for a while: it is still there?
                    async with db.transaction(principal, read_only=True) as tx:
                        await jobs.jobs.get(tx, principal, job.id)
                    continue
                screen.show(job, event.event, _data(event))
                if event.last:
                    return event.event == "complete"
    except jobs.JobUnknown:
        pass
    # Of what is no more there is no end: the stream or the look at it was the first to notice.
    screen.show(job, "gone", {})
    return False


def _data(event: JobEvent) -> dict[str, Any]:
    return {"seq": event.seq, **event.data}


def _screen(*, as_json: bool) -> AbstractContextManager[Screen]:
    if as_json:
        return nullcontext(_JsonLines())
    return _Bars() if sys.stdout.isatty() else nullcontext(_Lines())


class _JsonLines:
    """A JSON object a line."""

    def show(self, job: Job, event: str, data: dict[str, Any]) -> None:
        sys.stdout.write(line({"job_id": job.id, "kind": job.kind, "event": event, **data}))
        sys.stdout.flush()


class _Lines:
    """A line an event."""

    def show(self, job: Job, event: str, data: dict[str, Any]) -> None:
        said = [str(job.id), job.kind, _status(event, data), _said(job, event, data)]
        sys.stdout.write("  ".join(part for part in said if part) + "\n")
        sys.stdout.flush()


class _Bars:
    """A bar a job."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
            TextColumn("[dim]{task.fields[said]}[/]"),
            console=Console(highlight=False),
        )
        self._tasks: dict[UUID, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, job: Job, event: str, data: dict[str, Any]) -> None:
        status = _status(event, data)
        coloured = f"[{COLOURS.get(status, 'red')}]{status}[/]"
        said = escape(_said(job, event, data, percent=False))
        percent = 100.0 if event == "complete" else data.get("progress")
        task = self._tasks.get(job.id)
        if task is None:
            # The end of an id tells two of one moment apart.
            name = f"{job.kind} [dim]…{str(job.id)[-6:]}[/]"
            task = self._tasks[job.id] = self._progress.add_task(
                name, total=100, status=coloured, said=said
            )
        self._progress.update(task, completed=percent, status=coloured, said=said)


def _status(event: str, data: dict[str, Any]) -> str:
    return _ENDS.get(event) or str(data.get("status", event))


def _said(job: Job, event: str, data: dict[str, Any], *, percent: bool = True) -> str:
    match event:
        case "progress":
            said = short(str(data.get("message") or ""))
            return f"{data['progress']:.0f}%  {said}".rstrip() if percent else said
        case "waiting":
            names = " ".join(f"{question['id']}=…" for question in data["questions"])
            return short(f"stead jobs answer {job.id} {names}")
        case "complete":
            return short(plain(data.get("result"))) if data.get("result") is not None else ""
        case "error":
            return short(f"{data.get('error') or ''} ({data.get('code')})")
        case _:
            return ""
