"""``stead jobs``: run, list, show, answer, cancel, retry. As the tenant's service, without a running server."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args
from uuid import UUID

import typer

from stead.cli import output
from stead.cli.access import as_service, read_id, run
from stead.cli.jobs_output import ask, print_job, print_jobs
from stead.cli.jobs_watch import follow
from stead.cli.moments import read_moment
from stead.cli.servers import load
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.db import Database
    from stead.identity import Principal
    from stead.jobs import Answer, Enqueued, Job, JobRegistry, JobStatus, NewJob
    from stead.jobs.jobs import Step

app = typer.Typer(help="Jobs: run, follow, answer, cancel.", no_args_is_help=True)

TenantSlug = Annotated[str, typer.Option("--tenant", help="The tenant's slug.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command("list")
def list_command(
    status: Annotated[
        list[str] | None,
        typer.Option(
            help="queued, running, waiting_for_input, completed, failed or cancelled. Repeatable; all without it."
        ),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind.")] = None,
    project: Annotated[str | None, typer.Option(help="Only jobs of this project (its id).")] = None,
    tenant: TenantSlug = "demo",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Lists jobs, the latest first.

    Example: stead jobs list --status failed --kind research
    """
    statuses = _statuses(status)
    project_id = read_id(project) if project is not None else None
    print_jobs(run(_list(tenant, statuses, kind, project_id, limit)), as_json=as_json)


@app.command("show")
def show(job_id: JobId, tenant: TenantSlug = "demo", as_json: AsJson = False) -> None:
    """Shows one job: how it stands, what it has done, what it asks.

    Example: stead jobs show 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    job, steps = run(_show(tenant, read_id(job_id)))
    print_job(job, steps, as_json=as_json)


@app.command("watch")
def watch(
    job_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Jobs; without any: all that are under way (100 at most)."
        ),
    ] = None,
    tenant: TenantSlug = "demo",
    as_json: AsJson = False,
) -> None:
    """Follows jobs to their end. Exits with 0 when all completed, else with 1.

    A terminal gets progress bars, a pipe a line for each event.

    Example: stead jobs watch 01a1fb26-2e37-7060-84c3-e275028161d3 --json
    """
    ids = [read_id(each) for each in job_ids or ()]
    if not run(_watch(tenant, ids, as_json=as_json)):
        raise typer.Exit(1)


@app.command("answer")
def answer(
    job_id: JobId,
    answers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[QUESTION=ANSWER]...", help="One for each question; asked for without any."
        ),
    ] = None,
    tenant: TenantSlug = "demo",
) -> None:
    """Answers what a job asks; it goes on.

    Example: stead jobs answer 01a1fb26-2e37-7060-84c3-e275028161d3 q1="The city" q2=yes
    """
    pairs = [_pair(each) for each in answers or ()]
    run(_answer(tenant, read_id(job_id), pairs))
    output.say(f"job {job_id} goes on")


@app.command("cancel")
def cancel(job_id: JobId, tenant: TenantSlug = "demo") -> None:
    """Cancels a job and all that it spawned, at once.

    Example: stead jobs cancel 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    run(_cancel(tenant, read_id(job_id)))
    output.say(f"job {job_id} is cancelled")


@app.command("retry")
def retry(job_id: JobId, tenant: TenantSlug = "demo") -> None:
    """Lets a job that failed or was cancelled run again; finished steps are not repeated.

    Example: stead jobs retry 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    run(_retry(tenant, read_id(job_id)))
    output.say(f"job {job_id} is queued again")


@app.command("run")
def run_command(
    kind: Annotated[str, typer.Argument(help="The kind of job: the name that its handler has.")],
    input_: Annotated[
        str,
        typer.Option("--input", help="The handler's arguments, a JSON object; - reads standard input."),
    ] = "{}",
    app_: Annotated[
        str | None,
        typer.Option("--app", help="Your application, as module:variable: kind and input are checked."),
    ] = None,
    queue: Annotated[
        str | None, typer.Option(help="Which queue; what the handler says, or default.")
    ] = None,
    priority: Annotated[int, typer.Option(min=-100, max=100, help="Higher runs first.")] = 0,
    at: Annotated[
        str | None, typer.Option(help="Not before this moment (ISO 8601, UTC without a zone).")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="While a job of this kind and key has not ended, no other is made."),
    ] = None,
    project: Annotated[str | None, typer.Option(help="The project (its id) that it belongs to.")] = None,
    tenant: TenantSlug = "demo",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end, as watch does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Enqueues a job and prints its id.

    Example: stead jobs run research --input '{"user_idea": "A CRM for dog walkers"}' --wait
    """
    from stead.jobs import NewJob  # noqa: PLC0415

    given = _input(input_)
    registry = load(app_).jobs if app_ is not None else None
    job = NewJob(
        kind=kind,
        input=given,
        queue=queue or (registry.get(kind).queue if registry is not None else "default"),
        priority=priority,
        run_at=read_moment(at),
        dedupe_key=key,
        project_id=read_id(project) if project is not None else None,
    )
    if not run(_run(tenant, job, registry, wait=wait, as_json=as_json)):
        raise typer.Exit(1)


async def _list(
    slug: str, statuses: Sequence[JobStatus] | None, kind: str | None, project: UUID | None, limit: int
) -> list[Job]:
    from stead import jobs  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await jobs.jobs.listing(
            tx, opened.principal, project_id=project, statuses=statuses, kind=kind, limit=limit
        )


async def _show(slug: str, job_id: UUID) -> tuple[Job, list[Step]]:
    from stead import jobs  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        job = await jobs.jobs.get(tx, opened.principal, job_id)
        return job, await jobs.jobs.steps(tx, opened.principal, job_id)


async def _watch(slug: str, ids: Sequence[UUID], *, as_json: bool) -> bool:
    async with as_service(slug, connections=4) as opened:
        return await follow(opened, ids, as_json=as_json)


async def _answer(slug: str, job_id: UUID, pairs: Sequence[tuple[str, str]]) -> None:
    from stead import jobs  # noqa: PLC0415

    async with as_service(slug) as opened:
        answers: Sequence[Answer] = [jobs.Answer(question_id=q, answer=text) for q, text in pairs]
        if not answers:
            async with opened.db.transaction(opened.principal, read_only=True) as tx:
                job = await jobs.jobs.get(tx, opened.principal, job_id)
            if job.status != "waiting_for_input":
                raise jobs.JobNotWaiting(f"job {job_id} is {job.status}")
            if not sys.stdin.isatty():
                names = " ".join(f"{question.id}=…" for question in job.questions)
                raise Invalid("nobody is here to ask", hint=f"stead jobs answer {job_id} {names}")
            answers = ask(job)
        async with opened.db.transaction(opened.principal) as tx:
            await jobs.jobs.respond(tx, opened.principal, job_id, answers)


async def _cancel(slug: str, job_id: UUID) -> None:
    from stead import jobs  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        await jobs.jobs.cancel(tx, opened.principal, job_id)


async def _retry(slug: str, job_id: UUID) -> None:
    from stead import jobs  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        await jobs.jobs.try_again(tx, opened.principal, job_id)


async def _run(
    slug: str, job: NewJob, registry: JobRegistry | None, *, wait: bool, as_json: bool
) -> bool:

    async with as_service(slug, connections=4) as opened:
        made: Enqueued = await _enqueue(
            opened.db, opened.principal, job, registry, opened.settings.dispatch
        )
        if wait:
            return await follow(opened, [made.id], as_json=as_json)
        if as_json:
            sys.stdout.write(output.line({"job_id": made.id, "new": made.new}))
        else:
            output.say(str(made.id))
            if not made.new:
                output.err.print("a job of this key has not ended yet: it is that one", style="dim")
    return True


async def _enqueue(
    db: Database, principal: Principal, job: NewJob, registry: JobRegistry | None, dispatch: str
) -> Enqueued:
    import asyncpg  # noqa: PLC0415

    from stead import jobs  # noqa: PLC0415

    try:
        async with db.transaction(principal) as tx:
            return await jobs.enqueue(tx, principal, job, registry=registry, dispatch=dispatch)
    except asyncpg.CheckViolationError as error:
        raise jobs.JobInvalid(
            f"kind {job.kind!r} or queue {job.queue!r} is no name",
            hint="Lower-case letters, digits, underscores, dots and hyphens.",
        ) from error
    except asyncpg.ForeignKeyViolationError as error:
        raise jobs.JobInvalid(f"there is no project {job.project_id}") from error


def _statuses(given: list[str] | None) -> list[JobStatus] | None:
    from stead.jobs import JobStatus  # noqa: PLC0415

    known = get_args(JobStatus)
    for status in given or ():
        if status not in known:
            raise Invalid(f"there is no status {status!r}", hint=f"There are: {', '.join(known)}.")
    return cast("list[JobStatus] | None", given or None)


def _pair(text: str) -> tuple[str, str]:
    question, equals, said = text.partition("=")
    if not equals or not question:
        raise Invalid(f"{text!r} answers no question", hint='QUESTION=ANSWER, such as q1="The city".')
    return question, said


def _input(text: str) -> dict[str, Any]:
    try:
        given: Any = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise Invalid(f"the input is no JSON: {error}", hint="""--input '{"name": "value"}'""") from None
    if not isinstance(given, dict):
        raise Invalid("the input is no JSON object", hint="""--input '{"name": "value"}'""")
    return cast("dict[str, Any]", given)
