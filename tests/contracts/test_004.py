"""Document 004: tables, constraints, triggers, policies, schemas and endpoints, in lists to lay beside it."""

from __future__ import annotations

import enum
import types
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import asyncpg
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stead.apps.forge import protocol
from stead.db import Database
from stead.jobs import JobStatus
from tests.contracts import columns
from tests.support.people import Person, make_person
from tests.support.servers import Running

WHEN = "timestamp with time zone"
#: Column: type, then "!" where it may not be null, then its default. 004's `uuid_generate_v4()` is PostgreSQL's
#: `gen_random_uuid()`, or an id that sorts by time; its `float` is double precision.
TABLES: dict[str, dict[str, str]] = {
    "public.profiles": {
        "id": "uuid !",
        "username": "text",
        "full_name": "text",
        "avatar_url": "text",
        "skill_level": "text",
        "created_at": f"{WHEN} ! now()",
        "updated_at": f"{WHEN} ! now()",
    },
    "public.projects": {
        "id": "uuid ! id",
        "user_id": "uuid !",
        "title": "text !",
        "description": "text",
        "mode": "text !",
        "status": "text ! 'planning'",
        "requirements_spec": "jsonb",
        "architecture_spec": "jsonb",
        "tech_stack": "text[]",
        "created_at": f"{WHEN} ! now()",
        "updated_at": f"{WHEN} ! now()",
    },
    "public.project_files": {
        "id": "uuid ! id",
        "project_id": "uuid !",
        "path": "text !",
        "content": "text",
        "language": "text",
        "version": "integer ! 1",
        "created_at": f"{WHEN} ! now()",
        "updated_at": f"{WHEN} ! now()",
    },
    # A job of Stead's own may be of no project and of nobody: there both may be null.
    "public.agent_jobs": {
        "id": "uuid ! id",
        "project_id": "uuid",
        "user_id": "uuid",
        "agent_type": "text !",
        "status": "text ! 'queued'",
        "progress": "double precision ! 0.0",
        "result": "jsonb",
        "error": "text",
        "celery_task_id": "text",
        "created_at": f"{WHEN} ! now()",
        "started_at": WHEN,
        "completed_at": WHEN,
    },
    "public.learning_roadmaps": {
        "id": "uuid ! id",
        "project_id": "uuid !",
        "modules": "jsonb !",
        "current_step_index": "integer ! 0",
        "created_at": f"{WHEN} ! now()",
    },
    "public.daily_sessions": {
        "id": "uuid ! id",
        "project_id": "uuid !",
        "transcript": "jsonb",
        "concepts_covered": "text[]",
        "duration_minutes": "integer ! 0",
        "created_at": f"{WHEN} ! now()",
    },
    # Its `embedding` is a computed column: vectors of several models stand side by side.
    "public.pattern_embeddings": {
        "id": "uuid ! id",
        "project_type": "text !",
        "metadata": "jsonb",
        "success_score": "double precision",
        "created_at": f"{WHEN} ! now()",
    },
}
REFERENCES = {
    "public.projects": {"user_id": "profiles"},
    "public.project_files": {"project_id": "projects"},
    "public.agent_jobs": {"project_id": "projects", "user_id": "profiles"},
    "public.learning_roadmaps": {"project_id": "projects"},
    "public.daily_sessions": {"project_id": "projects"},
}
UNIQUE = {"public.project_files": ["path", "project_id"], "public.profiles": ["tenant_id", "username"]}
#: Text with a fixed set of values.
VALUES = {
    ("public.profiles", "skill_level"): {"beginner", "intermediate", "advanced"},
    ("public.projects", "mode"): {"builder", "student"},
    ("public.projects", "status"): {"planning", "in-progress", "building", "completed", "archived"},
    ("public.agent_jobs", "status"): {
        "queued", "running", "completed", "failed", "waiting_for_input", "cancelled",
    },
}  # fmt: skip
TRIGGERS = {
    "public.profiles": "updated_at",
    "public.projects": "updated_at",
    "public.project_files": "updated_at",
}
#: What people (`authenticated`) may do at all; policies say with whose rows.
VERBS = {
    "public.profiles": {"select", "insert", "update"},
    "public.projects": {"select", "insert", "update", "delete"},
    "public.project_files": {"select", "insert", "update", "delete"},
    "public.learning_roadmaps": {"select", "insert", "update", "delete"},
    "public.daily_sessions": {"select", "insert", "update", "delete"},
    "public.agent_jobs": {"select"},
    "public.pattern_embeddings": {"select"},
}

ENUMS = {
    "AgentType": ["research", "wireframe", "code", "qa", "pedagogy", "roadmap"],
    "JobStatusType": ["queued", "running", "completed", "failed", "waiting_for_input", "cancelled"],
    "PriorityLevel": ["must-have", "should-have", "nice-to-have"],
    "QAIssueSeverity": ["critical", "warning", "info"],
}
LEVEL = "beginner | intermediate | advanced"
#: Field: type, limits (characters, elements, or the number itself), default.
SCHEMAS: dict[str, dict[str, str]] = {
    "UserPersona": {"role": "str 1..100", "goal": "str 1..200", "pain_point": "str 1..200"},
    "Feature": {"name": "str 1..100", "description": "str 1..500", "priority": "PriorityLevel"},
    "RequirementsDoc": {
        "app_name": "str 1..100",
        "elevator_pitch": "str 20..500",
        "target_audience": "list[UserPersona]",
        "core_features": "list[Feature]",
        "recommended_stack": "list[str]",
        "technical_constraints": "str? = None",
    },
    "Component": {"name": "str 1..100", "props": "list[str]", "children": "list[str]"},
    "PageRoute": {"path": "str 1..200", "description": "str", "components": "list[Component]"},
    "WireframeSpec": {
        "site_map": "list[PageRoute]",
        "global_state_needs": "list[str]",
        "theme_colors": "list[str]",
    },
    "CodeGenerationResult": {
        "file_path": "str 1..500 = src/app/page.tsx",
        "code": "str 1..",
        "language": "str 1..50 = typescript",
        "explanation": "str",
    },
    "QAIssue": {"severity": "QAIssueSeverity", "description": "str", "suggestion": "str"},
    "QAResult": {"passed": "bool", "issues": "list[QAIssue]", "summary": "str"},
    "ImplementationOption": {
        "id": "str",
        "title": "str",
        "pros": "list[str]",
        "cons": "list[str]",
        "difficulty": LEVEL,
        "educational_value": "str",
    },
    "ChoiceFramework": {
        "context": "str",
        "options": "list[ImplementationOption]",
        "recommendation": "str",
    },
    "RoadmapModule": {
        "title": "str 1..200",
        "description": "str",
        "steps": "list[str]",
        "estimated_hours": "float >0 <=100",
        "prerequisites": "list[str] = []",
    },
    "LearningRoadmap": {
        "title": "str 1..200",
        "description": "str",
        "skill_level": LEVEL,
        "modules": "list[RoadmapModule] 1..",
        "total_estimated_hours": "float >0 <=500",
    },
    "ClarificationQuestion": {"id": "str", "question": "str", "options": "list[str]? = None"},
    "ClarificationResponse": {"question_id": "str", "answer": "str"},
}


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the document, with the members of its bodies."""

    operation: str
    request: set[str] = field(default_factory=set)
    response: set[str] = field(default_factory=set)
    media: str = "application/json"


ENDPOINTS = [
    Endpoint(
        "POST /v1/run-agent",
        {"project_id", "agent_type", "input_context"},
        {"job_id", "status", "estimated_time"},
    ),
    Endpoint("POST /v1/run-pipeline", {"project_id", "input_context"}, {"job_id", "status", "estimated_time"}),
    Endpoint(
        "GET /v1/jobs/{}",
        set(),
        {
            "job_id", "status", "agent_type", "project_id", "progress", "result", "error", "created_at",
            "completed_at",
        },
    ),
    Endpoint("GET /v1/jobs/{}/stream", media="text/event-stream"),
    Endpoint("POST /v1/jobs/{}/respond", {"responses"}, {"status", "message"}),
    Endpoint("GET /v1/jobs/{}/list", set(), {"items", "total", "has_more"}),
    Endpoint("POST /v1/jobs/{}/cancel", set(), {"status"}),
    Endpoint(
        "POST /v1/projects/{}/export/github",
        {"repo_name", "github_token"},
        {"repo_url", "files_pushed", "commit_sha"},
    ),
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
async def test_columns(catalogue: asyncpg.Connection, table: str) -> None:
    types_, required = await columns.types(catalogue, table), await columns.required(catalogue, table)
    defaults = await columns.defaults(catalogue, table)
    for name, wanted in TABLES[table].items():
        kind, _, default = (wanted if "!" in wanted else f"{wanted} ~").partition(" !")
        kind = kind.removesuffix(" ~")
        assert types_[name] == kind, name
        assert (name in required) == ("!" in wanted), name
        found, default = defaults.get(name), default.strip()
        if default == "id":
            assert found in {"gen_random_uuid()", "stead.new_id()"}, name
        elif default:
            assert found is not None, name
            assert found.removesuffix("::text").removesuffix("::double precision").strip(
                "()"
            ) == default.strip("()")
        elif table != "public.profiles":  # whose id is the identity provider's
            assert found is None, name


@pytest.mark.parametrize("table", REFERENCES)
async def test_references_take_along_what_hangs_on_them(
    catalogue: asyncpg.Connection, table: str
) -> None:
    assert REFERENCES[table].items() <= (await columns.references(catalogue, table)).items()
    rows = await catalogue.fetch(
        "select pg_get_constraintdef(oid) as text from pg_constraint where contype = 'f' and "
        "conrelid = $1::text::regclass",
        table,
    )
    for column in REFERENCES[table]:
        (text,) = [row["text"] for row in rows if f"(tenant_id, {column})" in row["text"]]
        assert text.endswith("ON DELETE CASCADE")


@pytest.mark.parametrize("table", UNIQUE)
async def test_unique(catalogue: asyncpg.Connection, table: str) -> None:
    assert UNIQUE[table] in await columns.unique(catalogue, table)


@pytest.mark.parametrize(("table", "column"), VALUES)
async def test_values(catalogue: asyncpg.Connection, table: str, column: str) -> None:
    checks = await catalogue.fetch(
        "select pg_get_constraintdef(oid) as text, conname from pg_constraint "
        "where contype = 'c' and conrelid = $1::text::regclass",
        table,
    )
    (check,) = [row for row in checks if row["text"].startswith(f"CHECK (({column} = ANY (ARRAY[")]
    listed = check["text"].partition("ARRAY[")[2].partition("]")[0]
    assert {value.split("'")[1] for value in listed.split(", ")} == VALUES[table, column]
    if (table, column) == ("public.projects", "status"):
        assert check["conname"] == "projects_status_check"


@pytest.mark.parametrize("table", TRIGGERS)
async def test_updates_move_updated_at(catalogue: asyncpg.Connection, table: str) -> None:
    found = await catalogue.fetch(
        "select p.proname::text as name from pg_trigger t join pg_proc p on p.oid = t.tgfoid "
        "where t.tgrelid = $1::text::regclass",
        table,
    )
    assert "update_updated_at_column" in {row["name"] for row in found}


async def test_a_job_that_starts_and_ends_has_its_times_from_the_database(
    catalogue: asyncpg.Connection, person: Person
) -> None:
    """`handle_agent_job_updated_at`."""
    assert await catalogue.fetchval(
        "select count(*) from pg_trigger t join pg_proc p on p.oid = t.tgfoid "
        "where t.tgrelid = 'public.agent_jobs'::regclass and p.proname = 'handle_agent_job_updated_at'"
    )
    transaction = catalogue.transaction()
    await transaction.start()
    try:
        job = await catalogue.fetchval(
            "insert into agent_jobs (tenant_id, user_id, agent_type) values ($1, $2, 'research') returning id",
            person.tenant.id,
            person.id,
        )
        started = (
            "update agent_jobs set status = 'running' where id = $1 returning started_at, completed_at"
        )
        row = await catalogue.fetchrow(started, job)
        assert row["started_at"] is not None
        assert row["completed_at"] is None
        ended = "update agent_jobs set status = 'failed' where id = $1 returning completed_at"
        assert await catalogue.fetchval(ended, job) is not None
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("table", VERBS)
async def test_what_people_may_do(catalogue: asyncpg.Connection, table: str) -> None:
    forced = await catalogue.fetchval(
        "select relrowsecurity and relforcerowsecurity from pg_class where oid = $1::text::regclass",
        table,
    )
    assert forced
    granted = {
        verb
        for verb in ("select", "insert", "update")
        if await catalogue.fetchval(
            "select has_any_column_privilege('authenticated', $1::text, $2)", table, verb
        )
    }
    if await catalogue.fetchval(
        "select has_table_privilege('authenticated', $1::text, 'delete')", table
    ):
        granted.add("delete")
    assert granted == VERBS[table]


async def test_people_read_and_write_what_is_theirs_and_nothing_else(
    db: Database, person: Person
) -> None:
    """As 004's frontend does, past Stead's server: `auth.uid() = user_id`, and the join over the project."""
    colleague = await make_person(db, person.tenant, "bob")
    children = {
        "project_files": "insert into project_files (project_id, path) values ($1, 'a.ts')",
        "learning_roadmaps": "insert into learning_roadmaps (project_id, modules) values ($1, '[]')",
        "daily_sessions": "insert into daily_sessions (project_id, transcript) values ($1, '[]')",
    }
    async with db.transaction(person.principal) as tx:
        project = await tx.value(
            "insert into projects (user_id, title, mode) values (auth.uid(), 'x', 'builder') returning id"
        )
        for insert in children.values():
            await tx.execute(insert, project)
    for insert in children.values():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction(colleague.principal) as tx:
                await tx.execute(insert.replace("a.ts", "b.ts"), project)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction(colleague.principal) as tx:
            await tx.execute(
                "insert into projects (user_id, title, mode) values ($1, 'x', 'builder')", person.id
            )
    async with db.transaction(colleague.principal) as tx:
        for table in ("projects", *children):
            assert await tx.value(f"select count(*) from {table}") == 0
            assert await tx.execute(f"update {table} set created_at = now()") == 0
            assert await tx.execute(f"delete from {table}") == 0
    async with db.transaction(person.principal) as tx:
        for table in (*children, "projects"):
            assert await tx.execute(f"update {table} set created_at = now()") == 1
            assert await tx.execute(f"delete from {table}") == 1


async def test_match_patterns(catalogue: asyncpg.Connection) -> None:
    arguments = await catalogue.fetchval(
        "select proargnames::text[] from pg_proc where oid = 'public.match_patterns'::regproc"
    )
    assert arguments[:3] == ["query_embedding", "match_count", "filter_type"]


@pytest.mark.parametrize("name", ENUMS)
def test_enums(name: str) -> None:
    kind: type[enum.Enum] = getattr(protocol, name)
    assert [member.value for member in kind] == ENUMS[name]
    assert issubclass(kind, str)
    assert {member.name for member in kind} == {value.upper().replace("-", "_") for value in ENUMS[name]}


def test_statuses_of_jobs_are_the_enums() -> None:
    assert list(get_args(JobStatus)) == ENUMS["JobStatusType"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas(name: str) -> None:
    model: type[BaseModel] = getattr(protocol, name)
    assert {key: _described(value) for key, value in model.model_fields.items()} == SCHEMAS[name]
    assert list(model.model_fields) == list(SCHEMAS[name])
    assert model.model_config["extra"] == "forbid"


def test_no_schema_is_missing_here() -> None:
    there = {
        name
        for name, value in vars(protocol).items()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__ == protocol.__name__
    }
    assert there - {"Document"} == set(SCHEMAS)


def _described(info: FieldInfo) -> str:
    kind, low, high = _named(info.annotation), "", ""
    for limit in info.metadata:
        match limit:
            case annotated_types.MinLen(min_length=n):
                low = f" {n}.."
            case annotated_types.MaxLen(max_length=n):
                high = str(n)
            case annotated_types.Gt(gt=n):
                low = f" >{n}"
            case annotated_types.Le(le=n):
                high = f" <={n}"
    text = f"{kind}{low}{high}"
    return text if info.is_required() else f"{text} = {info.get_default(call_default_factory=True)}"


def _named(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(inner)
    if origin is list:
        return f"list[{_named(inner[0])}]"
    if origin in {Union, types.UnionType}:
        return f"{_named(inner[0])}?"
    return kind.__name__


@pytest.fixture
async def document(server: Running) -> dict[str, Any]:
    return (await server.client.get("/openapi.json")).json()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
async def test_endpoints(document: dict[str, Any], endpoint: Endpoint) -> None:
    operation = _operation(document, endpoint.operation)
    if endpoint.request:
        body = _members(document, operation["requestBody"]["content"]["application/json"]["schema"])
        assert body == endpoint.request
    answered = operation["responses"]["200"]["content"][endpoint.media]
    if endpoint.response:
        assert endpoint.response <= _members(document, answered["schema"])


def _operation(document: dict[str, Any], wanted: str) -> dict[str, Any]:
    method, path = wanted.split(" ")
    for known, item in document["paths"].items():
        pieces = ["{}" if piece.startswith("{") else piece for piece in known.split("/")]
        if "/".join(pieces) == path and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"004's {wanted} is not there")


def _members(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])
