"""``stead memory``: what is remembered of whom. As the tenant's service, without a running server."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, cast, get_args
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from stead.assembly import Settings, load_settings
from stead.cli import output
from stead.cli.access import database, run
from stead.core.errors import Invalid
from stead.core.ids import parse_id

if TYPE_CHECKING:
    from stead.db import Database, Transaction
    from stead.identity import Principal
    from stead.memory import Memory, MemoryKind, Recalled
    from stead.memory.scopes import Scope

app = typer.Typer(help="Memories: search, look at, export.", no_args_is_help=True)

_ARMS: Final = (
    "dense",
    "dense_near",
    "lexical",
    "lexical_near",
    "lexical_wide",
    "recency",
    "usefulness",
)
_PREVIEW_CHARS: Final = 160

Profile = Annotated[str | None, typer.Option(help="Whose: an email address or the profile's id.")]
Session = Annotated[str | None, typer.Option(help="Or a session's id: its person's, or its own.")]
TenantSlug = Annotated[str, typer.Option("--tenant", help="The tenant's slug.")]
MemoryId = Annotated[str, typer.Argument(metavar="ID", help="The memory's id.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line, as into a pipe.")]


@app.command("search")
def search(
    question: Annotated[str, typer.Argument(help="In words.")],
    profile: Profile = None,
    session: Session = None,
    tenant: TenantSlug = "demo",
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 12,
    explain: Annotated[bool, typer.Option(help="Show what each arm of the search says.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option(help="What held then: a day or a moment (ISO 8601, UTC without a zone)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finds memories for a question, best first: what an agent would be given.

    Example: stead memory search "Where do I live?" --profile ann@example.com --explain
    """
    moment = _moment(as_of)
    if not question.strip():
        raise Invalid("the question is empty", hint="Ask in words.")
    found = run(_search(tenant, profile, session, question, limit, moment))
    if as_json or not sys.stdout.isatty():
        _print_lines({**asdict(r.memory), "score": r.score} | _scores(r, explain) for r in found)
    else:
        _print_found(found, explain=explain)


@app.command("list")
def list_command(
    profile: Profile = None,
    session: Session = None,
    tenant: TenantSlug = "demo",
    kind: Annotated[
        list[str] | None, typer.Option(help="turn, fact or summary. Repeatable; all without it.")
    ] = None,
    superseded: Annotated[bool, typer.Option(help="Also what holds no more.")] = False,
    archived: Annotated[bool, typer.Option(help="Also what is searched no more.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Lists memories, newest first.

    Example: stead memory list --profile ann@example.com --kind fact
    """
    kinds = _kinds(kind)
    found = run(_list(tenant, profile, session, kinds, limit, superseded, archived))
    _print(found, as_json=as_json)


@app.command("show")
def show(memory_id: MemoryId, tenant: TenantSlug = "demo", as_json: AsJson = False) -> None:
    """Shows one memory with all that is known of it.

    Example: stead memory show 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    memory = run(_show(tenant, _id(memory_id)))
    if as_json or not sys.stdout.isatty():
        _print_lines([asdict(memory)])
        return
    for name, value in asdict(memory).items():
        if value not in (None, [], {}):
            output.out.print(f"[dim]{name:14}[/] {escape(_plain(value))}")


@app.command("history")
def history(memory_id: MemoryId, tenant: TenantSlug = "demo", as_json: AsJson = False) -> None:
    """Lists all versions of a memory, oldest first.

    Example: stead memory history 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    _print(run(_history(tenant, _id(memory_id))), as_json=as_json)


@app.command("export")
def export(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; standard output without it.")
    ] = None,
    profile: Profile = None,
    session: Session = None,
    tenant: TenantSlug = "demo",
) -> None:
    """Writes everything that is stored about a person, a JSON object a line; the last one is of type `end`.

    Example: stead memory export --profile ann@example.com ann.ndjson
    """
    count = run(_export(tenant, profile, session, file))
    output.err.print(f"{count} records written", style="dim")


@dataclass(frozen=True, kw_only=True)
class _Opened:
    settings: Settings
    db: Database
    principal: Principal


@asynccontextmanager
async def _opened(slug: str) -> AsyncGenerator[_Opened]:
    """The database, as the service of a tenant."""
    from stead.db import NOBODY, Database, PoolConfig  # noqa: PLC0415
    from stead.identity import tenant_service, tenants  # noqa: PLC0415

    settings = load_settings()
    async with database(settings) as access:
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=2))
        try:
            async with db.transaction(NOBODY, read_only=True) as tx:
                tenant = await tenants.find(tx, slug)
            yield _Opened(settings=settings, db=db, principal=tenant_service(tenant))
        finally:
            await db.close()


async def _scope(
    tx: Transaction, principal: Principal, profile: str | None, session: str | None
) -> Scope:
    from stead.identity import profiles  # noqa: PLC0415
    from stead.memory import scopes  # noqa: PLC0415

    if profile is None and session is None:
        raise Invalid("whose memories?", hint="Add --profile EMAIL (or its id), or --session ID.")
    profile_id: UUID | None = None
    if profile is not None:
        profile_id = parse_id(profile)
        if profile_id is None:
            profile_id = await profiles.find_by_email(tx, principal.tenant, profile)
        if profile_id is None:
            raise Invalid(
                f"{principal.tenant.slug} has nobody with the address {profile!r}",
                hint="Give another address or the profile's id, or another --tenant.",
            )
    session_id = _id(session) if session is not None else None
    return await scopes.resolve(tx, principal, profile_id=profile_id, session_id=session_id)


async def _search(
    slug: str,
    profile: str | None,
    session: str | None,
    question: str,
    limit: int,
    as_of: datetime | None,
) -> list[Recalled]:
    from stead import memory  # noqa: PLC0415
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.memory.recall import MAX_QUESTION_CHARS  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    async with _opened(slug) as opened:
        async with opened.db.transaction(opened.principal, read_only=True) as tx:
            scope = await _scope(tx, opened.principal, profile, session)
        embedder = build_embedder(opened.settings.embedder, embedder_config(opened.settings))
        try:
            vector = (await embedder.embed([question[:MAX_QUESTION_CHARS]]))[0]
            # Not read-only: the first search with a model gives it its number.
            async with opened.db.transaction(opened.principal) as tx:
                return await memory.recall(
                    tx,
                    scope.id,
                    memory.Question(text=question, vector=vector, as_of=as_of),
                    embedder=embedder,
                    limit=limit,
                )
        finally:
            await embedder.aclose()


async def _list(
    slug: str,
    profile: str | None,
    session: str | None,
    kinds: Sequence[MemoryKind] | None,
    limit: int,
    superseded: bool,
    archived: bool,
) -> list[Memory]:
    from stead.memory import records  # noqa: PLC0415

    async with (
        _opened(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        scope = await _scope(tx, opened.principal, profile, session)
        page = await records.listing(
            tx,
            opened.principal,
            scope_id=scope.id,
            session_id=scope.session_id,
            kinds=kinds,
            include_superseded=superseded,
            include_archived=archived,
            limit=limit,
        )
        return page.items


async def _show(slug: str, memory_id: UUID) -> Memory:
    from stead.memory import records  # noqa: PLC0415

    async with (
        _opened(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await records.get(tx, opened.principal, memory_id)


async def _history(slug: str, memory_id: UUID) -> list[Memory]:
    from stead.memory import records  # noqa: PLC0415

    async with (
        _opened(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await records.history(tx, opened.principal, memory_id)


async def _export(slug: str, profile: str | None, session: str | None, file: Path | None) -> int:
    from stead.memory import exporting  # noqa: PLC0415

    count = 0
    async with _opened(slug) as opened:
        async with opened.db.transaction(opened.principal, read_only=True) as tx:
            scope = await _scope(tx, opened.principal, profile, session)
        place: exporting.ExportPlace | None = exporting.ExportPlace()
        with _written(file) as target:
            # A page a transaction: what reads the pipe may be slow.
            while place is not None:
                async with opened.db.transaction(opened.principal, read_only=True) as tx:
                    page = await exporting.export_page(tx, opened.principal, scope.id, place)
                for record in page.records:
                    target.write(_line(record))
                count += len(page.records)
                place = page.next
            target.write(_line({"type": "end", "records": count}))
    return count


@contextmanager
def _written(file: Path | None) -> Generator[IO[str]]:
    """The file is there when all of it is, readable by its owner only."""
    if file is None or str(file) == "-":
        yield sys.stdout
        return
    try:
        handle, draft = tempfile.mkstemp(prefix=".stead-export-", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as target:
                yield target
            Path(draft).replace(file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}") from error


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise Invalid(f"{text!r} is no id", hint="An id has 36 characters: 8-4-4-4-12.")
    return found


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text!r} is no day and no moment",
            hint="For instance 2026-05-07 or 2026-05-07T12:00:00+02:00.",
        ) from None


def _kinds(given: list[str] | None) -> list[MemoryKind] | None:
    from stead.memory import MemoryKind  # noqa: PLC0415

    known = get_args(MemoryKind)
    for kind in given or ():
        if kind not in known:
            raise Invalid(f"there is no kind {kind!r}", hint=f"There are: {', '.join(known)}.")
    return cast("list[MemoryKind] | None", given or None)


def _scores(found: Recalled, explain: bool) -> dict[str, Any]:
    return {"scores": asdict(found.scores)} if explain else {}


def _print(memories: Sequence[Memory], *, as_json: bool) -> None:
    if as_json or not sys.stdout.isatty():
        _print_lines(map(asdict, memories))
        return
    table = _table()
    for memory in memories:
        table.add_row(*_cells(memory), style=_style(memory))
    _print_table(table, len(memories))


def _print_found(found: Sequence[Recalled], *, explain: bool) -> None:
    arms = _ARMS if explain else ()
    table = _table("score", *arms)
    for item in found:
        said = [getattr(item.scores, arm) for arm in arms]
        table.add_row(
            f"{item.score:.3f}",
            *("" if value is None else f"{value:.3f}" for value in said),
            *_cells(item.memory),
            style=_style(item.memory),
        )
    _print_table(table, len(found))


def _table(*numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in numbers:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("when", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("memory", overflow="fold", min_width=20)
    # Whole, whatever the width: it is what the next command needs.
    table.add_column("id", no_wrap=True, min_width=36)
    return table


def _print_table(table: Table, count: int) -> None:
    if count:
        # Not the soft wrapping of other output: a table has to know how wide it may be.
        output.out.print(table, soft_wrap=False)
    else:
        output.say("nothing is remembered that fits", "dim")


def _cells(memory: Memory) -> tuple[str, str, str, str]:
    words = " ".join(memory.content.split())
    shown = words if len(words) <= _PREVIEW_CHARS else words[: _PREVIEW_CHARS - 1] + "…"
    return f"{memory.happened_at:%Y-%m-%d}", memory.kind, escape(_visible(shown)), str(memory.id)


def _style(memory: Memory) -> str | None:
    return "dim" if memory.valid_to or memory.archived_at else None


def _plain(value: object) -> str:
    if isinstance(value, list | dict):
        return _visible(json.dumps(value, ensure_ascii=False, default=str))
    return _visible(str(value))


def _visible(text: str) -> str:
    """Text for a terminal: control characters, which could move its cursor or change its title, are shown."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def _print_lines(records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        sys.stdout.write(_line(record))


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_json) + "\n"


def _json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
