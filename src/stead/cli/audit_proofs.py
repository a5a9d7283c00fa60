"""``stead audit``: anchor, prove, check-proof."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stead.assembly import load_settings
from stead.cli import output
from stead.cli.access import run
from stead.cli.audit import (
    EXIT_BROKEN,
    anchored,
    find_tenant,
    head_of,
    opened,
    own_key,
    public_key,
    read_lines,
)
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.assembly import Settings

app = typer.Typer()


@app.command("anchor")
def anchor(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; STEAD_AUDIT_ANCHORS without it.")
    ] = None,
) -> None:
    """Appends the ends of all chains to a file outside the database. Workers do this every minute.

    Example: stead audit anchor /mnt/worm/stead-anchors.jsonl
    """
    settings = load_settings()
    target = file or settings.audit_anchors
    if target is None:
        raise Invalid("there is no file to write to", hint="Name one, or set STEAD_AUDIT_ANCHORS.")
    count = run(_anchor(settings, target))
    output.say(f"{count} {'chain' if count == 1 else 'chains'} had moved")


@app.command("prove")
def prove_command(
    row: Annotated[int, typer.Argument(min=1, help="The row's id.")],
    tenant: Annotated[str, typer.Option(help="Slug or id.")],
) -> None:
    """Prints a proof that a row was sealed: the row and its way to the seal, and no other row.

    Example: stead audit prove 57 --tenant acme
    """
    sys.stdout.write(run(_prove(tenant, row)) + "\n")


@app.command("check-proof")
def check_proof(
    file: Annotated[Path, typer.Argument(help="What `stead audit prove` printed.")],
    expect_head: Annotated[
        list[str] | None, typer.Option(help="SEALNO:HEX, a head that was kept. Repeatable.")
    ] = None,
    anchors: Annotated[list[Path] | None, typer.Option(help="A file of anchors. Repeatable.")] = None,
    trust: Annotated[
        list[str] | None, typer.Option(help="A public key (64 hexadecimal digits). Repeatable.")
    ] = None,
) -> None:
    """Checks a proof with no database, against keys and heads that are known. Exits with 3 when it does not hold.

    Example: stead audit check-proof proof.json --trust 3f0a…
    """
    from stead.audit import Expectations, proofs  # noqa: PLC0415
    from stead.audit.errors import AuditProofInvalid  # noqa: PLC0415

    own = own_key(load_settings())
    trusted = frozenset({public_key(text) for text in trust or ()} | ({own} if own else set[bytes]()))
    expected = Expectations(
        heads=dict(head_of(text) for text in expect_head or ()),
        anchors=anchored(anchors or (), trusted),
        keys=trusted,
    )
    with read_lines(file) as lines:
        proof = proofs.read("".join(lines))
    try:
        shown = proofs.check(proof, expected=expected)
    except AuditProofInvalid as refused:
        output.err.print(refused.detail, style="bold red")
        raise typer.Exit(EXIT_BROKEN) from refused
    output.print_json({"head": str(shown.head), "by": shown.by, "row": dict(shown.row)})


async def _anchor(settings: Settings, target: Path) -> int:
    from stead.assembly.wiring import audit_key  # noqa: PLC0415
    from stead.audit import AnchorFile  # noqa: PLC0415

    async with opened(settings) as db:
        return await AnchorFile(target, audit_key(settings)).anchor(db)


async def _prove(wanted: str, row: int) -> str:
    from stead.audit import proofs  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenant_service  # noqa: PLC0415

    async with opened(load_settings()) as db:
        async with db.transaction(NOBODY, read_only=True) as tx:
            tenant = await find_tenant(tx, wanted)
        async with db.transaction(tenant_service(tenant), read_only=True) as tx:
            return proofs.write(await proofs.prove(tx, tenant, row))
