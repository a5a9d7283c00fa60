"""``stead evidence``: a tenant's evidence and its files. Without a running server."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stead.cli import output
from stead.cli.access import as_service, read_id, run
from stead.cli.output import line, visible
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.evidence import Artifact, Evidence, Link
    from stead.evidence.scopes import NeededScope

app = typer.Typer(help="Evidence: what backs proposals, and its files.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's slug.")]
Kind = Annotated[str | None, typer.Option("--type", help="Only of this kind.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Its id.")]


@app.command("list")
def list_command(
    tenant: Tenant,
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Lists evidence, newest first.

    Example: stead evidence list --tenant acme --type tool_output
    """
    _print(run(_list(tenant, kind, limit)), as_json=as_json)


@app.command("add")
def add(
    tenant: Tenant,
    content: Annotated[str, typer.Argument(help="In words.")],
    kind: Annotated[str, typer.Option("--type", help="What it is.")],
    shared: Annotated[
        bool, typer.Option("--shared", help="Agents are given it whoever talks to them.")
    ] = False,
) -> None:
    """Records evidence, and prints its id.

    Example: stead evidence add 'Invoice 4711 was paid twice.' --type tool_output --tenant acme
    """
    sys.stdout.write(f"{run(_add(tenant, content, kind, shared))}\n")


@app.command("search")
def search(
    tenant: Tenant,
    question: Annotated[str, typer.Argument(help="In words.")],
    kind: Kind = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """Finds evidence by words and by meaning, best first.

    Example: stead evidence search 'invoices paid twice' --tenant acme
    """
    _print(run(_search(tenant, question, kind, limit)), as_json=as_json)


@app.command("delete")
def delete(tenant: Tenant, evidence_id: Id) -> None:
    """Deletes evidence, and the files that belong to it.

    Example: stead evidence delete 01a1fb26-2e37-7060-84c3-e275028161d3 --tenant acme
    """
    run(_delete(tenant, evidence_id))
    output.say("deleted")


@app.command("scopes")
def scopes(tenant: Tenant, as_json: AsJson = False) -> None:
    """Lists which scope a key needs to write evidence of a kind.

    Example: stead evidence scopes --tenant acme
    """
    for each in run(_scopes(tenant)):
        sys.stdout.write(line(asdict(each)) if as_json else f"{each.source_type}  {each.scope}\n")


@app.command("require")
def require(
    tenant: Tenant,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="The kind; * for every kind.")],
    scope: Annotated[str | None, typer.Option(help="The scope; without it none is needed.")] = None,
) -> None:
    """Has evidence of a kind written only by keys with a scope.

    Example: stead evidence require invoice --scope finance:write --tenant acme
    """
    run(_require(tenant, kind, scope))
    output.say(f"{kind} needs {scope or 'no scope'}")


@app.command("files")
def files(
    tenant: Tenant,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Lists files, newest first.

    Example: stead evidence files --tenant acme
    """
    for each in run(_files(tenant, limit)):
        said = asdict(each) | {"sha256": each.sha256.hex()}
        said.pop("key")
        plain = f"{each.id}  {each.bytes}  {each.media_type}  {visible(each.name)}\n"
        sys.stdout.write(line(said) if as_json else plain)


@app.command("put")
def put(
    tenant: Tenant,
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    media_type: Annotated[str | None, typer.Option(help="Guessed by the name without it.")] = None,
    evidence: Annotated[str | None, typer.Option(help="The evidence that it belongs to.")] = None,
) -> None:
    """Stores a file, and prints its id.

    Example: stead evidence put invoice.pdf --tenant acme
    """
    sys.stdout.write(f"{run(_put(tenant, path, media_type, evidence))}\n")


@app.command("link")
def link(
    tenant: Tenant,
    artifact_id: Id,
    expires: Annotated[int, typer.Option(help="Seconds until it expires.", min=1, max=604800)] = 300,
) -> None:
    """Prints a link under which a file can be downloaded for a while.

    Example: stead evidence link 01a1fb26-2e37-7060-84c3-e275028161d3 --tenant acme
    """
    sys.stdout.write(f"{run(_link(tenant, artifact_id, expires)).url}\n")


async def _list(slug: str, kind: str | None, limit: int) -> list[Evidence]:
    from stead.evidence import records  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return await records.listing(tx, opened.principal, source_type=kind, limit=limit)


async def _add(slug: str, content: str, kind: str, shared: bool) -> str:
    from stead.evidence import NewEvidence, records  # noqa: PLC0415

    if not 0 < len(content) <= records.MAX_CONTENT_CHARS or not 0 < len(kind) <= 100:
        raise Invalid("the text or its kind is empty or too long")
    new = NewEvidence(source_type=kind, content=content, shared=shared)
    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return str((await records.add(tx, opened.principal, new)).id)


async def _search(slug: str, question: str, kind: str | None, limit: int) -> list[Evidence]:
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.evidence import records  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    async with as_service(slug) as opened:
        embedder = build_embedder(opened.settings.embedder, embedder_config(opened.settings))
        try:
            (vector,) = await embedder.embed([question])
        finally:
            await embedder.aclose()
        async with opened.db.transaction(opened.principal) as tx:
            found = await records.search(
                tx,
                opened.principal,
                question,
                embedder=embedder,
                vector=vector,
                source_type=kind,
                limit=limit,
            )
    return [hit.evidence for hit in found]


async def _delete(slug: str, evidence_id: str) -> None:
    from stead.evidence import records  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        await records.delete(tx, opened.principal, read_id(evidence_id))


async def _scopes(slug: str) -> list[NeededScope]:
    from stead.evidence import scopes as rules  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return await rules.listing(tx, opened.principal)


async def _require(slug: str, kind: str, scope: str | None) -> None:
    from stead.evidence import scopes as rules  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        if scope is None:
            await rules.release(tx, opened.principal, kind)
        else:
            await rules.require(tx, opened.principal, rules.NeededScope(source_type=kind, scope=scope))


async def _files(slug: str, limit: int) -> list[Artifact]:
    from stead.evidence import artifacts  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return await artifacts.listing(tx, opened.principal, limit=limit)


async def _put(slug: str, path: Path, media_type: str | None, evidence: str | None) -> str:
    import mimetypes  # noqa: PLC0415

    from stead.assembly.wiring import artifact_store  # noqa: PLC0415
    from stead.evidence import NewArtifact, artifacts  # noqa: PLC0415

    guessed = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    new = NewArtifact(
        name=path.name,
        media_type=guessed,
        evidence_id=read_id(evidence) if evidence else None,
    )
    async with as_service(slug) as opened:
        made = await artifacts.store(
            opened.db, opened.principal, new, _read(path), bucket=artifact_store(opened.settings)
        )
    return str(made.id)


async def _link(slug: str, artifact_id: str, expires: int) -> Link:
    from stead.assembly.wiring import artifact_store  # noqa: PLC0415
    from stead.evidence import Link, artifacts  # noqa: PLC0415

    async with as_service(slug) as opened:
        made = await artifacts.link(
            opened.db,
            opened.principal,
            read_id(artifact_id),
            bucket=artifact_store(opened.settings),
            expires_in_s=expires,
        )
        if "://" in made.url:
            return made
        where = f"http://{opened.settings.host}:{opened.settings.port}"
        return Link(url=where + made.url, expires_at=made.expires_at)


async def _read(path: Path) -> AsyncIterator[bytes]:
    import asyncio  # noqa: PLC0415

    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, 1 << 20):
            yield chunk


def _print(found: Sequence[Evidence], *, as_json: bool) -> None:
    for each in found:
        said: dict[str, Any] = asdict(each)
        plain = (
            str(each.id),
            f"{each.created_at:%Y-%m-%d}",
            each.source_type,
            " ".join(visible(each.content).split())[:100],
        )
        sys.stdout.write(line(said) if as_json else "  ".join(plain) + "\n")
