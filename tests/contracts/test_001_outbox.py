"""Document 001: the outbox. Each list can be read beside the document."""

from __future__ import annotations

import subprocess
import sys

import asyncpg
import pytest
import typer
from prometheus_client import REGISTRY

from stead.cli import outbox as commands
from stead.outbox import metrics
from stead.realtime.channels import SERVER_CHANNELS
from tests.contracts import columns

OUTBOX = {
    "id": "uuid",
    "tenant_id": "uuid",
    "tool_slug": "text",
    "arguments": "jsonb",
    "connected_account_id": "text",
    "risk": "text",
    "external_id": "text",
    "trust_context": "jsonb",
    "metadata": "jsonb",
    "status": "text",
    "attempts": "integer",
    "next_run_at": "timestamp with time zone",
    "last_error": "text",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
}
OUTBOX_DLQ = {
    "id": "uuid",
    "tenant_id": "uuid",
    "tool_slug": "text",
    "arguments": "jsonb",
    "connected_account_id": "text",
    "risk": "text",
    "external_id": "text",
    "trust_context": "jsonb",
    "metadata": "jsonb",
    "status": "text",
    "attempts": "integer",
    "last_error": "text",
    "created_at": "timestamp with time zone",
    "moved_at": "timestamp with time zone",
}
#: Name and what it is over. Two are narrower than in the document; the migration says why.
INDEXES = {
    "outbox_tenant_status_idx": "(tenant_id, status, id)",
    "outbox_external_id_uidx": "(tenant_id, external_id)",
    "outbox_dlq_tenant_idx": "(tenant_id, moved_at DESC)",
}
#: The verbs of the worker and their options.
VERBS = {
    "start": {"--once"},
    "status": {"--tenant"},
    "drain": {"--tenant", "--limit"},
    "retry-dlq": {"--tenant", "--envelope"},
}
REQUIRED = {"retry-dlq": {"--tenant", "--envelope"}}
#: Name, kind and labels.
METRICS = {
    "outbox_processed_total": ("counter", {"tenant", "status"}),
    "outbox_processing_duration_seconds": ("histogram", set[str]()),
    "outbox_dlq_size": ("gauge", {"tenant"}),
    "outbox_retry_total": ("counter", {"tenant"}),
    # "attempt counter, failure counter, conflict counter": the document has no names for these.
    "outbox_attempts_total": ("counter", {"tenant"}),
    "outbox_failures_total": ("counter", {"tenant", "code"}),
    "outbox_conflicts_total": ("counter", set[str]()),
}
PROCESSED = ("success", "retry", "failed")
CHANNELS = {"outbox", "approvals"}


@pytest.mark.parametrize(
    ("table", "wanted"), [("public.outbox", OUTBOX), ("public.outbox_dlq", OUTBOX_DLQ)]
)
async def test_columns(catalogue: asyncpg.Connection, table: str, wanted: dict[str, str]) -> None:
    assert wanted.items() <= (await columns.types(catalogue, table)).items()
    assert ["id"] in await columns.unique(catalogue, table)


@pytest.mark.parametrize("name", INDEXES)
async def test_indexes(catalogue: asyncpg.Connection, name: str) -> None:
    found = await catalogue.fetchval("select pg_get_indexdef($1::text::regclass)", f"public.{name}")
    assert INDEXES[name] in found
    assert ("UNIQUE" in found) == name.endswith("_uidx")


async def test_policies(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        "select tablename::text as name, policyname::text as policy from pg_policies where schemaname = 'public'"
    )
    for table in ("outbox", "outbox_dlq"):
        found = {row["policy"] for row in rows if row["name"] == table}
        assert {"tenant_isolation", "service_role_full_access"} <= found


def test_verbs_and_options() -> None:
    group = typer.main.get_command(commands.app)
    there = {
        name: {option for p in command.params for option in p.opts if option.startswith("--")}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }
    assert there.keys() == VERBS.keys()
    for verb, options in VERBS.items():
        assert options <= there[verb]
        required = {
            p.opts[0]
            for p in group.commands[verb].params  # type: ignore[attr-defined]
            if p.required
        }
        assert required == REQUIRED.get(verb, set())


def test_the_worker_is_a_module() -> None:
    """001 calls it as ``python -m worker.outbox <command>``."""
    answer = subprocess.run(
        [sys.executable, "-m", "stead.outbox", "--help"], capture_output=True, text=True, check=True
    )
    assert all(verb in answer.stdout for verb in VERBS)


def test_metrics() -> None:
    families = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in REGISTRY.collect()
    }
    metrics.begun(["t"])
    metrics.depths({("t", "dlq"): 1})
    for status in PROCESSED:
        metrics.settled([("t", status, "c")])
    metrics.took(0.1)
    samples = {s.name: set(s.labels) for f in REGISTRY.collect() for s in f.samples}
    for name, (kind, labels) in METRICS.items():
        assert families[name] == kind
        sample = f"{name}_count" if kind == "histogram" else name
        assert samples[sample] == labels, name


def test_channels() -> None:
    """``outbox:tenant_id`` and ``approvals:tenant_id``."""
    assert set(SERVER_CHANNELS) >= CHANNELS


async def test_changes_of_the_tables_are_published(catalogue: asyncpg.Connection) -> None:
    found = await catalogue.fetch(
        """
        select c.relname::text as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
        join pg_proc p on p.oid = t.tgfoid where p.proname = 'record_changes'
        """
    )
    assert {"outbox", "approvals", "guardrails"} <= {row["name"] for row in found}
