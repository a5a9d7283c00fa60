"""Brings the catalogue up to date with what a provider lists, and notes what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import structlog

from stead import audit
from stead.core.errors import SteadError
from stead.core.ids import new_id
from stead.db import Database, Transaction, assert_no_transaction
from stead.identity import Principal, Tenant, tenant_service
from stead.tools import metrics, queries
from stead.tools.catalog import entry_of, plain, store
from stead.tools.checking import check_spec
from stead.tools.digests import with_digest
from stead.tools.drift import changes_between, first_look, holds, severity_of
from stead.tools.models import RISKS, CatalogEntry, Change, ToolSource, ToolSpec

_log = structlog.stdlib.get_logger(__name__)
_BATCH: Final = 100
_MAX_TOOLS: Final = 20_000


@dataclass(kw_only=True)
class SyncReport:
    """What a listing came to.

    Args:
        listed: Tools that it had.
        added: Those that were not there before.
        changed: Those that were there, and differ.
        removed: Those that it has no more.
        held: Those that are not used until somebody has looked.
        skipped: Those that can be no tool here.
    """

    listed: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    held: int = 0
    skipped: int = 0


async def sync(
    db: Database, tenant: Tenant, provider: str, source: ToolSource, toolkit: str = ""
) -> SyncReport:
    """Reads a whole listing and writes it to the tenant's catalogue, in batches.

    A tool that changed so that calls which were right are wrong now is held: it is not used until its change is
    acknowledged. Nothing is removed unless the listing was read to its end.

    Args:
        db: The database.
        tenant: Whose catalogue.
        provider: The provider's name.
        source: Lists its tools.
        toolkit: Only this one; all when empty.

    Raises:
        Exception: What the source raises; what was read before that is kept.
    """
    assert_no_transaction("a listing of tools")
    principal = tenant_service(tenant, credential="catalogue")
    report, listed, batch = SyncReport(), set[str](), list[ToolSpec]()
    async for spec in source.list_tools(tenant, toolkit):
        report.listed += 1
        if report.listed > _MAX_TOOLS:
            raise ValueError(f"{provider} lists more than {_MAX_TOOLS:,} tools")
        listed.add(spec.slug)
        if _is_usable(spec, provider):
            batch.append(with_digest(spec))
        else:
            report.skipped += 1
        if len(batch) >= _BATCH:
            await _write(db, principal, provider, batch, report)
            batch = []
    await _write(db, principal, provider, batch, report)
    async with db.transaction(principal) as tx:
        await queries.lock_catalogue(tx, tenant.id)
        gone = await queries.unlisted(tx, tenant.id, provider, toolkit, sorted(listed))
        for row in gone:
            await _remove(tx, principal, entry_of(row), report)
        await queries.note_refresh(tx, tenant.id, provider, toolkit, True)  # noqa: FBT003
    _log.info(
        "catalogue_refreshed",
        provider=provider,
        toolkit=toolkit,
        listed=report.listed,
        added=report.added,
        changed=report.changed,
        removed=report.removed,
        held=report.held,
        skipped=report.skipped,
    )
    return report


def _is_usable(spec: ToolSpec, provider: str) -> bool:
    try:
        check_spec(spec)
    except SteadError as error:
        _log.warning(
            "tool_not_usable", provider=provider, tool=spec.slug[:128], reason=error.detail[:200]
        )
        return False
    return spec.provider == provider


async def _write(
    db: Database, principal: Principal, provider: str, batch: Sequence[ToolSpec], report: SyncReport
) -> None:
    if not batch:
        return
    async with db.transaction(principal) as tx:
        await queries.lock_catalogue(tx, principal.tenant.id)
        rows = await queries.lock_slugs(tx, principal.tenant.id, sorted({spec.slug for spec in batch}))
        there: dict[str, list[CatalogEntry]] = {}
        for row in rows:
            there.setdefault(row["slug"], []).append(entry_of(row))
        for spec in batch:
            known = there.setdefault(spec.slug, [])
            if any(entry.spec.provider != provider for entry in known):
                _log.warning("tool_slug_taken", provider=provider, tool=spec.slug)
                report.skipped += 1
                continue
            await _apply(tx, principal, spec, known, report)


async def _apply(
    tx: Transaction,
    principal: Principal,
    spec: ToolSpec,
    known: Sequence[CatalogEntry],
    report: SyncReport,
) -> None:
    same = next((entry for entry in known if entry.spec.version == spec.version), None)
    before = same or next((entry for entry in known if entry.current), None)
    if before is None:
        report.added += 1
        await _note(tx, principal, None, spec, first_look(spec), report)
        status = "drifted" if holds(first_look(spec)) else "active"
        await store(tx, principal, spec, status=status)
        return
    # A provider may say that a tool is more dangerous than was thought, and not that it is less.
    risk = max(before.spec.risk, spec.risk, key=RISKS.index)
    spec = with_digest(replace(spec, risk=risk))
    changes = changes_between(before.spec, spec)
    if before.status == "removed":
        changes = [*changes, Change(kind="tool_returned", severity="harmless", path="")]
    if not changes:
        return
    report.changed += 1
    await _note(tx, principal, before.spec, spec, changes, report)
    held = holds(changes) or (same is not None and same.status == "drifted")
    # A new version that is held leaves the slug to the old one.
    await store(
        tx,
        principal,
        spec,
        status="drifted" if held else "active",
        current=not held or (same is not None and same.current),
    )


async def _remove(
    tx: Transaction, principal: Principal, entry: CatalogEntry, report: SyncReport
) -> None:
    report.removed += 1
    spec = entry.spec
    await queries.set_status(tx, principal.tenant.id, spec.slug, spec.version, "removed")
    gone = Change(kind="tool_removed", severity="breaking", path="")
    await _note(tx, principal, spec, None, [gone], report)


async def _note(
    tx: Transaction,
    principal: Principal,
    before: ToolSpec | None,
    after: ToolSpec | None,
    changes: Sequence[Change],
    report: SyncReport,
) -> None:
    """Writes down what changed: for the dashboard, for the audit, and as an alert."""
    spec = after or before
    if not changes or spec is None:
        return
    severity, held, drift_id = severity_of(changes), holds(changes), new_id()
    report.held += held
    await queries.insert_drift(
        tx,
        principal.tenant.id,
        drift_id,
        spec.slug,
        spec.version,
        spec.provider,
        severity,
        [asdict(change) for change in changes],
        before.digest if before else None,
        after.digest if after else None,
        plain(before or spec),
        held,
    )
    kinds = sorted({change.kind for change in changes})
    await audit.record(
        tx,
        principal,
        category="tools",
        action="drift",
        subject_type="tool",
        subject_id=spec.slug,
        payload={
            "drift_id": drift_id,
            "version": spec.version,
            "severity": severity,
            "held": held,
            "kinds": kinds,
            "digest": after.digest if after else None,
        },
    )
    metrics.drifted(severity)
    if severity == "harmless":
        _log.info("tool_changed", provider=spec.provider, tool=spec.slug, kinds=kinds)
        return
    _log.warning(
        "tool_drifted",
        provider=spec.provider,
        tool=spec.slug,
        version=spec.version,
        severity=severity,
        held=held,
        kinds=kinds,
    )
