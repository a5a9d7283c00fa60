"""``stead memory report`` and ``eval``: whether what is recalled helps, and with which settings it does more."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.markup import escape
from rich.table import Table

from stead.assembly import load_settings
from stead.cli import output
from stead.cli.access import as_service, database, run
from stead.cli.memory import AsJson, TenantSlug
from stead.cli.output import line
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.agents.evaluating import Measured
    from stead.db import Database
    from stead.identity import Tenant
    from stead.memory.evaluation import Bucket, EvaluationRow

_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


def report(
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="So long ago (24h, 30d, 12w), or a day or moment (ISO 8601)."),
    ] = "30d",
    bucket: Annotated[
        Literal["day", "week", "total"], typer.Option(help="A row a day, a week, or for all of it.")
    ] = "day",
    agent: Annotated[str | None, typer.Option(help="Only of this agent (its slug).")] = None,
    tenant: TenantSlug = "demo",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows at most.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Reports what was recalled, what answers used of it and how they were rated, by agent and embedder.

    Example: stead memory report --since 12w --bucket week --agent concierge
    """
    rows = run(_report(tenant, _moment(since), bucket, agent, limit))
    if as_json or not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write(line(asdict(row)))
    elif rows:
        output.out.print(_report_table(rows, bucket), soft_wrap=False)
    else:
        output.say("nothing was recalled in that time", "dim")


def evaluate(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Conversations with questions, JSONL.")
    ],
    embedder: Annotated[
        list[str] | None, typer.Option(help="As STEAD_EMBEDDER, which it is without this. Repeatable.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="ARM", help="Also with this arm of the search off. Repeatable."),
    ] = None,
    k: Annotated[str, typer.Option(help="Cut-offs, with commas between them.")] = "5,10,20",
    categories: Annotated[
        bool, typer.Option("--by-category", help="Also for each category of questions.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measures how much of what answers a question is recalled, with settings side by side.

    Everything is stored in a tenant made for it, which is deleted at the end. Needs the owner's URL.

    Example: stead memory eval conversations.jsonl --embedder static --without dense --without lexical
    """
    try:
        rows = run(_evaluate(dataset, embedder or [], without or [], _depths(k)))
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
    if as_json or not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write(line(_fields(row, categories=categories)))
    else:
        output.out.print(_table(rows, categories=categories), soft_wrap=False)


async def _report(
    slug: str, since: datetime, bucket: Bucket, agent: str | None, limit: int
) -> list[EvaluationRow]:
    from stead.memory import evaluation  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await evaluation.report(
            tx, opened.principal, since=since, bucket=bucket, agent=agent, limit=limit
        )


async def _evaluate(
    path: Path, embedders: Sequence[str], without: Sequence[str], ks: Sequence[int]
) -> list[Measured]:
    from stead.agents import evaluating  # noqa: PLC0415
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    settings = load_settings()
    # All that can be wrong in what was asked for, before anything is made.
    evaluating.check_arms(without)
    ks = evaluating.check_depths(ks)
    scopes = evaluating.load(path)
    rows: list[Measured] = []
    async with contextlib.AsyncExitStack() as stack:
        built: dict[str, Any] = {}
        for name in dict.fromkeys(embedders or [settings.embedder]):
            built[name] = build_embedder(name, embedder_config(settings))
            stack.push_async_callback(built[name].aclose)
        db, tenant = await stack.enter_async_context(_scratch())
        progress = stack.enter_context(_progress())
        for name, one in built.items():
            async for row in evaluating.compare(
                db, tenant, scopes, one, name=name, without=list(dict.fromkeys(without)), ks=ks,
                progress=progress,
            ):  # fmt: skip
                rows.append(row)  # noqa: PERF401 - an interrupt between two rows must find what is there
    return rows


@asynccontextmanager
async def _scratch() -> AsyncGenerator[tuple[Database, Tenant]]:
    """The database, and a tenant that is gone afterwards; also when this is told to stop."""
    from stead.assembly.scratch import scratch_tenant  # noqa: PLC0415
    from stead.db import Database, PoolConfig  # noqa: PLC0415

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        # Not on Windows, and in the main thread only.
        with contextlib.suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
    async with database(load_settings()) as access, scratch_tenant(access.admin_url) as tenant:
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=2))
        try:
            yield db, tenant
        finally:
            await db.close()


@contextmanager
def _progress() -> Generator[Callable[[str, int, int], None]]:
    """On standard error, where a person looks."""
    with output.err.status("") if output.err.is_terminal else contextlib.nullcontext() as status:

        def show(what: str, done: int, of: int) -> None:
            if status is not None:
                status.update(f"{what} {done}/{of}")

        yield show


def _depths(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise Invalid(f"{text!r} are no cut-offs", hint="For instance 5,10,20.") from None


def _moment(text: str) -> datetime:
    if match := re.fullmatch(r"([0-9]{1,4})([hdw])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text!r} is no time",
            hint="A number with h, d or w (30d), a day or a moment: 2026-05-07.",
        ) from None


def _fields(row: Measured, *, categories: bool) -> dict[str, Any]:
    fields = asdict(row)
    if not categories:
        fields.pop("by_category")
    return fields


def _table(rows: Sequence[Measured], *, categories: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("setting", overflow="fold")
    for name in (*(f"@{k}" for k in rows[0].recall), "n", "p50 ms", "p95 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        setting = row.embedder + (f" without {row.without}" if row.without else "")
        shares = (f"{share:.3f}" for share in row.recall.values())
        table.add_row(escape(setting), *shares, str(row.n), f"{row.p50_ms:.1f}", f"{row.p95_ms:.1f}")
        for category, found in row.by_category.items() if categories else ():
            shares = (f"{found[k]:.3f}" for k in row.recall)
            table.add_row(escape(f"  {category}"), *shares, f"{found['n']:.0f}", style="dim")
    return table


def _report_table(rows: Sequence[EvaluationRow], bucket: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("since" if bucket == "total" else bucket, "agent", "embedder"):
        table.add_column(name, overflow="fold")
    for name in (
        "recalls", "found", "given", "tokens", "hit rate", "helped", "up", "down", "p50 ms", "p95 ms",
    ):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{row.bucket:%Y-%m-%d}", escape(row.agent_name or ""), escape(row.embedder or ""), str(row.recalls),
            _number(row.found), _number(row.injected), _number(row.context_tokens, 0),
            _number(row.hit_rate, 3), _number(row.used_share, 3), str(row.up), str(row.down),
            _number(row.recall_p50_ms), _number(row.recall_p95_ms),
        )  # fmt: skip
    return table


def _number(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"
