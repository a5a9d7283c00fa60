"""Who may do what with whose rows, written down once more and independently of the policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.isolation.seeding import Label, World

#: In whose name the server acts for callers.
CALLING_ROLES = ("anon", "authenticated", "stead_service")
#: service_role as it is, and as it is where the migrating login could not give it BYPASSRLS.
PLAIN_SERVICE = "service_role without BYPASSRLS"
POWERFUL_ROLES = ("service_role", PLAIN_SERVICE, "stead_definer")
LOGIN = "stead_api"
OWNER = "the owner"
ROLES = (*CALLING_ROLES, *POWERFUL_ROLES, LOGIN, OWNER)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Claims, and what they ought to prove.

    Args:
        name: For messages.
        claims: The value of request.jwt.claims; None where it was never set.
        tenant: The tenant that they prove.
        person: Tenant and name of the person or visitor that they prove.
        service: Whether they speak for a whole tenant.
        readable: False where they are no JSON, with which every statement ends in an error.
    """

    name: str
    claims: str | None
    tenant: str | None = None
    person: tuple[str, str] | None = None
    service: bool = False
    readable: bool = True


def callers(w: World) -> list[Caller]:
    """Own, other, no and forged claims."""
    found: list[Caller] = []

    def add(name: str, claims: object, tenant: str | None = None, who: str | None = None) -> None:
        found.append(
            Caller(
                name=name,
                claims=claims if isinstance(claims, str) else json.dumps(claims),
                tenant=tenant,
                person=None if who is None else (who[0], who[2:]),
                service=isinstance(claims, dict) and not claims.keys() & {"sub", "stead_session"},
            )
        )

    a, b = w.known("tenant A"), w.known("tenant B")
    ann, bob = w.known("A ann"), w.known("A bob")
    ann_b = w.known("B ann")
    visitor = w.session(Label("A", "visitor"))
    visitor_b = w.session(Label("B", "visitor"))

    add("A's service", {"tenant_id": a}, "A")
    add("A's ann", {"tenant_id": a, "sub": ann}, "A", "A ann")
    add("A's ann, tenant in app_metadata", {"app_metadata": {"tenant_id": a}, "sub": ann}, "A", "A ann")
    add("A's ann, tenant from her profile", {"sub": ann}, "A", "A ann")
    clerk = {"sub": f"user_{ann}", "o": {"id": f"org_{a}"}}
    add("A's ann from Clerk", clerk, "A", "A ann")
    add("A's ann from Clerk, v1", {"sub": f"user_{ann}", "org_id": f"org_{a}"}, "A", "A ann")
    add("A's bob", {"tenant_id": a, "sub": bob}, "A", "A bob")
    add("A's newcomer", {"tenant_id": a, "sub": w.known("A new")}, "A", "A new")
    add("A's visitor", {"tenant_id": a, "stead_session": visitor}, "A", "A visitor")
    add("B's service", {"tenant_id": b}, "B")
    add("B's ann", {"tenant_id": b, "sub": ann_b}, "B", "B ann")
    add("B's visitor", {"tenant_id": b, "stead_session": visitor_b}, "B", "B visitor")

    found.append(Caller(name="no claims", claims=None))
    add("empty claims", "")
    add("an empty object", "{}")

    add("B's tenant with ann's subject of A", {"tenant_id": b, "sub": ann}, "B", "A ann")
    add("B's organisation with ann's Clerk subject of A", {**clerk, "o": {"id": f"org_{b}"}}, "B")
    add("A's tenant with B's visitor", {"tenant_id": a, "stead_session": visitor_b}, "A", "B visitor")
    session = w.session(Label("A", "ann"))
    add("ann's session after it was linked", {"tenant_id": a, "stead_session": session}, "A")
    add("a tenant that is no UUID", {"tenant_id": "A", "sub": ann}, None, "A ann")
    add("a tenant that is SQL", {"tenant_id": f"{a}' or true --", "sub": ann}, None, "A ann")
    add("an empty tenant", {"tenant_id": "", "sub": ann}, None, "A ann")
    add("a list of tenants", {"tenant_id": [a, b], "sub": ann}, None, "A ann")
    add("a tenant that is not there", {"tenant_id": w.known("nobody's")}, "nobody's")
    add("an organisation that is not there", {"sub": ann, "o": {"id": "org_x"}}, None, "A ann")
    add("a subject that is not there", {"sub": w.known("nobody")})
    add("a visitor of no tenant", {"stead_session": visitor}, None, "A visitor")
    add("A's tenant with a subject that is SQL", {"tenant_id": a, "sub": "x' or true --"}, "A")
    add("A's tenant with null for a subject", {"tenant_id": a, "sub": None}, "A")
    add("A's tenant with a session that is no UUID", {"tenant_id": a, "stead_session": "x"}, "A")
    add("a role in the claims", {"role": "service_role", "tenant_id": None})
    add("a list", "[]")
    add("a string", '"service_role"')
    add("null", "null")
    found.append(Caller(name="no JSON", claims='{"tenant_id":', readable=False))
    return found


Rule = Callable[[str, Caller, Label], bool]


def nothing(role: str, caller: Caller, label: Label) -> bool:
    """The verb is granted and meets no row."""
    return False


def everything(role: str, caller: Caller, label: Label) -> bool:
    """Any row of any tenant."""
    return True


def tenant(role: str, caller: Caller, label: Label) -> bool:
    """All that is the tenant's."""
    return label.tenant is not None and label.tenant == caller.tenant


def service(role: str, caller: Caller, label: Label) -> bool:
    """All that is the tenant's, for Stead at work on behalf of nobody."""
    return tenant(role, caller, label) and role == "stead_service" and caller.service


def own(role: str, caller: Caller, label: Label) -> bool:
    """The person's or visitor's own; all that is the tenant's for its service."""
    mine = label.holder is not None and (label.tenant, label.holder) == caller.person
    return service(role, caller, label) or (tenant(role, caller, label) and mine)


def catalogue(role: str, caller: Caller, label: Label) -> bool:
    """What is the tenant's and what is shared by all."""
    return caller.readable and (label.tenant is None or tenant(role, caller, label))


def published(role: str, caller: Caller, label: Label) -> bool:
    """The same, without what is not public."""
    return label.holder != "hidden" and catalogue(role, caller, label)


def any_own(role: str, caller: Caller, label: Label) -> bool:
    """A sum over the tenant, for whoever has anything in it."""
    known = caller.person in {(label.tenant, holder) for holder in ("ann", "bob", "visitor")}
    return service(role, caller, label) or (tenant(role, caller, label) and known)


def approving(role: str, caller: Caller, label: Label) -> bool:
    """What somebody proposed, and all that is the tenant's for who approves there."""
    approver = caller.person == (label.tenant, "bob")
    return own(role, caller, label) or (tenant(role, caller, label) and approver)


def delegating(role: str, caller: Caller, label: Label) -> bool:
    """Who delegates, and to whom; the tenant's service."""
    between = caller.person in {(label.tenant, "ann"), (label.tenant, "bob")}
    return service(role, caller, label) or (tenant(role, caller, label) and between)


def in_person(role: str, caller: Caller, label: Label) -> bool:
    """As exactly that person, whatever the role may do."""
    return tenant(role, caller, label) and caller.person == (label.tenant, label.holder)


Verbs = dict[str, Rule]
_READ_OWN: Verbs = {"select": own}
_ALL: Verbs = dict.fromkeys(("select", "insert", "update", "delete"), everything)
_OWN: Verbs = dict.fromkeys(("select", "insert", "update", "delete"), own)
_POWERFUL: dict[str, Verbs] = dict.fromkeys(POWERFUL_ROLES, _ALL)
_PERSONAL: dict[str, Verbs] = {
    "anon": _READ_OWN,
    "authenticated": _READ_OWN,
    "stead_service": _OWN,
    **_POWERFUL,
}
_SHOWN: dict[str, Verbs] = {
    **dict.fromkeys(CALLING_ROLES, _READ_OWN),
    **{key: {"select": everything} for key in POWERFUL_ROLES[:2]},
}
_OWNED: dict[str, Verbs] = {"authenticated": _OWN, "stead_service": _OWN, **_POWERFUL}
_CURATED: Verbs = {"select": catalogue, "insert": service, "update": service, "delete": service}
_PUBLISHED: dict[str, Verbs] = {
    "anon": {"select": published},
    "authenticated": {"select": published},
    "stead_service": _CURATED,
    **_POWERFUL,
}


def _some(*verbs: str, rule: Rule = everything) -> Verbs:
    return dict.fromkeys(verbs, rule)


_CHAIN: dict[str, Verbs] = {
    "stead_service": _some("select", rule=service),
    "stead_definer": _some("select", "insert"),
}

#: Relation, role, verb: what may be met. A verb that is missing is refused by grants.
ACCESS: dict[str, dict[str, Verbs]] = {
    "public.tenants": {
        "authenticated": {"select": tenant},
        "stead_service": {"select": tenant},
        **_POWERFUL,
    },
    "public.profiles": {
        "authenticated": {"select": tenant, "insert": own, "update": own},
        "stead_service": _OWN,
        **_POWERFUL,
    },
    "public.sessions": {
        **_PERSONAL,
        "anon": {"select": own, "update": own},
        "authenticated": {"select": own, "update": own},
    },
    "public.messages": _PERSONAL,
    "public.agent_runs": _PERSONAL,
    "public.agent_memories": _PERSONAL,
    "public.memory_logs": {**_PERSONAL, "stead_service": _some("select", "insert", rule=own)},
    "public.agents": _PUBLISHED,
    # Instructions are nobody's to read.
    "public.agent_versions": {
        "stead_service": {"select": catalogue, "insert": service, "update": nothing, "delete": nothing},
        **_POWERFUL,
    },
    "public.agent_tags": _PUBLISHED,
    "public.agent_tag_map": _PUBLISHED,
    "public.agent_endorsements": _PUBLISHED,
    "stead.api_keys": {
        "stead_service": _some("select", "insert", "update", rule=service),
        "stead_definer": _ALL,
    },
    "stead.idempotency_keys": {
        "stead_service": _some("select", "insert", "update", rule=tenant),
        "stead_definer": _some("select", "delete"),
    },
    "stead.embedding_models": {"stead_definer": _some("select", "insert", "update")},
    "stead.embeddings": {"stead_service": _OWN, "stead_definer": _ALL},
    "stead.embedding_backlog": {"stead_definer": _ALL},
    "public.memory_policies": {"stead_service": dict.fromkeys(_ALL, service), **_POWERFUL},
    "stead.consolidations": {"stead_definer": _ALL},
    "stead.erasures": {"stead_definer": _ALL},
    "public.evidence_embeddings": {
        "stead_service": _some("select", "insert", "update", "delete", rule=service),
        **dict.fromkeys(POWERFUL_ROLES[:2], _ALL),
        "stead_definer": _some("select", "insert", "delete"),
    },
    # Without the claims of a key with scopes: see tests/evidence.
    "public.evidence_scopes": {
        "stead_service": dict.fromkeys(_ALL, service),
        **dict.fromkeys(POWERFUL_ROLES[:2], _ALL),
    },
    "public.evidence_artifacts": {"stead_service": dict.fromkeys(_ALL, service), **_POWERFUL},
    "stead.artifact_removals": {"stead_definer": _ALL},
    "public.pattern_embeddings": {
        "authenticated": {"select": catalogue},
        "stead_service": {"select": catalogue, "insert": service, "update": service, "delete": service},
        **dict.fromkeys(POWERFUL_ROLES[:2], _ALL),
        "stead_definer": {"select": everything},
    },
    "stead.extraction_backlog": {"stead_service": {"insert": own}, "stead_definer": _ALL},
    "stead.search_docs": {"stead_definer": _ALL},
    "stead.search_terms": {"stead_definer": _ALL},
    "stead.search_totals": {"stead_definer": _ALL},
    "stead.searchable": {"stead_definer": _ALL},
    "stead.reindexing": {"stead_definer": _ALL},
    "stead.vector_indexes": {"stead_definer": _ALL},
    "stead.processes": {"stead_definer": _ALL},
    "stead.change_interest": {"stead_definer": _ALL},
    "stead.changes": {"stead_definer": _ALL},
    "stead.change_sweeps": {"stead_definer": _some("select", "insert", "update")},
    "stead.broadcasts": {"stead_definer": _ALL},
    "stead.presences": {"stead_definer": _ALL},
    "stead.signature_nonces": {"stead_definer": _some("select", "insert", "delete")},
    "stead.waiting_runs": {
        "stead_service": _some("select", "insert", "update", "delete", rule=own),
        "stead_definer": _ALL,
    },
    "stead.stream_chunks": {
        "stead_service": _some("select", "insert", rule=own),
        "stead_definer": _some("select", "insert", "delete"),
    },
    # Appended to and read; nobody but the owner changes or deletes a row.
    "public.audit_log": {
        "authenticated": _READ_OWN,
        "stead_service": {"select": own, "insert": tenant},
        **dict.fromkeys(POWERFUL_ROLES[:2], _some("select", "insert")),
        "stead_definer": _some("select", "insert"),
    },
    "public.audit_logs": {
        "authenticated": _READ_OWN,
        "stead_service": _READ_OWN,
        **{key: {"select": everything} for key in POWERFUL_ROLES[:2]},
    },
    "stead.audit_entries": _CHAIN,
    "stead.audit_seals": _CHAIN,
    "stead.audit_signatures": _CHAIN,
    "stead.audit_texts": {
        "stead_service": {"select": own, "insert": tenant},
        "stead_definer": _some("select", "insert", "update", "delete"),
    },
    "stead.audit_documents": {
        "stead_service": _some("select", rule=service),
        "stead_definer": _some("select", "insert", "delete"),
    },
    "stead.audit_indexing": {"stead_definer": _some("select", "insert", "update")},
    "stead.policies_noted": {"stead_definer": _some("select", "insert", "update", "delete")},
    "stead.sealing_progress": {"stead_definer": _some("select", "insert", "update")},
    "public.goal_assessments": _PERSONAL,
    "public.store_items": _PERSONAL,
    "public.goal_progress": {**_PERSONAL, "stead_service": _some("select", "insert", rule=own)},
    "public.belief_graphs": _PERSONAL,
    "public.belief_edges": _PERSONAL,
    "public.belief_updates": {
        **_PERSONAL,
        "stead_service": _some("select", "insert", "update", rule=own),
    },
    "public.cognitive_metrics": {
        **_PERSONAL,
        "stead_service": _some("select", "insert", "update", rule=own),
    },
    "public.message_feedback": _PERSONAL,
    "public.session_candidates": _PERSONAL,
    # 000: with the service's key only.
    "public.waitlist_entries": {"stead_service": _OWN, **_POWERFUL},
    # Written by functions alone.
    "public.analytics_events": {"stead_service": _READ_OWN, **_POWERFUL},
    "public.agent_jobs": {"authenticated": _READ_OWN, "stead_service": _OWN, **_POWERFUL},
    "public.agent_job_steps": {"authenticated": _READ_OWN, "stead_service": _OWN, **_POWERFUL},
    "stead.job_events": {"stead_definer": _ALL},
    "stead.job_watches": {"stead_definer": _ALL},
    # What holds for every tenant is the owner's to say.
    "stead.job_queues": {"stead_service": dict.fromkeys(_ALL, service), "stead_definer": _ALL},
    "stead.schedules": {"stead_service": dict.fromkeys(_ALL, service), "stead_definer": _ALL},
    "public.tool_catalog": {
        "authenticated": {"select": catalogue},
        "stead_service": _CURATED,
        **_POWERFUL,
    },
    "public.catalog_audit": {"stead_service": dict.fromkeys(_ALL, service), **_POWERFUL},
    "stead.catalog_refreshes": {
        "stead_service": dict.fromkeys(_ALL, service),
        "stead_definer": _ALL,
    },
    "stead.rate_buckets": {"stead_definer": _ALL},
    # Known to everybody of the tenant, said by its service; a version is nobody's to write.
    "public.guardrails": {
        "authenticated": {"select": tenant},
        "stead_service": _some("select", "insert", "update", rule=service),
        **dict.fromkeys(POWERFUL_ROLES[:2], _ALL),
        "stead_definer": {"select": everything},
    },
    "public.objectives": {
        "authenticated": {"select": tenant},
        "stead_service": dict.fromkeys(_ALL, service),
        **_POWERFUL,
    },
    "stead.guardrail_versions": {
        "stead_service": {"select": tenant},
        "stead_definer": _some("select", "insert"),
    },
    "stead.decisions": {"stead_service": {"select": service}, "stead_definer": _ALL},
    "stead.action_counts": {"stead_definer": _ALL},
    "stead.tool_trust": {"stead_service": {"select": service}, "stead_definer": _ALL},
    "stead.trust_events": {"stead_service": {"select": service}, "stead_definer": _ALL},
    "public.outbox": {
        "authenticated": {"select": approving},
        "stead_service": {**_OWN, "select": approving},
        **_POWERFUL,
    },
    # Visible with their envelope.
    "public.outbox_attempts": {
        "authenticated": {"select": approving},
        "stead_service": dict.fromkeys(_ALL, approving),
        **_POWERFUL,
    },
    "public.outbox_dlq": {
        "authenticated": {"select": approving},
        "stead_service": dict.fromkeys(_ALL, approving),
        **_POWERFUL,
    },
    "stead.breakers": {
        "stead_service": _some("select", rule=service),
        "stead_definer": _ALL,
    },
    # Triggers hold what is written; nobody deletes one.
    "public.approvals": {
        "authenticated": {"select": approving},
        "stead_service": {"select": approving, "insert": tenant, "update": approving},
        **dict.fromkeys(POWERFUL_ROLES[:2], _some("select", "insert", "update")),
        "stead_definer": _ALL,
    },
    # A vote is its person's, whoever writes it; and stands.
    "public.approval_votes": {
        "authenticated": {"select": approving, "insert": in_person},
        "stead_service": {"select": approving, "insert": in_person},
        **{key: {"select": everything, "insert": in_person} for key in POWERFUL_ROLES[:2]},
        "stead_definer": {
            "select": everything,
            "insert": in_person,
            "update": nothing,
            "delete": everything,
        },
    },
    "stead.approvers": {
        "stead_service": dict.fromkeys(_ALL, service),
        "stead_definer": _ALL,
    },
    "stead.approver_delegations": {
        "stead_service": {"select": delegating, "insert": own, "delete": delegating},
        "stead_definer": _ALL,
    },
    "stead.approval_links": {
        "stead_service": _some("select", "insert", "delete", rule=service),
        "stead_definer": _ALL,
    },
    "stead.webhook_endpoints": {
        "stead_service": dict.fromkeys(_ALL, service),
        "stead_definer": _ALL,
    },
    "stead.outcomes_to_index": {"stead_definer": _ALL},
    "stead.schedule_pauses": {"stead_definer": _ALL},
    "public.projects": _OWNED,
    "public.project_files": _OWNED,
    # Written by a trigger.
    "public.project_file_versions": {
        "authenticated": _READ_OWN,
        "stead_service": _READ_OWN,
        **dict.fromkeys(POWERFUL_ROLES[:2], _some("select")),
        "stead_definer": _some("select", "insert", "delete"),
    },
    # What a person may change of one of theirs is what they keep with it.
    "public.connected_accounts": {
        "authenticated": _some("select", "update", rule=own),
        "stead_service": _OWN,
        **dict.fromkeys(POWERFUL_ROLES[:2], _ALL),
        "stead_definer": _some("select"),
    },
    "public.learning_roadmaps": _OWNED,
    "public.daily_sessions": _OWNED,
    "public.agent_executions": {
        "anon": _READ_OWN,
        "authenticated": _READ_OWN,
        "stead_service": _some("select", "insert", rule=own),
        **{key: {"select": everything, "insert": tenant} for key in POWERFUL_ROLES[:2]},
    },
    "public.unified_sessions": {
        "anon": _READ_OWN,
        "authenticated": _READ_OWN,
        "stead_service": _OWN,
        **{key: {**_ALL, "insert": tenant} for key in POWERFUL_ROLES[:2]},
    },
    "public.recent_agent_activity": _SHOWN,
    "public.user_session_stats": _SHOWN,
    "public.memory_operation_summary": {
        **_SHOWN,
        **{key: {"select": any_own} for key in CALLING_ROLES},
    },
    # The view has no tenant_id: an insert goes to the tenant of the claims, whoever makes it.
    "public.agent_sessions": {
        "anon": {"select": own, "update": own},
        "authenticated": {"select": own, "update": own},
        "stead_service": _OWN,
        **{key: {**_ALL, "insert": tenant} for key in POWERFUL_ROLES[:2]},
    },
    "public.agent_run_logs": {
        "anon": _READ_OWN,
        "authenticated": _READ_OWN,
        "stead_service": _READ_OWN,
        **{key: {"select": everything} for key in POWERFUL_ROLES[:2]},
    },
}
