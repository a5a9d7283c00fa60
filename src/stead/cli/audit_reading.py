"""``stead audit``: list, search."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from stead.assembly import load_settings
from stead.cli import output
from stead.cli.access import as_service, run
from stead.cli.audit import find_tenant, opened

if TYPE_CHECKING:
    from stead.audit import AuditRow
    from stead.evidence.history import Found

app = typer.Typer()


@app.command("list")
def list_command(
    tenant: Annotated[str, typer.Option(help="Slug or id.")],
    category: Annotated[str | None, typer.Option(help="Only of this category.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this id did.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Prints rows of a tenant's log, newest first, a line of JSON each.

    Example: stead audit list --tenant acme --category memory
    """
    rows = run(_list(tenant, category, action, actor, subject, limit))
    for row in rows:
        sys.stdout.write(output.line(asdict(row)))


@app.command("search")
def search_command(
    question: Annotated[str, typer.Argument(help="What is looked for, in words.")],
    tenant: Annotated[str, typer.Option(help="Slug.")],
    kind: Annotated[
        list[str] | None,
        typer.Option(help="audit, or a kind of evidence such as tool_output or proposal. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 10,
) -> None:
    """Searches the log, what tools answered and what was proposed, by words and by meaning; a line of JSON each.

    Example: stead audit search "refunds that were refused" --tenant acme
    """
    for found in run(_search(tenant, question, kind, limit)):
        sys.stdout.write(output.line(asdict(found)))


async def _list(
    wanted: str,
    category: str | None,
    action: str | None,
    actor: str | None,
    subject: str | None,
    limit: int,
) -> Sequence[AuditRow]:
    from stead import audit  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenant_service  # noqa: PLC0415

    async with opened(load_settings()) as db:
        async with db.transaction(NOBODY, read_only=True) as tx:
            service = tenant_service(await find_tenant(tx, wanted))
        async with db.transaction(service, read_only=True) as tx:
            page = await audit.listing(
                tx,
                service,
                category=category,
                action=action,
                actor_id=actor,
                subject_id=subject,
                limit=limit,
            )
            return page.items


async def _search(slug: str, question: str, kinds: Sequence[str] | None, limit: int) -> list[Found]:
    from stead import evidence  # noqa: PLC0415
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    async with as_service(slug) as opened:
        embedder = build_embedder(opened.settings.embedder, embedder_config(opened.settings))
        try:
            return await evidence.history.search(
                opened.db, opened.principal, question, embedder=embedder, kinds=kinds, limit=limit
            )
        finally:
            await embedder.aclose()
