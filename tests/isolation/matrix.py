"""Tries every verb on every relation as every role with every kind of claims."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import asyncpg

from tests.isolation.catalogue import Relation, relations
from tests.isolation.expectations import (
    ACCESS,
    CALLING_ROLES,
    OWNER,
    PLAIN_SERVICE,
    ROLES,
    Caller,
    callers,
)
from tests.isolation.seeding import SEEDS, Label, World, insert_statement

#: Tables whose rows belong to no tenant, or to that of the row that they hang on.
WITHOUT_TENANT = {
    "public.tenants": "is the tenant",
    "public.agent_tag_map": "belongs to its agent",
    "stead.search_terms": "is found through search_docs",
    "stead.searchable": "names of tables",
    "stead.reindexing": "progress over all tenants",
    "stead.embedding_models": "names of models",
    "stead.processes": "Stead's own processes",
    "stead.sealing_progress": "how far Stead's own sealing is",
    "stead.policies_noted": "names of tables and policies",
    "stead.change_sweeps": "how far the feed of changes was swept",
    "stead.rate_buckets": "how often providers are asked, by all",
    "stead.signature_nonces": "calls that come before a tenant is known",
}
#: Tables where no tenant means: shared by all.
SHARED_CATALOGUE = {
    "public.agents",
    "public.agent_versions",
    "public.agent_tags",
    "public.agent_endorsements",
    "public.pattern_embeddings",
    "stead.job_queues",
    "stead.schedules",
    "public.tool_catalog",
}

# Runs statements with role and claims, undoes each, and answers with what became of it: the keys of the
# rows that it met, or a word that says who refused.
_PROBE = """
create function pg_temp.probe(as_role text, claims text[], statements text[]) returns jsonb
language plpgsql as $$
declare
  outcome jsonb;
  outcomes jsonb[] := '{}';
  met integer;
begin
  for c in 1 .. cardinality(claims) loop
    for s in 1 .. cardinality(statements) loop
      begin
        perform set_config('request.jwt.claims', claims[c], true);
        perform set_config('role', as_role, true);
        outcome := '"done"';
        if starts_with(statements[s], 'insert') then
          execute statements[s];
        elsif starts_with(statements[s], 'update') then
          execute statements[s];
          get diagnostics met = row_count;
          outcome := to_jsonb(met);
        else
          execute statements[s] into outcome;
        end if;
        raise exception using errcode = 'PT999', message = coalesce(outcome, '[]')::text;
      exception
        when sqlstate 'PT999' then outcomes := outcomes || sqlerrm::jsonb;
        when insufficient_privilege then
          outcomes := outcomes
            || to_jsonb(case when sqlerrm like 'permission denied%' then 'denied' else 'refused' end);
        -- A view of sums takes no writes, whoever makes them.
        when object_not_in_prerequisite_state then outcomes := outcomes || to_jsonb('denied'::text);
        when invalid_text_representation then outcomes := outcomes || to_jsonb('refused'::text);
        when integrity_constraint_violation then outcomes := outcomes || to_jsonb('refused'::text);
        when others then outcomes := outcomes || to_jsonb(sqlstate || ' ' || sqlerrm);
      end;
    end loop;
  end loop;
  return to_jsonb(outcomes);
end
$$
"""


class Attempt(NamedTuple):
    """One statement: its verb, the label of the row that it inserts, and the SQL."""

    verb: str
    label: Label | None
    sql: str


async def check(
    connection: asyncpg.Connection,
    world: World,
    *,
    only: str | None = None,
    roles: Sequence[str] = ROLES,
    first: bool = False,
) -> list[str]:
    """Everything in which the database differs from what is expected. Changes nothing.

    Args:
        connection: A superuser's.
        world: What was seeded into this database.
        only: One relation; all of them by default.
        roles: Some of the roles.
        first: Stop at the first relation and role with a difference.
    """
    found: list[str] = []
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(_PROBE)
        for relation in await relations(connection, only):
            found += structure(relation)
            if relation.name not in SEEDS or relation.name not in ACCESS:
                found.append(f"{relation.name}: no seed or no expectation in tests/isolation")
                continue
            for role in roles:
                if found and first:
                    return found
                found += await _probe(connection, world, relation, role)
    finally:
        await transaction.rollback()
    return found


def structure(relation: Relation) -> Iterator[str]:
    """What every table must have, whatever it holds."""
    if not relation.is_table:
        return
    if not relation.row_security:
        yield f"{relation.name}: row-level security is not enabled"
    if not relation.forced:
        yield f"{relation.name}: row-level security is not forced"
    if not relation.has_policy:
        yield f"{relation.name}: no policy"
    if relation.name not in WITHOUT_TENANT:
        if "tenant_id" not in relation.columns:
            yield f"{relation.name}: no tenant_id"
        elif "tenant_id" not in relation.not_null and relation.name not in SHARED_CATALOGUE:
            yield f"{relation.name}: tenant_id may be null"


async def _probe(
    connection: asyncpg.Connection, world: World, relation: Relation, role: str
) -> list[str]:
    every = callers(world)
    if role not in CALLING_ROLES:
        kept = {"A's service", "A's ann", "B's ann", "no claims", "a tenant that is SQL"}
        every = [caller for caller in every if caller.name in kept]
    point = connection.transaction()
    await point.start()
    try:
        database_role = await _become(connection, relation, role)
        if database_role is None:
            return []
        attempts = list(await _attempts(connection, world, relation, role, database_role))
        outcomes = json.loads(
            await connection.fetchval(
                "select pg_temp.probe($1, $2, $3)",
                database_role,
                [caller.claims for caller in every],
                [attempt.sql for attempt in attempts],
            )
        )
    finally:
        await point.rollback()
    tried = ((caller, attempt) for caller in every for attempt in attempts)
    return [
        f"{relation.name}: {attempt.verb} {attempt.label or ''} as {role} with {caller.name}: {difference}"
        for (caller, attempt), outcome in zip(tried, outcomes, strict=True)
        if (difference := _difference(world, relation, role, caller, attempt, outcome)) is not None
    ]


async def _become(connection: asyncpg.Connection, relation: Relation, role: str) -> str | None:
    """The database role to try as; roles that do not exist are made, and undone with the transaction."""
    name = f"probe_{uuid.uuid4().hex[:12]}"
    if role == PLAIN_SERVICE:
        await connection.execute(f"create role {name} inherit in role service_role")
        return name
    if role == OWNER:
        if not relation.is_table:
            return None
        await connection.execute(f"create role {name}")
        await connection.execute(f"grant usage on schema public, stead to {name}")
        await connection.execute(f"alter table {relation.name} owner to {name}")
        return name
    return role


async def _attempts(
    connection: asyncpg.Connection, world: World, relation: Relation, role: str, database_role: str
) -> Iterable[Attempt]:
    key = ", ".join(f"{column}::text" for column in relation.key)
    name = relation.name
    select = f"select jsonb_agg(k) from (select jsonb_build_array({key}) as k from {name}) x"
    if role == OWNER:
        return [Attempt("select", None, select)]
    allowed = await connection.fetchrow(
        "select array(select c from unnest($3::text[]) c where has_column_privilege($1, $2, c, 'update')),"
        " array(select c from unnest($3::text[]) c where has_column_privilege($1, $2, c, 'insert'))",
        database_role,
        name,
        list(relation.writable),
    )
    assert allowed is not None
    column = next(iter(allowed[0]), relation.writable[-1])
    modified = "with x as ({} returning jsonb_build_array(" + key + ") as k) select jsonb_agg(k) from x"
    attempts = [
        Attempt("select", None, select),
        Attempt("update", None, modified.format(f"update {name} set {column} = {column}")),
        Attempt("delete", None, modified.format(f"delete from {name}")),
    ]
    for label in SEEDS[name].inserted:
        row = SEEDS[name].make(world, label)
        attempts.append(Attempt("insert", label, insert_statement(name, row, tuple(allowed[1]))))
    if role in CALLING_ROLES and relation.is_table:
        # Nothing is read here, so that no policy for reading stands in for one for writing.
        b, bob = world.known("tenant B"), world.known("A bob")
        agent = world.id("public.agents", Label("B", "hidden"))
        moves = [f"tenant_id = '{b}'"] if "tenant_id" in relation.columns else []
        if "agent_id" in relation.columns:
            moves.append(f"agent_id = '{agent}'")
        if moves:
            attempts.append(Attempt("move to B", None, f"update {name} set {', '.join(moves)}"))
        if "profile_id" in relation.columns:
            attempts.append(Attempt("give to A's bob", None, f"update {name} set profile_id = '{bob}'"))
    return attempts


def _difference(
    world: World, relation: Relation, role: str, caller: Caller, attempt: Attempt, outcome: object
) -> str | None:
    if attempt.verb == "move to B":
        moved = isinstance(outcome, int) and outcome > 0 and caller.tenant != "B"
        return f"{outcome} rows" if moved else None
    if attempt.verb == "give to A's bob":
        # A tenant's service may hand its rows on.
        given = isinstance(outcome, int) and outcome > 0 and not caller.service
        return f"{outcome} rows" if given and caller.person != ("A", "bob") else None
    if role == OWNER:
        return None if outcome == [] else f"{outcome}"
    rule = ACCESS[relation.name].get(role, {}).get(attempt.verb)
    if rule is None:
        return None if outcome == "denied" else f"not denied by a grant but {_short(outcome)}"
    if attempt.verb == "insert":
        assert attempt.label is not None
        wanted = "done" if rule(role, caller, attempt.label) else "refused"
        return None if outcome == wanted else f"{wanted} expected, {_short(outcome)} seen"
    labels = world.labels[relation.name]
    wanted_rows = {key for key, label in labels.items() if rule(role, caller, label)}
    if not isinstance(outcome, list) and outcome != "refused":
        return f"{len(wanted_rows)} rows expected, {outcome} seen"
    met = {tuple(key) for key in outcome} if isinstance(outcome, list) else set()
    if met == wanted_rows:
        return None
    extra = sorted(str(labels.get(key, "unknown")) for key in met - wanted_rows)
    missing = sorted(str(labels[key]) for key in wanted_rows - met)
    return f"must not meet {extra}, must meet {missing}"


def _short(outcome: object) -> str:
    return str(outcome)[:200]
