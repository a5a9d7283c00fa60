"""``stead audit``: verify, export, seal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from stead.assembly import load_settings
from stead.cli import output
from stead.cli.access import database, run
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.assembly import Settings
    from stead.audit import Expectations, Report
    from stead.db import Database, Transaction
    from stead.identity import Tenant

app = typer.Typer(help="The audit log: is it as it was written?", no_args_is_help=True)
#: Distinct from 1: the check was made, and its answer is no.
EXIT_BROKEN: Final = 3


@app.command("verify")
def verify(
    tenant: Annotated[str | None, typer.Option(help="Slug or id; all tenants without it.")] = None,
    dump: Annotated[
        Path | None,
        typer.Option(
            "--dump", "--from-dump", help="Check this file (an export, or pg_dump's) and no database."
        ),
    ] = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(help="A file of anchors, which says what the chains were. Repeatable."),
    ] = None,
    expect_head: Annotated[
        list[str] | None,
        typer.Option(help="SEALNO:HEX, a head that an earlier run printed. Repeatable; needs --tenant."),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(help="A public key (64 hexadecimal digits) of signatures. Repeatable."),
    ] = None,
    unsigned_until: Annotated[
        int,
        typer.Option(
            min=0, help="Seals up to this number were made before there was a key; needs --tenant."
        ),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as into a pipe.")] = False,
) -> None:
    """Checks every sealed row against its seal. Exits with 3 when something was changed.

    Example: stead audit verify --tenant acme --expect-head 57:9f2c…
    """
    from stead.audit import Expectations  # noqa: PLC0415

    if tenant is None and (expect_head or unsigned_until):
        raise Invalid("--expect-head and --unsigned-until are about one chain", hint="Add --tenant.")
    keys = {public_key(text) for text in trust or ()}
    own = own_key(load_settings())
    trusted = frozenset(keys | ({own} if own else set[bytes]()))
    expected = Expectations(
        heads=dict(head_of(text) for text in expect_head or ()),
        anchors=anchored(anchors or (), trusted),
        keys=trusted,
        unsigned_to=unsigned_until,
    )
    reports = _offline(dump, tenant, expected) if dump else run(_online(tenant, expected))
    show(reports, own, as_json=as_json or not sys.stdout.isatty())
    if any(not report.is_sound for report in reports):
        raise typer.Exit(EXIT_BROKEN)


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="Where to write it; - is standard output.")],
    tenant: Annotated[str, typer.Option(help="Slug or id.")],
    with_texts: Annotated[
        bool,
        typer.Option(
            "--with-texts", help="Also the texts beside the rows, which forgetting does not reach there."
        ),
    ] = False,
) -> None:
    """Writes a tenant's audit log with its seals, a line of JSON each; `verify --dump` checks it anywhere.

    Example: stead audit export --tenant acme acme-audit.jsonl
    """
    count = run(_export(tenant, file, with_texts=with_texts))
    output.err.print(f"{count} lines written", style="dim")


@app.command("seal")
def seal_command() -> None:
    """Seals what is not sealed yet, of all tenants. Workers do this every second.

    Example: stead audit seal
    """
    count = run(_seal())
    output.say(f"{count} rows sealed")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Database]:
    """The database of these settings, open for one command."""
    from stead.db import Database, PoolConfig  # noqa: PLC0415

    async with database(settings) as access:
        db = await Database.open(PoolConfig(url=access.runtime_url, min_size=1, max_size=2))
        try:
            yield db
        finally:
            await db.close()


async def _online(wanted: str | None, expected: Expectations) -> list[Report]:
    from stead import audit  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenant_service  # noqa: PLC0415

    async with opened(load_settings()) as db:
        async with db.transaction(NOBODY, read_only=True) as tx:
            tenants = [await find_tenant(tx, wanted)] if wanted else await audit.audited_tenants(tx)
        reports: list[Report] = []
        for tenant in tenants:
            async with db.transaction(tenant_service(tenant), read_only=True) as tx:
                reports.append(await audit.verify(tx, tenant, expected=expected))
        if wanted is None:
            reports += audit.missing_chains(expected, [tenant.id for tenant in tenants])
        return reports


def _offline(file: Path, wanted: str | None, expected: Expectations) -> list[Report]:
    from stead import audit  # noqa: PLC0415

    with read_lines(file) as lines:
        reports = list(audit.verify_dump(lines, tenant=wanted, expected=expected))
    if wanted and not reports:
        raise Invalid(f"{file} has no audit log of {wanted!r}", hint="Give its slug or its id.")
    return reports


async def find_tenant(tx: Transaction, wanted: str) -> Tenant:
    """By slug, else among those that are only named by their id because they are gone."""
    from stead import audit  # noqa: PLC0415
    from stead.identity import tenants  # noqa: PLC0415
    from stead.identity.errors import TenantUnknown  # noqa: PLC0415

    try:
        return await tenants.find(tx, wanted)
    except TenantUnknown:
        for tenant in await audit.audited_tenants(tx):
            if str(tenant.id) == wanted.lower():
                return tenant
        raise TenantUnknown(
            f"there is no tenant {wanted!r}, and no audit log of one", hint="Give its slug or its id."
        ) from None


async def _export(wanted: str, file: Path, *, with_texts: bool) -> int:
    from stead import audit  # noqa: PLC0415
    from stead.db import NOBODY  # noqa: PLC0415
    from stead.identity import tenant_service  # noqa: PLC0415

    count = 0
    async with opened(load_settings()) as db:
        async with db.transaction(NOBODY, read_only=True) as tx:
            tenant = await find_tenant(tx, wanted)
        with _written(file) as target:
            async with db.transaction(tenant_service(tenant), read_only=True) as tx:
                async for line in audit.export(tx, tenant, with_texts=with_texts):
                    target.write(line)
                    count += 1
    return count


async def _seal() -> int:
    from stead import audit  # noqa: PLC0415
    from stead.assembly.wiring import audit_key  # noqa: PLC0415

    settings = load_settings()
    total = 0
    async with opened(settings) as db:
        while done := await audit.seal(db, audit_key(settings)):
            total += done
    return total


def anchored(files: Sequence[Path], trusted: frozenset[bytes]) -> dict[UUID, dict[int, bytes]]:
    """What files of anchors remember of each tenant."""
    from stead.audit import read_anchors  # noqa: PLC0415

    heads: dict[UUID, dict[int, bytes]] = {}
    for file in files:
        try:
            with file.open("rb") as lines:
                found = read_anchors(lines, keys=trusted)
        except OSError as error:
            raise Invalid(f"{file} cannot be read: {error.strerror}") from error
        for tenant_id, known in found.heads.items():
            heads.setdefault(tenant_id, {}).update(known)
    return heads


@contextmanager
def _written(file: Path) -> Generator[IO[str]]:
    """The file is there when all of it is, readable by its owner only."""
    if str(file) == "-":
        yield sys.stdout
        return
    try:
        handle, draft = tempfile.mkstemp(prefix=".stead-audit-", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as target:
                yield target
            Path(draft).replace(file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}") from error


@contextmanager
def read_lines(file: Path) -> Generator[Iterable[str]]:
    """The lines of a file."""
    try:
        # What is no UTF-8 is kept as it is: it then differs from what was sealed, and stops nothing.
        with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            yield lines
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error


def own_key(settings: Settings) -> bytes | None:
    """The public key of this machine's own secret."""
    from stead.assembly.wiring import audit_key  # noqa: PLC0415

    key = audit_key(settings)
    return key.public if key else None


def head_of(text: str) -> tuple[int, bytes]:
    """A head as it is printed."""
    number, _, digest = text.partition(":")
    if not number.isdecimal() or int(number) < 1 or len(digest) != 64:
        raise Invalid(f"{text!r} is no head", hint="SEALNO:HEX, as `stead audit verify` prints it.")
    return int(number), _hexadecimal(digest, text)


def public_key(text: str) -> bytes:
    """A public key as it is printed."""
    if len(text) != 64:
        raise Invalid(f"{text!r} is no public key", hint="64 hexadecimal digits, as printed by verify.")
    return _hexadecimal(text, text)


def _hexadecimal(digits: str, whole: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise Invalid(f"{whole!r} holds something else than hexadecimal digits") from None


def show(reports: list[Report], own: bytes | None, *, as_json: bool) -> None:
    """Prints what was found: sentences, or one JSON document."""
    key = own.hex() if own else None
    if as_json:
        sound = all(report.is_sound for report in reports)
        output.print_json({"sound": sound, "key": key, "tenants": [_plain(r) for r in reports]})
        return
    for report in reports:
        verdict, style = ("sound", "green") if report.is_sound else ("CHANGED", "bold red")
        output.say(
            f"{report.slug or report.tenant_id}: {verdict}. {report.rows} rows in {report.seals} seals, "
            f"{report.pending} not sealed yet",
            style,
        )
        if report.head:
            output.say(f"  head {report.head}")
        if report.unchecked:
            output.say(
                f"  {report.unchecked} signatures were not checked: no key is known here", "yellow"
            )
        if report.with_texts:
            output.say(
                f"  {report.with_texts} rows had texts beside them; of {report.erased} they are erased"
            )
        for fault in report.faults:
            output.say(f"  {fault.kind}: {fault.says}", "red")
        if report.fault_count > len(report.faults):
            output.say(f"  and {report.fault_count - len(report.faults)} more", "red")
    if not reports:
        output.say("nothing was recorded yet")
    if key:
        output.say(f"signatures of {key} are trusted", "dim")


def _plain(report: Report) -> dict[str, Any]:
    tenant_id: UUID = report.tenant_id
    return {
        "tenant": report.slug,
        "tenant_id": str(tenant_id),
        "sound": report.is_sound,
        "seals": report.seals,
        "rows": report.rows,
        "pending": report.pending,
        "head": str(report.head) if report.head else None,
        "signed": report.signed,
        "unchecked_signatures": report.unchecked,
        "with_texts": report.with_texts,
        "erased": report.erased,
        "fault_count": report.fault_count,
        "faults": [
            {"kind": f.kind, "seal_no": f.seal_no, "audit_id": f.audit_id, "says": f.says}
            for f in report.faults
        ],
    }
