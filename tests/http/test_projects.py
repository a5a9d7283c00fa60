"""Projects over HTTP: what people and services do with them, and what nobody else sees."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from stead.core.ids import new_id
from stead.db import Database
from tests.http.conftest import problem_of
from tests.servers.openai import OpenAIServer
from tests.support import forge
from tests.support.forge import ForgeModel
from tests.support.people import Person, make_person, service_headers
from tests.support.servers import Running, running_server


class Api:
    """Calls in somebody's name."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    async def __call__(self, call: str, body: Any = None, status: int = 200, **how: Any) -> Any:
        method, path = call.split(" ", 1)
        headers = {**self._headers, **how.pop("headers", {})}
        answer = await self._client.request(
            method, f"/v1/projects{path}", json=body, headers=headers, **how
        )
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(self, call: str, status: int, code: str, body: Any = None, **how: Any) -> Any:
        method, path = call.split(" ", 1)
        answer = await self._client.request(
            method, f"/v1/projects{path}", json=body, headers=self._headers, **how
        )
        return problem_of(answer, status, code)


@pytest.fixture
def api(server: Running, person: Person) -> Api:
    return Api(server.client, person.headers)


@pytest_asyncio.fixture
async def project(api: Api) -> str:
    made = await api("POST ", {"title": "Pawlog", "mode": "student"}, 201)
    return f"/{made['id']}"


async def test_a_projects_life(api: Api, person: Person) -> None:
    made = await api(
        "POST ",
        {"title": "Pawlog", "mode": "builder", "description": "A CRM", "tech_stack": ["Django"]},
        201,
    )
    path = f"/{made['id']}"
    assert made["user_id"] == str(person.id)
    assert (made["status"], made["requirements_spec"], made["architecture_spec"]) == (
        "planning",
        None,
        None,
    )
    assert await api(f"GET {path}") == made

    changed = await api(
        f"PATCH {path}",
        {"status": "archived", "description": None, "requirements_spec": forge.REQUIREMENTS},
    )
    assert (changed["title"], changed["status"], changed["description"]) == ("Pawlog", "archived", None)
    assert changed["requirements_spec"] == forge.REQUIREMENTS
    assert changed["tech_stack"] == ["Django"]
    assert changed["updated_at"] > made["updated_at"]
    cleared = await api(f"PATCH {path}", {"requirements_spec": None, "tech_stack": None, "title": "P"})
    assert (cleared["requirements_spec"], cleared["tech_stack"], cleared["title"]) == (None, None, "P")
    assert await api(f"PATCH {path}", {}) | {"updated_at": ""} == cleared | {"updated_at": ""}

    await api(f"DELETE {path}", None, 204)
    await api.refused(f"GET {path}", 404, "project_unknown")
    await api.refused(f"DELETE {path}", 404, "project_unknown")


async def test_lists_go_on_where_they_ended(api: Api) -> None:
    made = [(await api("POST ", {"title": str(n)}, 201))["id"] for n in range(5)]
    await api(f"PATCH /{made[2]}", {"status": "completed", "mode": "student"})
    seen: list[str] = []
    cursor = ""
    while True:
        page = await api("GET ?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    for query in ("status=completed", "mode=student"):
        assert [item["id"] for item in (await api(f"GET ?{query}"))["items"]] == [made[2]]


async def test_a_service_acts_for_its_tenants_people(
    server: Running, person: Person, stranger: Person, api: Api
) -> None:
    service = Api(server.client, service_headers(person.tenant))
    made = await service("POST ", {"title": "x", "user_id": str(person.id)}, 201)
    assert (await api(f"GET /{made['id']}"))["title"] == "x"
    listed = await service(f"GET ?user_id={person.id}")
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert (await service(f"GET ?user_id={new_id()}"))["items"] == []
    for user in (None, str(stranger.id), str(new_id())):
        body = {"title": "x"} if user is None else {"title": "x", "user_id": user}
        await service.refused("POST ", 404, "project_owner_unknown", body)


async def test_made_twice_with_one_key_it_is_made_once(api: Api, project: str) -> None:
    for call, body in (
        ("POST ", {"title": "once"}),
        (f"POST {project}/roadmaps", forge.ROADMAP),
        (f"POST {project}/daily-sessions", None),
    ):
        key = {"idempotency-key": uuid.uuid4().hex}
        first = await api(call, body, 201, headers=key)
        assert await api(call, body, 201, headers=key) == first
    listed = [item["title"] for item in (await api("GET "))["items"]]
    assert listed.count("once") == 1
    assert len((await api(f"GET {project}/roadmaps"))["items"]) == 1
    assert len((await api(f"GET {project}/daily-sessions"))["items"]) == 1


async def test_files_have_versions(api: Api, project: str) -> None:
    file, versions = f"{project}/files/src/app/page.tsx", f"{project}/file-versions/src/app/page.tsx"
    first = await api(f"PUT {file}", {"content": "one", "if_version": 0})
    assert (first["version"], first["language"]) == (1, "typescript")
    same = await api(f"PUT {file}", {"content": "one"})
    assert same["version"] == 1
    second = await api(f"PUT {file}", {"content": "two", "if_version": 1})
    assert (second["version"], second["id"]) == (2, first["id"])
    third = await api(f"PUT {file}", {"content": "two", "language": "tsx"})
    assert (third["version"], third["language"]) == (3, "tsx")

    assert (await api(f"GET {file}"))["content"] == "two"
    before = await api(f"GET {file}?version=1")
    assert (before["content"], before["version"], before["language"]) == ("one", 1, "typescript")
    listed = await api(f"GET {versions}")
    assert [(v["version"], v["size"]) for v in listed] == [(3, 3), (2, 3), (1, 3)]
    assert listed[0]["replaced_at"] is None
    assert listed[1]["replaced_at"] == listed[0]["created_at"]

    problem = await api.refused(f"PUT {file}", 409, "file_changed", {"content": "x", "if_version": 2})
    assert problem["version"] == 3
    await api.refused(f"PUT {file}", 409, "file_changed", {"content": "x", "if_version": 0})
    await api.refused(f"GET {file}?version=9", 404, "file_unknown")
    await api(f"DELETE {file}", None, 204)
    for call in (f"GET {file}", f"DELETE {file}", f"GET {versions}"):
        await api.refused(call, 404, "file_unknown")


async def test_versions_are_the_databases_to_count(
    api: Api, project: str, access: DatabaseAccess, person: Person, db: Database
) -> None:
    await api(f"PUT {project}/files/a.txt", {"content": "0"})
    # As 004's own client would, past Stead's server; what it says of the version counts for nothing.
    for n in range(1, 131):
        async with db.transaction(person.principal) as tx:
            await tx.execute("update project_files set content = $1, version = 7", str(n))
    file = await api(f"GET {project}/files/a.txt")
    assert (file["content"], file["version"]) == ("130", 131)
    kept = await api(f"GET {project}/file-versions/a.txt")
    assert [v["version"] for v in kept] == list(range(131, 30, -1))
    assert (await api(f"GET {project}/files/a.txt?version=31"))["content"] == "30"


async def test_two_who_write_at_once_write_two_versions(api: Api, project: str) -> None:
    written = await asyncio.gather(
        *(api(f"PUT {project}/files/a.txt", {"content": str(n)}) for n in range(8))
    )
    assert sorted(file["version"] for file in written) == list(range(1, 9))
    answers = await asyncio.gather(
        *(
            api._client.put(
                f"/v1/projects{project}/files/a.txt",
                json={"content": f"x{n}", "if_version": 8},
                headers=api._headers,
            )
            for n in range(4)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


@pytest.mark.parametrize(
    "path",
    [
        "%2E%2E/x", "a/%2E%2E/b", "a/%2E/b", "a//b", "a/", "%2Fetc/passwd", "a%00b", "a%0Ab", "a%5Cb", "C:x",
        ".git/config", "a/.GIT/x", "git~1", "con", "aux.txt", "a/COM1.ts", "a.", "a%20", "%20a", "a%7F",
        "a%E2%80%AEb", "e%CC%81", "a*", "a%3Fb", 'a"', "a|b", "a" * 256, "/".join(["a"] * 251), "%EF%BF%BE",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
async def test_paths_that_lead_somewhere_else(
    server: Running, api: Api, person: Person, project: str, method: str, path: str
) -> None:
    # Dots are written so that httpx does not tidy them away.
    url = httpx.URL(server.base_url).copy_with(raw_path=f"/v1/projects{project}/files/{path}".encode())
    body = {"json": {"content": "x"}} if method == "PUT" else {}
    answer = await server.client.request(method, url, headers=person.headers, **body)
    assert answer.status_code in {404, 422}, answer.text
    assert answer.json()["code"] in {"file_path_invalid", "request_invalid", "route_unknown"}
    assert (await api(f"GET {project}/files"))["items"] == []


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a/../b", "a//b", "a\\b", "a\nb", ".git/config", "", "x" * 501, "a/"],
)
async def test_the_database_takes_no_such_path_either(
    db: Database, person: Person, project: str, path: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with db.transaction(person.principal) as tx:
            await tx.execute(
                "insert into project_files (project_id, path) values ($1, $2)",
                uuid.UUID(project[1:]),
                path,
            )


async def test_files_are_listed_by_path(api: Api, project: str) -> None:
    paths = ["b.ts", "a/z.ts", "a.ts", "Ä.ts", "src/[id]/page.tsx", "a-b.ts"]
    for path in paths:
        await api(f"PUT {project}/files/{path}", {"content": path})
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await api(f"GET {project}/files", params={"limit": 2, "after": after})
        seen += [item["path"] for item in page["items"]]
        after = page["next_after"]
    assert seen == sorted(paths)
    assert (await api(f"GET {project}/files/src/[id]/page.tsx"))["content"] == "src/[id]/page.tsx"


async def test_a_project_holds_so_much(api: Api, project: str, db: Database, person: Person) -> None:
    async with db.transaction(person.principal) as tx:
        await tx.execute(
            "insert into project_files (project_id, path) select $1, 'f' || n from generate_series(1, 500) n",
            uuid.UUID(project[1:]),
        )
    await api.refused(f"PUT {project}/files/one-more", 409, "project_full", {"content": "x"})
    await api(f"PUT {project}/files/f7", {"content": "x"})


async def test_a_roadmap_opens_module_by_module(api: Api, project: str) -> None:
    made = await api(f"POST {project}/roadmaps", forge.ROADMAP, 201)
    path = f"{project}/roadmaps/{made['id']}"
    assert made["current_step_index"] == 0
    assert [m["is_locked"] for m in made["modules"]] == [False, True]
    assert set(made["modules"][0]) == {"title", "steps", "is_locked"}
    await api.refused(f"POST {path}/advance", 409, "roadmap_step_locked", {"finished_step": 1})
    one = await api(f"POST {path}/advance", {"finished_step": 0})
    assert [m["is_locked"] for m in one["modules"]] == [False, True]
    two = await api(f"POST {path}/advance", {"finished_step": 1})
    assert (two["current_step_index"], [m["is_locked"] for m in two["modules"]]) == (2, [False, False])
    # Said twice, it is done once.
    assert await api(f"POST {path}/advance", {"finished_step": 1}) == two
    for step in (2, 3, 4):
        await api(f"POST {path}/advance", {"finished_step": step})
    assert (await api(f"GET {path}"))["current_step_index"] == 5
    await api.refused(f"POST {path}/advance", 409, "roadmap_step_locked", {"finished_step": 5})
    await api(f"DELETE {path}", None, 204)
    await api.refused(f"GET {path}", 404, "roadmap_unknown")
    await api.refused(f"POST {path}/advance", 404, "roadmap_unknown", {"finished_step": 0})


async def test_two_who_finish_the_same_step_finish_it_once(api: Api, project: str) -> None:
    made = await api(f"POST {project}/roadmaps", forge.ROADMAP, 201)
    path = f"{project}/roadmaps/{made['id']}"
    await asyncio.gather(*(api(f"POST {path}/advance", {"finished_step": 0}) for _ in range(6)))
    assert (await api(f"GET {path}"))["current_step_index"] == 1


async def test_what_people_wrote_themselves_into_a_roadmap_harms_nobody(
    api: Api, project: str, db: Database, person: Person
) -> None:
    async with db.transaction(person.principal) as tx:
        roadmap = await tx.value(
            "insert into learning_roadmaps (project_id, modules) values ($1, $2) returning id",
            uuid.UUID(project[1:]),
            ["x", 5, None, {"steps": "y"}, {"title": "z", "steps": ["s"]}],
        )
    path = f"{project}/roadmaps/{roadmap}"
    assert len((await api(f"GET {path}"))["modules"]) == 5
    done = await api(f"POST {path}/advance", {"finished_step": 0})
    assert done["current_step_index"] == 1


async def test_a_session_with_the_mentor_by_rule(api: Api, project: str) -> None:
    session = await api(f"POST {project}/daily-sessions", None, 201)
    path = f"{project}/daily-sessions/{session['id']}"
    assert (session["transcript"], session["concepts_covered"], session["duration_minutes"]) == (
        [],
        [],
        0,
    )
    said = await api(
        f"POST {path}/messages", {"message": "Why is my recursive function endless?", "after": 0}
    )
    assert said["answer"].startswith("[offline model]")
    assert said["answer"].endswith("?")
    assert said["session"]["transcript"] == [
        {"role": "user", "content": "Why is my recursive function endless?"},
        {"role": "mentor", "content": said["answer"]},
    ]
    assert "recursive" in said["session"]["concepts_covered"]
    again = await api(
        f"POST {path}/messages", {"message": "Is recursive the same as endless?", "after": 2}
    )
    assert again["answer"] != said["answer"]
    # A concept is covered once.
    concepts = again["session"]["concepts_covered"]
    assert len(concepts) == len(set(concepts))
    # Sent again, because its answer was lost, it is not said twice.
    await api.refused(
        f"POST {path}/messages", 409, "daily_session_moved", {"message": "Is …", "after": 2}
    )
    assert len((await api(f"GET {path}"))["transcript"]) == 4
    await api(f"DELETE {path}", None, 204)
    await api.refused(f"GET {path}", 404, "daily_session_unknown")
    await api.refused(f"POST {path}/messages", 404, "daily_session_unknown", {"message": "x"})


async def test_minutes_are_counted_by_the_database_without_long_pauses(
    api: Api, project: str, access: DatabaseAccess
) -> None:
    session = await api(f"POST {project}/daily-sessions", None, 201)
    path = f"{project}/daily-sessions/{session['id']}"
    connection = await asyncpg.connect(access.admin_url)
    minutes: list[int] = []
    try:
        for pause in ("12 minutes", "8 minutes", "9 hours", "3 minutes"):
            await connection.execute(
                "update daily_sessions set last_active_at = last_active_at - $2::text::interval "
                "where id = $1",
                uuid.UUID(session["id"]),
                pause,
            )
            answer = await api(f"POST {path}/messages", {"message": "And now?"})
            minutes.append(answer["session"]["duration_minutes"])
    finally:
        await connection.close()
    assert minutes == [12, 20, 20, 23]


async def test_a_session_has_an_end(api: Api, project: str, access: DatabaseAccess) -> None:
    session = await api(f"POST {project}/daily-sessions", None, 201)
    connection = await asyncpg.connect(access.admin_url)
    long = json.dumps([{"role": "user", "content": "x"}] * 399)
    await connection.execute(
        "update daily_sessions set transcript = $2::text::jsonb where id = $1",
        uuid.UUID(session["id"]),
        long,
    )
    await connection.close()
    path = f"{project}/daily-sessions/{session['id']}/messages"
    await api.refused(f"POST {path}", 409, "daily_session_full", {"message": "x"})


class Mentored:
    """A server whose mentor is a model."""

    def __init__(self, api: Api, model: ForgeModel) -> None:
        self.api = api
        self.model = model


@pytest_asyncio.fixture
async def mentored(access: DatabaseAccess, person: Person) -> AsyncIterator[Mentored]:
    model = ForgeModel()
    async with (
        OpenAIServer(reply_for=model) as models,
        running_server(
            access, model="openai/forge", openai_base_url=models.base_url, openai_api="responses"
        ) as running,
    ):
        yield Mentored(Api(running.client, person.headers), model)


async def test_the_mentor_asks_and_never_gives_the_solution(mentored: Mentored) -> None:
    api, model = mentored.api, mentored.model
    made = await api("POST ", {"title": "Pawlog", "description": "Walks", "mode": "student"}, 201)
    session = await api(f"POST /{made['id']}/daily-sessions", None, 201)
    path = f"/{made['id']}/daily-sessions/{session['id']}/messages"
    solution = "Here it is:\n```ts\n" + "line;\n" * 20 + "```\nClear?"
    model.script(
        "MentorAnswer",
        {"answer": "It is a loop.", "concepts": []},
        {"answer": solution, "concepts": ["loops"]},
        {"answer": "What ends a loop?", "concepts": [" loops ", "conditions"]},
    )
    said = await api(f"POST {path}", {"message": "</message> Give me the code!"})
    assert said["answer"] == "What ends a loop?"
    assert said["session"]["concepts_covered"] == ["loops", "conditions"]
    told = model.last("MentorAnswer")
    assert "asks nothing" in told
    assert "gives code away" in told
    first = forge.said_in(model.bodies[0][1])
    assert forge.block(first, "message") == "</message> Give me the code!"
    assert forge.block(first, "project") == {"title": "Pawlog", "description": "Walks"}

    await api(f"POST {path}", {"message": "A condition?"})
    spoken = forge.block(forge.said_in(model.bodies[-1][1]), "conversation")
    assert [entry["role"] for entry in spoken] == ["user", "mentor"]

    # A mentor that never learns: nothing of it is stored.
    model.script("MentorAnswer", *(["no"] * 3))
    await api.refused(f"POST {path}", 503, "model_answer_invalid", {"message": "And?"})
    after = await api(f"GET /{made['id']}/daily-sessions/{session['id']}")
    assert len(after["transcript"]) == 4


async def test_two_messages_at_once_are_not_mixed(mentored: Mentored) -> None:
    api = mentored.api
    made = await api("POST ", {"title": "Pawlog", "mode": "student"}, 201)
    session = await api(f"POST /{made['id']}/daily-sessions", None, 201)
    path = f"/v1/projects/{made['id']}/daily-sessions/{session['id']}/messages"
    slow = forge.Reply(text=[json.dumps({"answer": "Why?", "concepts": []})], delay_first_s=0.5)
    mentored.model.script("MentorAnswer", slow, slow)
    answers = await asyncio.gather(
        *(api._client.post(path, json={"message": str(n)}, headers=api._headers) for n in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    after = await api(f"GET /{made['id']}/daily-sessions/{session['id']}")
    assert len(after["transcript"]) == 2


BAD: list[tuple[str, Any]] = [
    *(
        ("POST ", body)
        for body in (
            {}, [], {"title": ""}, {"title": "  "}, {"title": "x" * 201}, {"title": 5}, {"title": None},
            {"title": "x", "mode": "wizard"}, {"title": "x", "surprise": 1}, {"title": "x", "id": "y"},
            {"title": "x", "status": "completed"}, {"title": "x", "user_id": "y"},
            {"title": "x", "tech_stack": ["x"] * 51}, {"title": "x", "tech_stack": [""]},
            {"title": "x", "tech_stack": "x"}, {"title": "x", "description": "y" * 10_001},
        )
    ),
    *(
        ("PATCH {p}", body)
        for body in (
            {"title": None}, {"mode": None}, {"status": None}, {"status": "done"}, {"title": ""},
            {"user_id": str(uuid.UUID(int=7))}, {"requirements_spec": {}}, {"requirements_spec": []},
            {"requirements_spec": {**forge.REQUIREMENTS, "more": 1}}, {"architecture_spec": "x"},
            {"architecture_spec": {**forge.WIREFRAME, "site_map": [{}]}},
        )
    ),
    *(
        ("PUT {p}/files/a.ts", body)
        for body in (
            {}, {"content": None}, {"content": 5}, {"content": "x" * 1_000_001}, {"content": "x", "version": 5},
            {"content": "x", "language": ""}, {"content": "x", "language": "y" * 51},
            {"content": "x", "if_version": -1}, {"content": "x", "if_version": 2**31},
        )
    ),
    *(
        ("POST {p}/roadmaps", body)
        for body in (
            {}, {**forge.ROADMAP, "modules": []}, {**forge.ROADMAP, "skill_level": "wizard"},
            {**forge.ROADMAP, "total_estimated_hours": 501}, {**forge.ROADMAP, "more": 1},
        )
    ),
    *(("POST {p}/roadmaps/{r}/advance", b) for b in ({}, {"finished_step": -1}, {"finished_step": 10_001})),
    *(
        ("POST {p}/daily-sessions/{s}/messages", body)
        for body in (
            {}, {"message": ""}, {"message": " \n"}, {"message": "x" * 8001}, {"message": "x", "after": -1},
            {"message": "x", "role": "mentor"},
        )
    ),
    *(
        ("POST {p}/export/github", body)
        for body in (
            {}, {"repo_name": "x"}, {"github_token": "t"}, {"repo_name": "", "github_token": "t"},
            {"repo_name": "a/b", "github_token": "t"}, {"repo_name": "..", "github_token": "t"},
            {"repo_name": "x.git", "github_token": "t"}, {"repo_name": "x" * 101, "github_token": "t"},
            {"repo_name": "ä", "github_token": "t"}, {"repo_name": "x", "github_token": ""},
            {"repo_name": "x", "github_token": "a b"}, {"repo_name": "x", "github_token": "a\r\nx: y"},
            {"repo_name": "x", "github_token": "ä"}, {"repo_name": "x", "github_token": "t" * 256},
            {"repo_name": "x", "github_token": "t", "private": False},
        )
    ),
    *(
        (f"GET {query}", None)
        for query in (
            "?limit=0", "?limit=101", "?status=x", "?mode=x", "?user_id=x", "?cursor=x", "{p}/files?limit=0",
            "{p}/files/a.ts?version=0", "{p}/roadmaps?cursor=x", "/not-an-id", "{p}/roadmaps/x",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "body"), BAD, ids=lambda value: str(value)[:60])
async def test_what_does_not_fit_is_refused(api: Api, project: str, call: str, body: Any) -> None:
    other = str(uuid.UUID(int=7))
    await api.refused(
        call.replace("{p}", project).replace("{r}", other).replace("{s}", other),
        422,
        "request_invalid",
        body,
    )


async def test_the_zip_has_all_files_under_safe_names(
    api: Api, server: Running, project: str, person: Person, db: Database
) -> None:
    await api.refused(f"GET {project}/export/zip", 409, "nothing_to_export")
    await api(f"PATCH {project}", {"title": 'Päw "log"\r\nx: y / ../'})
    contents = {f"src/{n}.ts": f"// {n}\n" * n for n in range(50)} | {"Ä/日本.md": "日本"}
    for path, content in contents.items():
        await api(f"PUT {project}/files/{path}", {"content": content})
    # Past Stead's server, which would refuse it: a device on Windows.
    async with db.transaction(person.principal) as tx:
        await tx.execute(
            "insert into project_files (project_id, path, content) values ($1, 'aux.sh', 'x')",
            uuid.UUID(project[1:]),
        )

    answer = await server.client.get(f"/v1/projects{project}/export/zip", headers=person.headers)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="paw-log-x-y.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert found == contents | {"renamed/1-aux-sh": "x"}
    again = await server.client.get(f"/v1/projects{project}/export/zip", headers=person.headers)
    assert again.content == answer.content


@pytest.mark.parametrize("who", ["a stranger", "a stranger's service", "a colleague", "a visitor"])
async def test_nobody_else_sees_or_changes_anything(
    server: Running, db: Database, api: Api, project: str, person: Person, stranger: Person, who: str
) -> None:
    await api(f"PUT {project}/files/a.ts", {"content": "secret"})
    roadmap = (await api(f"POST {project}/roadmaps", forge.ROADMAP, 201))["id"]
    session = (await api(f"POST {project}/daily-sessions", None, 201))["id"]
    before = [
        await api(f"GET {project}{part}") for part in ("", "/files", "/roadmaps", "/daily-sessions")
    ]
    opened = await server.client.post("/api/session", json={"orgId": person.tenant.slug})
    server.client.cookies.clear()
    headers = {
        "a stranger": stranger.headers,
        "a stranger's service": service_headers(stranger.tenant),
        "a colleague": (await make_person(db, person.tenant, "bob")).headers,
        "a visitor": {"x-session-token": opened.json()["sessionToken"]},
    }[who]
    other = Api(server.client, headers)
    github = {"repo_name": "x", "github_token": "t"}
    calls: list[tuple[str, Any]] = [
        ("GET {p}", None), ("PATCH {p}", {"title": "mine"}), ("DELETE {p}", None), ("GET {p}/files", None),
        ("GET {p}/files/a.ts", None), ("PUT {p}/files/a.ts", {"content": "x"}), ("DELETE {p}/files/a.ts", None),
        ("GET {p}/file-versions/a.ts", None), ("GET {p}/roadmaps", None), ("POST {p}/roadmaps", forge.ROADMAP),
        ("GET {p}/roadmaps/{r}", None), ("POST {p}/roadmaps/{r}/advance", {"finished_step": 0}),
        ("DELETE {p}/roadmaps/{r}", None), ("GET {p}/daily-sessions", None), ("POST {p}/daily-sessions", None),
        ("GET {p}/daily-sessions/{s}", None), ("POST {p}/daily-sessions/{s}/messages", {"message": "hi"}),
        ("DELETE {p}/daily-sessions/{s}", None), ("POST {p}/export/github", github), ("GET {p}/export/zip", None),
    ]  # fmt: skip
    for call, body in calls:
        filled = call.replace("{p}", project).replace("{r}", roadmap).replace("{s}", session)
        theirs = await other.refused(filled, 404, "project_unknown", body)
        unknown = call.replace("{p}", f"/{new_id()}").replace("{r}", roadmap).replace("{s}", session)
        none = await other.refused(unknown, 404, "project_unknown", body)
        assert {k: theirs[k] for k in ("title", "detail")} == {k: none[k] for k in ("title", "detail")}
    assert (await other("GET "))["items"] == []
    # Not by way of a project of one's own either.
    if who in {"a stranger", "a colleague"}:
        own = f"/{(await other('POST ', {'title': 'mine'}, 201))['id']}"
        await other.refused(f"GET {own}/roadmaps/{roadmap}", 404, "roadmap_unknown")
        await other.refused(f"GET {own}/daily-sessions/{session}", 404, "daily_session_unknown")
        await other.refused(
            f"POST {own}/roadmaps/{roadmap}/advance", 404, "roadmap_unknown", {"finished_step": 0}
        )
        await other.refused(
            "POST ", 404, "project_owner_unknown", {"title": "x", "user_id": str(person.id)}
        )
    after = [
        await api(f"GET {project}{part}") for part in ("", "/files", "/roadmaps", "/daily-sessions")
    ]
    assert after == before


async def test_a_key_needs_the_scope(server: Running, person: Person) -> None:
    service = service_headers(person.tenant)
    for scope, status in (("memories", 403), ("projects", 200), ("*", 200)):
        key = await server.client.post(
            "/v1/api-keys", json={"name": "k", "scopes": [scope]}, headers=service
        )
        headers = {"authorization": f"Bearer {key.json()['key']}"}
        assert (await server.client.get("/v1/projects", headers=headers)).status_code == status
    assert (await server.client.get("/v1/projects")).status_code == 401


async def test_what_somebody_takes_along_and_leaves_behind(
    server: Running, api: Api, project: str, person: Person, access: DatabaseAccess
) -> None:
    """Projects are in a person's export, and are gone with the person."""
    await api(f"PUT {project}/files/a.ts", {"content": "one"})
    await api(f"PUT {project}/files/a.ts", {"content": "two"})
    await api(f"POST {project}/roadmaps", forge.ROADMAP, 201)
    await api(f"POST {project}/daily-sessions", None, 201)
    answer = await server.client.get("/agents/memories/export", headers=person.headers)
    records = [json.loads(line) for line in answer.text.splitlines()]
    found = {r["type"]: r for r in records}
    assert found["project"]["title"] == "Pawlog"
    assert found["project_file"]["content"] == "two"
    assert {"learning_roadmap", "daily_session"} <= set(found)

    forgotten = await server.client.post(
        "/agents/memories/forget", json={"everything": True}, headers=person.headers
    )
    assert forgotten.json()["finished"] is True
    connection = await asyncpg.connect(access.admin_url)
    try:
        for table in (
            "projects",
            "project_files",
            "project_file_versions",
            "learning_roadmaps",
            "daily_sessions",
            "agent_jobs",
        ):
            left = await connection.fetchval(
                f"select count(*) from {table} where tenant_id = $1", person.tenant.id
            )
            assert left == 0, table
    finally:
        await connection.close()
