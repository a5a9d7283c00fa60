"""Rows of every table for two tenants, each labelled with whose it is.

A table that is missing here fails the matrix: whoever adds one says what a row of it looks like.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg

from tests.isolation.catalogue import Relation, relations

TENANTS = ("A", "B")


class Label(NamedTuple):
    """Whose a row is.

    Args:
        tenant: ``A``, ``B``, or None for the shared catalogue.
        holder: A person (``ann``, ``bob``; ``new`` has no profile yet), ``visitor`` (the anonymous
            session), ``hidden`` (an agent that is not public), or None: the tenant as a whole.
    """

    tenant: str | None
    holder: str | None = None


@dataclass
class World:
    """The ids of what was seeded."""

    fixed: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, Label], dict[str, Any]] = field(default_factory=dict)
    labels: dict[str, dict[tuple[str | None, ...], Label]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def known(self, name: str) -> str:
        """The same new id at each call with this name."""
        return self.fixed.setdefault(name, str(uuid.uuid4()))

    def tenant(self, label: Label) -> str | None:
        return None if label.tenant is None else self.known(f"tenant {label.tenant}")

    def person(self, label: Label) -> str | None:
        if label.holder in {"ann", "bob", "new"}:
            return self.known(f"{label.tenant} {label.holder}")
        return None

    def number(self) -> int:
        return next(self._numbers)

    def id(self, table: str, label: Label) -> str:
        """The id of the row of ``table`` with this label."""
        return self.rows[table, label]["id"]

    def session(self, label: Label) -> str:
        return self.id("public.sessions", label)

    def scope(self, label: Label) -> str:
        return self.person(label) or self.session(label)


def _new() -> str:
    return str(uuid.uuid4())


def _tenants(w: World, label: Label) -> dict[str, Any]:
    seeded = ("public.tenants", label) in w.rows
    key = _new() if seeded else w.tenant(label)
    return {"id": key, "slug": f"t-{key}", "name": "T", "external_org_id": f"org_{key}"}


def _profiles(w: World, label: Label) -> dict[str, Any]:
    key = w.person(label)
    row = {
        "id": key,
        "tenant_id": w.tenant(label),
        "username": f"u-{key}",
        "onboarding_status": "pending",
    }
    # Not settable by people themselves.
    return (
        row if label.holder == "new" else {**row, "external_id": f"user_{key}", "email": f"{key}@x.test"}
    )


def _sessions(w: World, label: Label) -> dict[str, Any]:
    key = _new()
    return {
        "id": key,
        "tenant_id": w.tenant(label),
        "profile_id": w.person(label),
        "context": {"tenant": label.tenant},
        "status": "in_progress",
        "last_seq": 0,
    }


def _personal(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "session_id": w.session(label),
        "profile_id": w.person(label),
    }


def _messages(w: World, label: Label) -> dict[str, Any]:
    text = {"type": "text", "text": "hello"}
    return {
        **_personal(w, label),
        "seq": w.number(),
        "client_id": _new(),
        "role": "user",
        "parts": [text],
        "metadata": {},
    }


def _agent_runs(w: World, label: Label) -> dict[str, Any]:
    return {
        **_personal(w, label),
        "agent_name": "concierge",
        "message_id": _new(),
        "status": "completed",
        "completed_at": "2026-01-01T00:00:00Z",
    }


def _agent_memories(w: World, label: Label) -> dict[str, Any]:
    text = f"a fact of {label.holder} in {label.tenant}, number {w.number()}"
    return {**_personal(w, label), "kind": "fact", "source": "chat", "content": text}


def _memory_logs(w: World, label: Label) -> dict[str, Any]:
    row = _personal(w, label)
    del row["id"]
    return {**row, "operation": "recall", "details": {}}


def _agents(w: World, label: Label) -> dict[str, Any]:
    visibility = "internal" if label.holder == "hidden" else "public"
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "slug": f"a-{_new()}",
        "name": "Agent",
        "visibility": visibility,
    }


def _agent_versions(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "agent_id": w.id("public.agents", label),
        "version": w.number(),
        "instructions": "secret",
    }


def _agent_tags(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "slug": f"g-{_new()}", "label": "Tag"}


def _agent_tag_map(w: World, label: Label) -> dict[str, Any]:
    # Seeded on the public agents; inserted for the hidden ones.
    agent = w.id("public.agents", label)
    return {"agent_id": agent, "tag_id": w.id("public.agent_tags", Label(label.tenant))}


def _agent_endorsements(w: World, label: Label) -> dict[str, Any]:
    agent = w.id("public.agents", label)
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "agent_id": agent,
        "author": "x",
        "quote": "good",
    }


def _api_keys(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "name": "key", "digest": "\\x" + "00" * 32}


def _idempotency_keys(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "owner": "x", "key": _new(), "request_digest": "\\x00"}


def _embeddings(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "kind": "memory",
        "owner_id": _new(),
        "scope_id": w.scope(label),
        "model_id": 1,
        "place": w.number(),
        "embedding": [1, 0],
    }


def _embedding_backlog(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "kind": "memory",
        "owner_id": _new(),
        "scope_id": w.scope(label),
        "place": w.number(),
    }


def _embedding_models(w: World, label: Label) -> dict[str, Any]:
    return {"name": f"model {_new()}", "dimensions": 2}


def _search_docs(w: World, label: Label) -> dict[str, Any]:
    return {
        "place": w.number(),
        "tenant_id": w.tenant(label),
        "scope_id": w.scope(label),
        "kind": "memory",
        "owner_id": _new(),
        "length": 1,
        "told_from": "2026-01-01T00:00:00Z",
        "told_to": "2026-01-01T00:00:00Z",
    }


def _search_totals(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "scope_id": w.scope(label),
        "kind": "memory",
        "docs": 1,
        "length": 1,
    }


def _searchable(w: World, label: Label) -> dict[str, Any]:
    letters = _new().translate(str.maketrans("0123456789-", "ghijklmnopq"))
    return {"kind": letters, "source": "public.agents", "content": "name"}


def _reindexing(w: World, label: Label) -> dict[str, Any]:
    return {"model_id": 1, "kind": w.rows["stead.searchable", Label(None)]["kind"], "after_place": 0}


def _vector_indexes(w: World, label: Label) -> dict[str, Any]:
    return {
        "name": f"embeddings_hnsw_{_new().replace('-', '')[:16]}",
        "tenant_id": w.tenant(label),
        "scope_id": w.scope(label),
        "kind": _new().translate(str.maketrans("0123456789-", "ghijklmnopq")),
        "model_id": 1,
        "dimensions": 2,
        "home": "extensions",
        "ready": False,
        "created_at": "2026-01-01T00:00:00Z",
    }


def _search_terms(w: World, label: Label) -> dict[str, Any]:
    return {"term": w.number(), "place": w.number(), "frequency": 1, "length": 1}


def _processes(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "kind": "serve", "host": "here", "pid": 1, "started_at": "2026-01-01T00:00:00Z",
            "heartbeat_at": "2026-01-01T00:00:00Z"}  # fmt: skip


def _signature_nonces(w: World, label: Label) -> dict[str, Any]:
    return {"message_id": _new(), "seen_at": "2026-01-01T00:00:00Z"}


def _stream_chunks(w: World, label: Label) -> dict[str, Any]:
    return {
        "run_id": w.id("public.agent_runs", label),
        "tenant_id": w.tenant(label),
        "seq": w.number(),
        "frames": [],
    }


def _audit_log(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "actor_type": "user" if label.holder else "service",
        "actor_id": w.person(label) or "stead",
        "category": "memory",
        "action": "forget",
        "subject_profile_id": w.person(label),
        "payload": {"memories": 1},
    }


def _audit_entries(w: World, label: Label) -> dict[str, Any]:
    number = w.number()
    return {"tenant_id": w.tenant(label), "audit_id": number, "seal_no": 1, "position": number,
            "digest": "\\x" + "00" * 32}  # fmt: skip


def _audit_seals(w: World, label: Label) -> dict[str, Any]:
    digest = "\\x" + "00" * 32
    return {"tenant_id": w.tenant(label), "seal_no": w.number(), "prev_digest": digest, "rows": 1,
            "root": digest, "complete_to": 0, "sealed_at": "2026-01-01T00:00:00Z", "digest": digest}  # fmt: skip


def _audit_signatures(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "seal_no": w.number(), "key": "\\x" + "00" * 32,
            "signature": "\\x" + "00" * 64}  # fmt: skip


def _audit_texts(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "digest": f"{w.number():064x}", "salt": "\\x" + "00" * 32,
            "texts": "{}", "profile_id": w.person(label)}  # fmt: skip


def _audit_documents(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "audit_id": w.number()}


def _audit_indexing(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "seal_no": 1, "position": 1, "documents": 1}


def _policies_noted(w: World, label: Label) -> dict[str, Any]:
    return {"name": f"policy {_new()}", "digest": "00"}


def _change_interest(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "table_name": f"t{w.number()}",
        "until": "2026-01-01T00:00:00Z",
        "since": "3",
    }


def _changes(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "table_name": "sessions", "op": "INSERT", "rows": []}


def _change_sweeps(w: World, label: Label) -> dict[str, Any]:
    return {"feed": _new(), "xid": "3"}


def _broadcasts(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "topic": "room",
        "kind": "broadcast",
        "event": "e",
        "payload": {},
    }


def _presences(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "topic": "room",
        "key": "k",
        "process_id": _new(),
        "meta": {},
        "until": "2026-01-01T00:00:00Z",
    }


def _sealing_progress(w: World, label: Label) -> dict[str, Any]:
    return {"log": _new(), "scanned_to": 0, "complete_to": 0}


def _of_a_holder(w: World, label: Label) -> dict[str, Any]:
    """Of a person, of the visitor's session, or of an agent itself, which is the tenant's."""
    session = w.session(label) if label.holder else None
    return {"id": _new(), "tenant_id": w.tenant(label), "session_id": session,
            "profile_id": w.person(label), "agent_name": "planner", "metadata": {}}  # fmt: skip


def _scope(w: World, label: Label) -> str | None:
    return w.scope(label) if label.holder else w.tenant(label)


def _goal_assessments(w: World, label: Label) -> dict[str, Any]:
    row = {**_of_a_holder(w, label), "goal": f"goal {w.number()}", "progress": 0, "status": "active"}
    return {**row, "importance": 0.5, "created_at": "2026-01-01", "updated_at": "2026-01-01"}


def _store_items(w: World, label: Label) -> dict[str, Any]:
    owner = {"profile_id": w.person(label)}
    if label.holder == "visitor":
        owner = {"session_id": w.session(label)}
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        **owner,
        "namespace": ["memories"],
        "key": f"k{w.number()}",
        "value": {"text": "kept"},
        "search_text": "kept",
    }


def _goal_progress(w: World, label: Label) -> dict[str, Any]:
    goal = w.id("public.goal_assessments", label)
    return {"id": _new(), "tenant_id": w.tenant(label), "scope_id": _scope(w, label), "goal_id": goal,
            "progress": 0.5, "evidence_kind": "memory", "evidence_ids": [], "at": "2026-01-01",
            "created_at": "2026-01-01"}  # fmt: skip


def _belief_graphs(w: World, label: Label) -> dict[str, Any]:
    row = {**_of_a_holder(w, label), "statement": f"statement {w.number()}", "prior": 0.5}
    return {**row, "evidence_micronats": 0, "supporting": 0, "contradicting": 0,
            "created_at": "2026-01-01", "updated_at": "2026-01-01"}  # fmt: skip


def _belief_edges(w: World, label: Label) -> dict[str, Any]:
    # Between the two of the label; which relation it is tells two edges apart.
    known = w.labels["public.belief_graphs"].items()
    here, there = (key[0] for key, whose in known if whose == label)
    seeded = ("public.belief_edges", label) in w.rows
    return {"id": _new(), "tenant_id": w.tenant(label), "scope_id": _scope(w, label), "from_belief_id": here,
            "to_belief_id": there, "relation": "refines" if seeded else "supports", "weight": 1,
            "created_at": "2026-01-01"}  # fmt: skip


def _belief_updates(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "scope_id": _scope(w, label),
            "belief_id": w.id("public.belief_graphs", label), "evidence_kind": "memory", "evidence_id": _new(),
            "direction": "supports", "weight": 1, "reliability": 0.8, "prior": 0.5, "posterior": 0.8,
            "at": "2026-01-01"}  # fmt: skip


def _cognitive_metrics(w: World, label: Label) -> dict[str, Any]:
    return {
        **_personal(w, label),
        "run_id": w.id("public.agent_runs", label),
        "agent_name": "concierge",
        "memories_found": 1,
        "memories_injected": 1,
        "context_tokens": 1,
        "input_tokens": 1,
        "output_tokens": 1,
        "created_at": "2026-01-01",
    }


def _message_feedback(w: World, label: Label) -> dict[str, Any]:
    return {**_personal(w, label), "message_id": w.id("public.messages", label),
            "run_id": w.id("public.agent_runs", label), "rating": 1, "comment": "fine",
            "created_at": "2026-01-01", "updated_at": "2026-01-01"}  # fmt: skip


def _agent_executions(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "session_id": w.session(label), "user_id": w.person(label), "agent_name": "sales",
            "status": "completed"}  # fmt: skip


def _unified_sessions(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "session_id": f"s-{w.number()}", "user_id": w.person(label), "agent_name": "sales",
            "status": "active", "context": {}}  # fmt: skip


def _memory_policies(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "keep_days": 30,
        "consolidate": True,
        "updated_at": "2026-01-01",
    }


def _consolidations(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "scope_id": _new(), "requested_at": "2026-01-01"}


def _erasures(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "kind": "session", "subject_id": _new(), "erased": {},
            "claimed_until": "2026-01-01", "requested_at": "2026-01-01"}  # fmt: skip


def _evidence_embeddings(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "source_type": "tool_output",
        "content": f"evidence {w.number()}",
        "metadata": {},
        "shared": False,
        "created_at": "2026-01-01T00:00:00Z",
    }


def _evidence_scopes(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "source_type": f"kind {w.number()}", "scope": "finance:write",
            "updated_at": "2026-01-01"}  # fmt: skip


def _evidence_artifacts(w: World, label: Label) -> dict[str, Any]:
    artifact = _new()
    return {"id": artifact, "tenant_id": w.tenant(label), "bucket": "evidence-artifacts",
            "key": f"{w.tenant(label)}/{artifact}", "name": "a.pdf", "media_type": "application/pdf",
            "created_at": "2026-01-01"}  # fmt: skip


def _artifact_removals(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "bucket": "evidence-artifacts", "key": "a/b",
            "attempts": 0, "due_at": "2026-01-01", "created_at": "2026-01-01"}  # fmt: skip


def _pattern_embeddings(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "project_type": f"kind {w.number()}",
        "created_at": "2026-01-01T00:00:00Z",
    }


def _projects(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "user_id": w.person(label),
        "title": "a project",
        "mode": "builder",
        "status": "planning",
        "created_at": "2026-01-01",
        "updated_at": "2026-01-01",
    }


def _of_a_project(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "project_id": w.id("public.projects", label),
        "created_at": "2026-01-01",
    }


def _project_files(w: World, label: Label) -> dict[str, Any]:
    path = f"src/{w.number()}.ts"
    return {**_of_a_project(w, label), "path": path, "version": 1, "updated_at": "2026-01-01"}


def _project_file_versions(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "file_id": w.id("public.project_files", label),
        "version": w.number(),
        "content": "before",
        "created_at": "2026-01-01",
        "replaced_at": "2026-01-01",
    }


def _learning_roadmaps(w: World, label: Label) -> dict[str, Any]:
    return {**_of_a_project(w, label), "modules": [], "current_step_index": 0}


def _daily_sessions(w: World, label: Label) -> dict[str, Any]:
    row = {"transcript": [], "duration_minutes": 0, "active_s": 0, "last_active_at": "2026-01-01"}
    return {**_of_a_project(w, label), **row}


def _waiting_runs(w: World, label: Label) -> dict[str, Any]:
    # Seeded for nobody: a run waits once.
    return {
        "tenant_id": w.tenant(label),
        "run_id": w.id("public.agent_runs", label),
        "session_id": w.id("public.sessions", label),
        "state": "{}",
        "sdk_version": "1",
        "calls": [],
        "envelope_ids": [_new()],
        "tries": 0,
        "look_at": "2026-01-01",
        "created_at": "2026-01-01",
    }


def _extraction_backlog(w: World, label: Label) -> dict[str, Any]:
    # Seeded for nobody: a run waits once.
    return {"run_id": w.id("public.agent_runs", label), "tenant_id": w.tenant(label)}


def _agent_jobs(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "user_id": w.person(label), "agent_type": "research",
            "status": "queued", "progress": 0, "created_at": "2026-01-01", "input": {}, "queue": "default",
            "priority": 0, "run_at": "2026-01-01", "ready": True, "dispatch": "postgres", "attempts": 0,
            "max_attempts": 3, "rescues": 0, "resuming": False, "lease_no": 0, "has_steps": False,
            "event_seq": 0}  # fmt: skip


def _agent_job_steps(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "job_id": w.id("public.agent_jobs", label),
            "name": f"step {w.number()}", "kind": "step", "position": 0, "created_at": "2026-01-01"}  # fmt: skip


def _job_events(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "job_id": w.id("public.agent_jobs", label), "seq": w.number(),
            "event": "progress", "data": {}, "created_at": "2026-01-01"}  # fmt: skip


def _job_watches(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "job_id": w.id("public.agent_jobs", label),
        "until": "2026-01-01",
    }


def _job_queues(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "queue": f"queue-{w.number()}", "paused": False, "weight": 1,
            "updated_at": "2026-01-01"}  # fmt: skip


def _schedules(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "name": f"schedule-{w.number()}",
            "cron": "0 7 * * *", "time_zone": "UTC", "kind": "digest", "input": {}, "queue": "default",
            "max_attempts": 3, "dispatch": "postgres", "missed": "once", "source": "api", "paused": False,
            "seen_at": "2026-01-01", "created_at": "2026-01-01", "updated_at": "2026-01-01"}  # fmt: skip


def _tool_catalog(w: World, label: Label) -> dict[str, Any]:
    return {"id": 10_000 + w.number(), "tenant_id": w.tenant(label), "tool_slug": f"tool-{w.number()}",
            "display_name": "a tool", "description": "", "version": "1", "risk": "low",
            "schema": {"type": "object"}, "required_scopes": [], "provider": "http", "toolkit": "",
            "idempotent": False, "needs_account": False, "timeout_s": 30, "config": {}, "digest": "0" * 64,
            "status": "active", "current": True, "created_at": "2026-01-01",
            "updated_at": "2026-01-01"}  # fmt: skip


def _catalog_audit(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "tool_slug": "refund", "version": "1",
            "provider": "mcp", "severity": "breaking", "changes": [], "snapshot": {}, "held": True,
            "created_at": "2026-01-01"}  # fmt: skip


def _catalog_refreshes(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "provider": "mcp", "toolkit": f"kit {w.number()}",
            "next_at": "2036-01-01"}  # fmt: skip


def _rate_buckets(w: World, label: Label) -> dict[str, Any]:
    return {"name": f"mcp/{w.number()}", "tokens": 1, "filled_at": "2026-01-01"}


def _connected_accounts(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "profile_id": w.person(label), "provider": "composio",
            "toolkit": "github", "external_id": f"ca_{w.number()}", "status": "active", "scopes": ["repo"],
            "metadata": {}, "created_at": "2026-01-01", "updated_at": "2026-01-01"}  # fmt: skip


def _schedule_pauses(w: World, label: Label) -> dict[str, Any]:
    # A tenant pauses a schedule once.
    of = label if ("stead.schedule_pauses", label) in w.rows else Label(None)
    schedule = w.id("stead.schedules", of)
    return {"tenant_id": w.tenant(label), "schedule_id": schedule, "created_at": "2026-01-01"}


def _agent_sessions(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "profile_id": w.person(label), "agent_context": {}}


def _agent_run_logs(w: World, label: Label) -> dict[str, Any]:
    return {"session_id": w.session(label), "profile_id": w.person(label), "input": {}}


def _guardrails(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "trust_threshold": 0.5,
        "scopes": ["*"],
        "require_evidence": False,
        "time_zone": "UTC",
        "settings": {},
        "changed_by": "stead",
    }


def _objectives(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "title": f"objective {w.number()}",
        "created_at": "2026-01-01",
        "updated_at": "2026-01-01",
    }


def _guardrail_versions(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "version": 100 + w.number(),
        "policy": {},
        "changed_by": "stead",
        "created_at": "2026-01-01",
    }


def _decisions(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "stage": "proposal", "tool": "mail.send",
            "verdict": "allow", "reasons": [], "quorum": 0, "policy_version": 0,
            "inputs_digest": "\\x" + "00" * 32, "inputs": {}, "created_at": "2026-01-01"}  # fmt: skip


def _action_counts(w: World, label: Label) -> dict[str, Any]:
    seeded = ("stead.action_counts", label) in w.rows
    return {"tenant_id": w.tenant(label), "grain_s": 10, "bucket": "2026-01-01", "shard": int(seeded),
            "actions": 1, "amount": 0}  # fmt: skip


def _tool_trust(w: World, label: Label) -> dict[str, Any]:
    return {
        "tenant_id": w.tenant(label),
        "tool": f"tool.{w.number()}",
        "successes": 1,
        "failures": 0,
        "updated_at": "2026-01-01",
    }


def _trust_events(w: World, label: Label) -> dict[str, Any]:
    return {
        "id": _new(),
        "tenant_id": w.tenant(label),
        "tool": "mail.send",
        "outcome": "approved",
        "created_at": "2026-01-01",
    }


def _session_candidates(w: World, label: Label) -> dict[str, Any]:
    # A session has an agent once: the one that is seeded, and the hidden one that is tried.
    seeded = ("public.session_candidates", label) in w.rows
    agent = Label(label.tenant, "hidden") if seeded else Label(label.tenant)
    return {"tenant_id": w.tenant(label), "session_id": w.session(label),
            "agent_id": w.id("public.agents", agent), "fit_score": 50, "rank": 1, "rationale": ["fits"],
            "factors": [], "created_at": "2026-01-01"}  # fmt: skip


def _analytics_events(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "session_id": w.session(label), "name": "step.viewed",
            "properties": {"phase": "one", "step": "two"}, "origin": "browser", "occurred_at": "2026-01-01",
            "received_at": "2026-01-01"}  # fmt: skip


def _waitlist_entries(w: World, label: Label) -> dict[str, Any]:
    seeded = ("public.waitlist_entries", label) in w.rows
    agent = Label(label.tenant, "hidden") if seeded else Label(label.tenant)
    return {**_personal(w, label), "agent_id": w.id("public.agents", agent), "status": "new",
            "created_at": "2026-01-01"}  # fmt: skip


def _outbox(w: World, label: Label) -> dict[str, Any]:
    # By an agent for them, so that they may confirm it themselves.
    return {"id": _new(), "tenant_id": w.tenant(label), "tool_slug": "mail.send", "tool_version": "1",
            "tool_digest": "0", "provider": "http", "risk": "low", "status": "awaiting_approval",
            "proposed_by": "agent:concierge", "proposer_id": w.person(label), "by_agent": True}  # fmt: skip


def _outbox_attempts(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "envelope_id": w.id("public.outbox", label),
            "lease_no": w.number(), "attempt": 1, "worker_id": _new()}  # fmt: skip


def _outbox_dlq(w: World, label: Label) -> dict[str, Any]:
    return {"id": w.id("public.outbox", label), "tenant_id": w.tenant(label), "tool_slug": "mail.send",
            "arguments": {}, "risk": "low", "trust_context": {}, "metadata": {}, "status": "dead",
            "attempts": 5, "created_at": "2026-01-01", "moved_at": "2026-01-01"}  # fmt: skip


def _breakers(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "target": f"http/tool:{w.number()}"}


def _action_digest(w: World, label: Label) -> str:
    """Of the envelope of that label: what `stead.action_digest` computes, once more."""
    fields = [
        "stead.action.1",
        w.tenant(label),
        w.id("public.outbox", label),
        "1",
        "9:mail.send",
        "1:1",
        "1:0",
    ]
    return "\\x" + hashlib.sha256(",".join([*map(str, fields), "-", "{}"]).encode()).hexdigest()


def _approvals(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "envelope_id": w.id("public.outbox", label),
            "envelope_version": 1, "digest": _action_digest(w, label), "risk": "low", "policy_version": 0,
            "proposer_id": w.person(label), "by_agent": True, "expires_at": "2036-01-01"}  # fmt: skip


def _approval_votes(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "approval_id": w.id("public.approvals", label),
            "counts_for": w.person(label), "profile_id": w.person(label), "vote": "approve",
            "digest": _action_digest(w, label)}  # fmt: skip


def _approvers(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "profile_id": w.person(label)}


def _approver_delegations(w: World, label: Label) -> dict[str, Any]:
    # Not yet: whom it is to is no approver.
    other = w.known(f"{label.tenant} {'ann' if label.holder == 'bob' else 'bob'}")
    return {"id": _new(), "tenant_id": w.tenant(label), "from_id": w.person(label), "to_id": other,
            "begins_at": "2036-01-01", "ends_at": "2036-01-31"}  # fmt: skip


def _approval_links(w: World, label: Label) -> dict[str, Any]:
    approval = w.id("public.approvals", Label(label.tenant, "ann"))
    return {"id": _new(), "tenant_id": w.tenant(label), "approval_id": approval,
            "profile_id": w.known(f"{label.tenant} bob"), "secret_digest": "\\x" + "00" * 32,
            "expires_at": "2036-01-01"}  # fmt: skip


def _webhook_endpoints(w: World, label: Label) -> dict[str, Any]:
    return {"id": _new(), "tenant_id": w.tenant(label), "url": f"https://hooks.example/{w.number()}",
            "events": ["envelope.dead"]}  # fmt: skip


def _outcomes_to_index(w: World, label: Label) -> dict[str, Any]:
    return {"tenant_id": w.tenant(label), "envelope_id": w.id("public.outbox", label)}


def _each(*holders: str | None) -> tuple[Label, ...]:
    return tuple(Label(tenant, holder) for tenant in TENANTS for holder in holders)


_PEOPLE = _each("ann", "bob")
_EVERYBODY = _each("ann", "bob", "visitor")
_TENANT = _each(None)
_CATALOGUE = (*_each(None, "hidden"), Label(None), Label(None, "hidden"))
_HOLDERS = _each("ann", "bob", "visitor", None)
_JOBS = _each("ann", "bob", None)
_STEAD = (Label(None),)


class Seed(NamedTuple):
    """How rows of a table are made: ``seeded`` are there, ``inserted`` are tried."""

    make: Callable[[World, Label], dict[str, Any]]
    seeded: tuple[Label, ...]
    inserted: tuple[Label, ...]


#: In the order in which rows refer to each other.
SEEDS: dict[str, Seed] = {
    "public.tenants": Seed(_tenants, _TENANT, _TENANT),
    "public.profiles": Seed(_profiles, _PEOPLE, _each("new")),
    "public.sessions": Seed(_sessions, _EVERYBODY, _each("ann", "bob", None)),
    "public.messages": Seed(_messages, _EVERYBODY, _EVERYBODY),
    "public.agent_runs": Seed(_agent_runs, _EVERYBODY, _EVERYBODY),
    "public.agent_memories": Seed(_agent_memories, _EVERYBODY, _EVERYBODY),
    "public.memory_logs": Seed(_memory_logs, _EVERYBODY, _EVERYBODY),
    "public.agents": Seed(_agents, _CATALOGUE, _CATALOGUE),
    "public.agent_versions": Seed(_agent_versions, _CATALOGUE, _CATALOGUE),
    "public.agent_tags": Seed(_agent_tags, (*_TENANT, Label(None)), (*_TENANT, Label(None))),
    "public.agent_tag_map": Seed(
        _agent_tag_map, (*_TENANT, Label(None)), (*_each("hidden"), Label(None, "hidden"))
    ),
    "public.agent_endorsements": Seed(_agent_endorsements, _CATALOGUE, _CATALOGUE),
    "stead.api_keys": Seed(_api_keys, _TENANT, _TENANT),
    "stead.idempotency_keys": Seed(_idempotency_keys, _TENANT, _TENANT),
    "stead.embedding_models": Seed(_embedding_models, _STEAD, _STEAD),
    "stead.embeddings": Seed(_embeddings, _EVERYBODY, _EVERYBODY),
    "stead.embedding_backlog": Seed(_embedding_backlog, (), _EVERYBODY),
    # Seeded by the trigger on agent_memories.
    "stead.search_docs": Seed(_search_docs, (), _EVERYBODY),
    "stead.search_terms": Seed(_search_terms, (), _STEAD),
    "stead.search_totals": Seed(_search_totals, _EVERYBODY, _EVERYBODY),
    "stead.searchable": Seed(_searchable, _STEAD, _STEAD),
    "stead.reindexing": Seed(_reindexing, _STEAD, ()),
    "stead.vector_indexes": Seed(_vector_indexes, _EVERYBODY, _EVERYBODY),
    "stead.processes": Seed(_processes, _STEAD, _STEAD),
    "stead.signature_nonces": Seed(_signature_nonces, _STEAD, _STEAD),
    "stead.stream_chunks": Seed(_stream_chunks, _EVERYBODY, _EVERYBODY),
    "public.audit_log": Seed(_audit_log, (*_PEOPLE, *_TENANT), (*_PEOPLE, *_TENANT)),
    "stead.audit_entries": Seed(_audit_entries, _TENANT, _TENANT),
    "stead.audit_seals": Seed(_audit_seals, _TENANT, _TENANT),
    "stead.audit_signatures": Seed(_audit_signatures, _TENANT, _TENANT),
    "stead.audit_texts": Seed(_audit_texts, (*_PEOPLE, *_TENANT), (*_PEOPLE, *_TENANT)),
    "stead.audit_documents": Seed(_audit_documents, _TENANT, _TENANT),
    # A tenant has one, and is seeded once.
    "stead.audit_indexing": Seed(_audit_indexing, _TENANT, ()),
    "stead.policies_noted": Seed(_policies_noted, _STEAD, _STEAD),
    "stead.sealing_progress": Seed(_sealing_progress, _STEAD, _STEAD),
    "stead.change_interest": Seed(_change_interest, _TENANT, _TENANT),
    "stead.changes": Seed(_changes, _TENANT, _TENANT),
    "stead.change_sweeps": Seed(_change_sweeps, _STEAD, _STEAD),
    "stead.broadcasts": Seed(_broadcasts, _TENANT, _TENANT),
    "stead.presences": Seed(_presences, _TENANT, _TENANT),
    "public.goal_assessments": Seed(_goal_assessments, _HOLDERS, _HOLDERS),
    "public.goal_progress": Seed(_goal_progress, _HOLDERS, _HOLDERS),
    "public.belief_graphs": Seed(_belief_graphs, (*_HOLDERS, *_HOLDERS), _HOLDERS),
    "public.belief_edges": Seed(_belief_edges, _HOLDERS, _HOLDERS),
    "public.belief_updates": Seed(_belief_updates, _HOLDERS, _HOLDERS),
    # A run has one row, and is seeded once.
    "public.cognitive_metrics": Seed(_cognitive_metrics, _each("bob", "visitor"), _each("ann")),
    # A message has one row, and is seeded once.
    "public.message_feedback": Seed(_message_feedback, _each("bob", "visitor"), _each("ann")),
    "public.session_candidates": Seed(_session_candidates, _EVERYBODY, _EVERYBODY),
    "public.waitlist_entries": Seed(_waitlist_entries, _EVERYBODY, _EVERYBODY),
    "public.analytics_events": Seed(_analytics_events, _EVERYBODY, _EVERYBODY),
    "public.store_items": Seed(_store_items, _HOLDERS, _HOLDERS),
    # A tenant has one, and is seeded with it.
    "public.memory_policies": Seed(_memory_policies, _TENANT, ()),
    # Seeded by the trigger on agent_memories.
    "stead.consolidations": Seed(_consolidations, (), _EVERYBODY),
    "stead.erasures": Seed(_erasures, _EVERYBODY, _EVERYBODY),
    "public.evidence_embeddings": Seed(_evidence_embeddings, _TENANT, _TENANT),
    "public.evidence_scopes": Seed(_evidence_scopes, _TENANT, _TENANT),
    "public.evidence_artifacts": Seed(_evidence_artifacts, _TENANT, _TENANT),
    "stead.artifact_removals": Seed(_artifact_removals, _TENANT, _TENANT),
    "public.pattern_embeddings": Seed(
        _pattern_embeddings, (*_TENANT, Label(None)), (*_TENANT, Label(None))
    ),
    "public.projects": Seed(_projects, _PEOPLE, _PEOPLE),
    "public.project_files": Seed(_project_files, _PEOPLE, _PEOPLE),
    "public.project_file_versions": Seed(_project_file_versions, _PEOPLE, _PEOPLE),
    "public.learning_roadmaps": Seed(_learning_roadmaps, _PEOPLE, _PEOPLE),
    "public.daily_sessions": Seed(_daily_sessions, _PEOPLE, _PEOPLE),
    "stead.waiting_runs": Seed(_waiting_runs, _each("bob", "visitor"), _each("ann")),
    "stead.extraction_backlog": Seed(_extraction_backlog, _each("bob", "visitor"), _each("ann")),
    "public.agent_jobs": Seed(_agent_jobs, _JOBS, _JOBS),
    "public.agent_job_steps": Seed(_agent_job_steps, _JOBS, _JOBS),
    "stead.job_events": Seed(_job_events, _JOBS, _JOBS),
    # A job has one, and is seeded once.
    "stead.job_watches": Seed(_job_watches, _each("bob", None), _each("ann")),
    "stead.job_queues": Seed(_job_queues, (*_TENANT, Label(None)), (*_TENANT, Label(None))),
    "stead.schedules": Seed(_schedules, (*_TENANT, Label(None)), (*_TENANT, Label(None))),
    "public.tool_catalog": Seed(_tool_catalog, (*_TENANT, Label(None)), (*_TENANT, Label(None))),
    "public.catalog_audit": Seed(_catalog_audit, _TENANT, _TENANT),
    "stead.catalog_refreshes": Seed(_catalog_refreshes, _TENANT, _TENANT),
    "stead.rate_buckets": Seed(_rate_buckets, _STEAD, _STEAD),
    # A tenant has one, and is seeded with it.
    "public.guardrails": Seed(_guardrails, _TENANT, ()),
    "public.objectives": Seed(_objectives, _TENANT, _TENANT),
    # Seeded with another number than the trigger's.
    "stead.guardrail_versions": Seed(_guardrail_versions, (), _TENANT),
    "stead.decisions": Seed(_decisions, _TENANT, _TENANT),
    "stead.action_counts": Seed(_action_counts, _TENANT, _TENANT),
    "stead.tool_trust": Seed(_tool_trust, _TENANT, _TENANT),
    "stead.trust_events": Seed(_trust_events, _TENANT, _TENANT),
    "public.outbox": Seed(_outbox, _JOBS, _JOBS),
    "public.outbox_attempts": Seed(_outbox_attempts, _JOBS, _JOBS),
    # An envelope has one, and is seeded once.
    "public.outbox_dlq": Seed(_outbox_dlq, _each("bob", None), _each("ann")),
    "stead.breakers": Seed(_breakers, _TENANT, _TENANT),
    "public.approvals": Seed(_approvals, _PEOPLE, _TENANT),
    "public.approval_votes": Seed(_approval_votes, _each("bob"), _each("ann")),
    # Bob is one: he sees what others propose.
    "stead.approvers": Seed(_approvers, _each("bob"), _each("ann")),
    "stead.approver_delegations": Seed(_approver_delegations, _each("bob"), _each("ann")),
    "stead.approval_links": Seed(_approval_links, _TENANT, _TENANT),
    # After what it would be told of.
    "stead.webhook_endpoints": Seed(_webhook_endpoints, _TENANT, _TENANT),
    "stead.outcomes_to_index": Seed(_outcomes_to_index, _each("bob", None), _each("ann")),
    "public.connected_accounts": Seed(_connected_accounts, _JOBS, _JOBS),
    "stead.schedule_pauses": Seed(_schedule_pauses, _TENANT, _TENANT),
    # Views show what their tables hold.
    "public.agent_executions": Seed(_agent_executions, (), _PEOPLE),
    "public.unified_sessions": Seed(_unified_sessions, (), _PEOPLE),
    "public.recent_agent_activity": Seed(_agent_executions, (), ()),
    "public.memory_operation_summary": Seed(_memory_logs, (), ()),
    "public.user_session_stats": Seed(_sessions, (), ()),
    "public.audit_logs": Seed(_audit_log, (), ()),
    "public.agent_sessions": Seed(_agent_sessions, (), _PEOPLE),
    "public.agent_run_logs": Seed(_agent_run_logs, (), _PEOPLE),
}


def insert_statement(relation: str, row: dict[str, Any], columns: tuple[str, ...] | None = None) -> str:
    """Inserts that row, with every value read as its column's type."""
    wanted = [name for name in row if columns is None or name in columns] or list(row)
    names = ", ".join(wanted)
    literal = json.dumps(row).replace("'", "''")
    return (
        f"insert into {relation} ({names}) "
        f"select {names} from jsonb_populate_record(null::{relation}, '{literal}')"
    )


async def seed(connection: asyncpg.Connection) -> World:
    """Fills an empty, migrated database and says whose every row is.

    Args:
        connection: A superuser's, in which no claims are set.
    """
    world = World()
    known = {relation.name: relation for relation in await relations(connection)}
    for name, how in SEEDS.items():
        relation = known.get(name)
        assert relation is not None, f"{name} has a seed here and does not exist"
        world.labels[name] = {}
        for label in how.seeded:
            row = how.make(world, label)
            world.rows[name, label] = row
            if name == "public.approval_votes":
                # Nobody votes for another, not even a superuser.
                await connection.execute(
                    "select set_config('request.jwt.claims', $1, false)", _claims(row)
                )
            key = await connection.fetchrow(
                f"{insert_statement(name, row)} returning {_key_of(relation)}"
            )
            assert key is not None
            world.labels[name][tuple(key)] = label
        await connection.execute("reset request.jwt.claims")
    await _label_what_triggers_wrote(connection, world, known)
    return world


def _claims(row: dict[str, Any]) -> str:
    return json.dumps({"tenant_id": row["tenant_id"], "sub": row["profile_id"]})


def _key_of(relation: Relation) -> str:
    return ", ".join(f"{column}::text" for column in relation.key)


async def _label_what_triggers_wrote(
    connection: asyncpg.Connection, world: World, known: dict[str, Relation]
) -> None:
    memories = world.labels["public.agent_memories"]
    sources = {
        "stead.search_docs": ("x join public.agent_memories m on m.place = x.place", memories),
        "stead.search_terms": ("x join public.agent_memories m on m.place = x.place", memories),
        "public.agent_sessions": (
            "x join public.sessions m on m.id = x.id",
            world.labels["public.sessions"],
        ),
        "public.unified_sessions": (
            "x join public.sessions m on m.id = x.id",
            world.labels["public.sessions"],
        ),
        "public.agent_executions": (
            "x join public.agent_runs m on m.id = x.id",
            world.labels["public.agent_runs"],
        ),
        "public.recent_agent_activity": (
            "x join public.agent_runs m on m.id = x.id",
            world.labels["public.agent_runs"],
        ),
        "public.user_session_stats": (
            "x join public.profiles m on m.id = x.user_id",
            world.labels["public.profiles"],
        ),
        "public.memory_operation_summary": (
            "x join public.tenants m on m.id = x.tenant_id",
            world.labels["public.tenants"],
        ),
        "stead.guardrail_versions": (
            "x join public.guardrails m on m.tenant_id = x.tenant_id",
            world.labels["public.guardrails"],
        ),
        "public.audit_log": (
            "x join public.guardrails m on m.id::text = x.subject_id",
            world.labels["public.guardrails"],
        ),
        "public.audit_logs": (
            "x join public.audit_log m on m.id = x.id",
            world.labels["public.audit_log"],
        ),
        "public.agent_run_logs": (
            "x join public.agent_runs m on m.number = x.id",
            world.labels["public.agent_runs"],
        ),
    }
    for name, (join, labels) in sources.items():
        key = ", ".join(f"x.{column}::text" for column in known[name].key)
        for row in await connection.fetch(f"select m.id::text as source, {key} from {name} {join}"):
            world.labels[name][tuple(row)[1:]] = labels[(row["source"],)]
    await _label_what_is_indexed(connection, world, known)


async def _label_what_is_indexed(
    connection: asyncpg.Connection, world: World, known: dict[str, Relation]
) -> None:
    """What the triggers of searchable tables wrote, by the scope that it is found in."""
    whose = {_scope(world, label): label for label in _HOLDERS}
    # What belongs to a tenant as a whole, and what is shared by all.
    whose |= {world.known(f"tenant {tenant}"): Label(tenant) for tenant in TENANTS}
    whose[str(uuid.UUID(int=0))] = Label(None)
    for name, join in (
        ("stead.search_docs", ""),
        ("stead.search_totals", ""),
        ("stead.embedding_backlog", ""),
        ("stead.consolidations", ""),
        ("stead.search_terms", "join stead.search_docs d on d.place = x.place"),
    ):
        scope = "d.scope_id" if join else "x.scope_id"
        key = ", ".join(f"x.{column}::text" for column in known[name].key)
        for row in await connection.fetch(f"select {scope}::text as scope, {key} from {name} x {join}"):
            world.labels[name].setdefault(tuple(row)[1:], whose[row["scope"]])
    for row in await connection.fetch("select kind from stead.searchable"):
        world.labels["stead.searchable"].setdefault((row["kind"],), Label(None))
