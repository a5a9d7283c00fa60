"""``stead memory``: what is remembered of whom. As the tenant's service, without a running server."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast, get_args
from uuid import UUID

import typer

from stead.cli import output
from stead.cli.access import as_service, read_id, run
from stead.cli.memory_output import print_found, print_memories, print_memory
from stead.cli.moments import read_moment
from stead.cli.output import line
from stead.core.errors import Invalid
from stead.core.ids import parse_id

if TYPE_CHECKING:
    from stead.db import Transaction
    from stead.identity import Principal
    from stead.memory import Memory, MemoryKind, Recalled
    from stead.memory.scopes import Scope

app = typer.Typer(help="Memories: search, look at, export.", no_args_is_help=True)

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
    moment = read_moment(as_of)
    if not question.strip():
        raise Invalid("the question is empty", hint="Ask in words.")
    found = run(_search(tenant, profile, session, question, limit, moment))
    print_found(found, explain=explain, as_json=as_json)


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
    print_memories(found, as_json=as_json)


@app.command("show")
def show(memory_id: MemoryId, tenant: TenantSlug = "demo", as_json: AsJson = False) -> None:
    """Shows one memory with all that is known of it.

    Example: stead memory show 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    print_memory(run(_show(tenant, read_id(memory_id))), as_json=as_json)


@app.command("history")
def history(memory_id: MemoryId, tenant: TenantSlug = "demo", as_json: AsJson = False) -> None:
    """Lists all versions of a memory, oldest first.

    Example: stead memory history 01a1fb26-2e37-7060-84c3-e275028161d3
    """
    print_memories(run(_history(tenant, read_id(memory_id))), as_json=as_json)


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


async def find_person(tx: Transaction, principal: Principal, text: str) -> UUID:
    """The person of that address or id.

    Raises:
        Invalid: Nobody has that address.
    """
    from stead.identity import profiles  # noqa: PLC0415

    found = parse_id(text) or await profiles.find_by_email(tx, principal.tenant, text)
    if found is None:
        raise Invalid(
            f"{principal.tenant.slug} has nobody with the address {text!r}",
            hint="Give another address or the profile's id, or another --tenant.",
        )
    return found


async def _scope(
    tx: Transaction, principal: Principal, profile: str | None, session: str | None
) -> Scope:
    from stead.memory import scopes  # noqa: PLC0415

    if profile is None and session is None:
        raise Invalid("whose memories?", hint="Add --profile EMAIL (or its id), or --session ID.")
    profile_id = await find_person(tx, principal, profile) if profile is not None else None
    session_id = read_id(session) if session is not None else None
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

    async with as_service(slug) as opened:
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
        as_service(slug) as opened,
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
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await records.get(tx, opened.principal, memory_id)


async def _history(slug: str, memory_id: UUID) -> list[Memory]:
    from stead.memory import records  # noqa: PLC0415

    async with (
        as_service(slug) as opened,
        opened.db.transaction(opened.principal, read_only=True) as tx,
    ):
        return await records.history(tx, opened.principal, memory_id)


async def _export(slug: str, profile: str | None, session: str | None, file: Path | None) -> int:
    from stead.memory import exporting  # noqa: PLC0415

    count = 0
    async with as_service(slug) as opened:
        async with opened.db.transaction(opened.principal, read_only=True) as tx:
            scope = await _scope(tx, opened.principal, profile, session)
        place: exporting.ExportPlace | None = exporting.ExportPlace()
        with _written(file) as target:
            # A page a transaction: what reads the pipe may be slow.
            while place is not None:
                async with opened.db.transaction(opened.principal, read_only=True) as tx:
                    page = await exporting.export_page(tx, opened.principal, scope.id, place)
                for record in page.records:
                    target.write(line(record))
                count += len(page.records)
                place = page.next
            target.write(line({"type": "end", "records": count}))
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


def _kinds(given: list[str] | None) -> list[MemoryKind] | None:
    from stead.memory import MemoryKind  # noqa: PLC0415

    known = get_args(MemoryKind)
    for kind in given or ():
        if kind not in known:
            raise Invalid(f"there is no kind {kind!r}", hint=f"There are: {', '.join(known)}.")
    return cast("list[MemoryKind] | None", given or None)
