"""Jobs and queues on a terminal and in a pipe, and questions to the person in front of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from stead.cli import output
from stead.cli.output import line, visible

if TYPE_CHECKING:
    from stead.jobs import Answer, Job, Question
    from stead.jobs.jobs import Step

#: The colour of a status.
COLOURS: Final[Mapping[str, str]] = {
    "queued": "dim",
    "running": "cyan",
    "waiting_for_input": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "magenta",
}
_PREVIEW_CHARS: Final = 200


def print_jobs(jobs: Sequence[Job], *, as_json: bool) -> None:
    """A table for a person, a line a job for a pipe."""
    if as_json:
        for job in jobs:
            sys.stdout.write(line(asdict(job)))
        return
    if not sys.stdout.isatty():
        for job in jobs:
            sys.stdout.write(
                f"{job.id}  {job.status}  {job.kind}  {job.progress:.0f}%  {job.created_at:%Y-%m-%dT%H:%M:%SZ}\n"
            )
        return
    if not jobs:
        output.say("there is no such job", "dim")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("when", "kind", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    # Whole, whatever the width: it is what the next command needs.
    table.add_column("id", no_wrap=True, min_width=36)
    table.add_column("", overflow="ellipsis", no_wrap=True)
    for job in jobs:
        table.add_row(
            f"{job.created_at:%Y-%m-%d %H:%M}",
            job.kind,
            f"[{COLOURS[job.status]}]{job.status}[/]",
            f"{job.progress:.0f}%",
            str(job.id),
            escape(short(job.error or "")),
        )
    # Not the soft wrapping of other output: a table has to know how wide it may be.
    output.out.print(table, soft_wrap=False)


def print_job(job: Job, steps: Sequence[Step], *, as_json: bool) -> None:
    """Everything that is known of one job."""
    record = {**asdict(job), "steps": [asdict(step) for step in steps]}
    if as_json:
        sys.stdout.write(line(record))
        return
    for name, value in asdict(job).items():
        if value in (None, []) or name == "questions":
            continue
        # It waits for others: there is no such day.
        said = (
            "when the jobs that it waits for have ended" if name == "run_at" and _never(value) else value
        )
        output.out.print(f"[dim]{name:14}[/] {escape(plain(said))}")
    for question in job.questions:
        output.out.print(f"[yellow]asks[/] {escape(_asked(question))}")
    for step in steps:
        took = "" if step.duration_ms is None else f" [dim]{step.duration_ms} ms[/]"
        result = "" if step.result is None else f" {escape(short(plain(step.result)))}"
        output.out.print(f"[dim]{step.kind:14}[/] {escape(visible(step.name))}{took}{result}")


def print_queues(queues: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Queues: what waits and runs in each, and how it is limited."""
    for queue in queues:
        if as_json:
            sys.stdout.write(line(dict(queue)))
            continue
        limit = "" if queue["max_running"] is None else f" of {queue['max_running']}"
        said = [
            f"queued {queue['queued']}",
            f"running {queue['running']}{limit}",
            f"waiting {queue['waiting']}",
            *([f"weight {queue['weight']}"] if queue["weight"] != 1 else []),
            *(["paused"] if queue["paused"] else []),
        ]
        output.say("  ".join((queue["queue"], *said)), "yellow" if queue["paused"] else "")
    if not queues and not as_json:
        output.say("no queue holds anything, or is limited", "dim")


def ask(job: Job) -> list[Answer]:
    """Asks the person at the terminal what the job asks. A number chooses an option."""
    from stead.jobs import Answer  # noqa: PLC0415

    answers: list[Answer] = []
    for question in job.questions:
        output.err.print(f"[yellow]{escape(visible(question.question))}[/]")
        options = list(question.options or ())
        for number, option in enumerate(options, 1):
            output.err.print(f"  [dim]{number}[/] {escape(visible(option))}")
        said = str(typer.prompt(visible(question.id), err=True))
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(options):
            said = options[int(said) - 1]
        answers.append(Answer(question_id=question.id, answer=said))
    return answers


def short(text: str) -> str:
    """A line of it, no longer than fits."""
    words = " ".join(text.split())
    return visible(words if len(words) <= _PREVIEW_CHARS else words[: _PREVIEW_CHARS - 1] + "…")


def plain(value: object) -> str:
    """A value on a terminal."""
    if isinstance(value, list | dict):
        return visible(json.dumps(value, ensure_ascii=False, default=str))
    return visible(str(value))


def _asked(question: Question) -> str:
    options = f" ({', '.join(question.options)})" if question.options else ""
    return visible(f"{question.id}: {question.question}{options}")


def _never(value: object) -> bool:
    return getattr(value, "year", 0) >= 9000
