"""Verifying chains: in the database, and offline from an export or a dump. Both check the same items alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from uuid import UUID

from stead.audit import queries
from stead.audit.chain import Checker, Expectations
from stead.audit.dumps import DumpEnd, DumpHead, read_dump
from stead.audit.models import Report
from stead.audit.pgdump import read_pg_dump
from stead.audit.walking import walk
from stead.db import Transaction
from stead.identity import Tenant


async def audited_tenants(tx: Transaction) -> list[Tenant]:
    """Every tenant that has audit rows or seals; one that is gone is named by its id.

    Args:
        tx: A transaction as the server.
    """
    rows = await queries.audited_tenants(tx)
    return [Tenant(id=row["id"], slug=row["tenant_slug"] or str(row["id"])) for row in rows]


async def verify(tx: Transaction, tenant: Tenant, *, expected: Expectations | None = None) -> Report:
    """Checks everything that was sealed of one tenant against what is there.

    Digests are computed here and not in the database, whose functions could have been changed with its rows.

    Args:
        tx: A transaction as the tenant's service, read-only.
        tenant: Whose chain.
        expected: Heads and keys that are known from elsewhere.
    """
    horizon = await queries.horizon(tx)
    checker = Checker(tenant.id, tenant.slug, horizon=horizon, expected=expected or Expectations())
    async for item in walk(tx, tenant.id):
        checker.take(item)
    return checker.end()


def missing_chains(
    expected: Expectations, found: Collection[UUID], *, tenant: str | None = None
) -> list[Report]:
    """Reports on chains that are remembered, and of which nothing is left.

    Args:
        expected: With anchors.
        found: The tenants of which there was something.
        tenant: The id of the only one that is wanted.
    """
    return [
        Checker(tenant_id, None, horizon=0, expected=expected).end()
        for tenant_id in sorted(expected.anchors.keys() - set(found))
        if tenant is None or tenant == str(tenant_id)
    ]


def verify_dump(
    lines: Iterable[str], *, tenant: str | None = None, expected: Expectations | None = None
) -> Iterator[Report]:
    """Checks every chain in a file, without a database.

    Args:
        lines: Of an export (`dumps.export`) or of a plain dump by pg_dump.
        tenant: Slug or id of the only one that is wanted.
        expected: Heads and keys that are known from elsewhere.

    Raises:
        AuditDumpInvalid: The file cannot be read as one of these.
    """
    lines = iter(lines)
    first = next((line for line in lines if line.strip()), "")
    read = read_dump if first.startswith("{") else read_pg_dump
    checker: Checker | None = None
    known = expected or Expectations()
    seen: set[UUID] = set()
    for item in read(chain([first], lines)):
        if isinstance(item, DumpHead):
            seen.add(item.tenant_id)
            wanted = tenant is None or tenant in {item.slug, str(item.tenant_id)}
            checker = (
                Checker(item.tenant_id, item.slug, horizon=item.horizon, expected=known)
                if wanted
                else None
            )
        elif checker is not None:
            if isinstance(item, DumpEnd):
                yield checker.end(complete=item.complete)
            else:
                checker.take(item)
    if read is read_pg_dump:
        # An export is of some tenants only; a dump is of all.
        yield from missing_chains(known, seen, tenant=tenant)
