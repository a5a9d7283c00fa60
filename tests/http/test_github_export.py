"""Exports to GitHub (004): the real client against a server that speaks its wire format, errors and all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead.assembly.database import DatabaseAccess
from tests.http.conftest import Logs, problem_of
from tests.servers.github import PRIMARY_LIMIT, SECONDARY_LIMIT, TOKEN, Failure, GithubServer
from tests.support.people import Person
from tests.support.servers import Running, running_server

FILES = {"src/app/page.tsx": "export default 1;\n", "README.md": "# Päwlog\n", "src/[id]/a b.ts": "//"}
#: With the first commit of an empty repository, and on top of another one.
FIRST = [
    "GET /user", "GET /", "GET /git/ref/heads", "PUT /contents", "POST /git/trees", "POST /git/commits",
    "GET /git/ref/heads", "PATCH /git/refs/heads",
]  # fmt: skip
NEXT = [
    "GET /user", "GET /", "GET /git/ref/heads", "GET /git/commits", "POST /git/trees", "POST /git/commits",
    "PATCH /git/refs/heads",
]  # fmt: skip


class Scene:
    """A project with files, and GitHub."""

    def __init__(self, running: Running, github: GithubServer, person: Person, project: str) -> None:
        self.running = running
        self.github = github
        self.person = person
        self.project = project

    async def export(self, name: str = "pawlog", token: str = TOKEN) -> httpx.Response:
        return await self.running.client.post(
            f"/v1/projects/{self.project}/export/github",
            json={"repo_name": name, "github_token": token},
            headers=self.person.headers,
        )

    async def put(self, path: str, content: str) -> None:
        answer = await self.running.client.put(
            f"/v1/projects/{self.project}/files/{path}",
            json={"content": content},
            headers=self.person.headers,
        )
        assert answer.status_code == 200, answer.text


@pytest_asyncio.fixture(scope="module")
async def github() -> AsyncIterator[GithubServer]:
    async with GithubServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module")
async def running(access: DatabaseAccess, github: GithubServer) -> AsyncIterator[Running]:
    async with running_server(access, github_api_url=github.base_url) as found:
        yield found


@pytest_asyncio.fixture
async def scene(running: Running, github: GithubServer, person: Person) -> Scene:
    github.requests.clear()
    github.repositories.clear()
    github.hidden.clear()
    github._failures.clear()
    made = await running.client.post(
        "/v1/projects", json={"title": "Paw\nlog", "mode": "builder"}, headers=person.headers
    )
    found = Scene(running, github, person, made.json()["id"])
    for path, content in FILES.items():
        await found.put(path, content)
    return found


async def audited(access: DatabaseAccess, person: Person) -> list[tuple[str, dict[str, Any]]]:
    connection = await asyncpg.connect(access.admin_url)
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=str, decoder=__import__("json").loads
        )
        rows = await connection.fetch(
            "select action, payload from audit_log where tenant_id = $1 and category = 'project' order by id",
            person.tenant.id,
        )
    finally:
        await connection.close()
    return [(row["action"], row["payload"]) for row in rows]


async def test_a_new_repository_has_the_files_in_one_commit(
    scene: Scene, access: DatabaseAccess
) -> None:
    answer = await scene.export()

    assert answer.status_code == 200, answer.text
    repository = scene.github.repositories["pawlog"]
    (commit,) = repository.history()
    assert answer.json() == {
        "repo_url": "https://github.com/ann/pawlog",
        "files_pushed": 3,
        "commit_sha": commit["sha"],
    }
    assert repository.files() == FILES
    assert (repository.private, commit["message"]) == (True, "Export of Paw log")
    assert scene.github.operations == [*FIRST[:2], "POST /user/repos", *FIRST[2:]]
    assert await audited(access, scene.person) == [
        ("export", {"target": "github", "files": 3}),
        ("exported", {"target": "github", "files": 3, "commit": commit["sha"]}),
    ]


async def test_an_empty_repository_of_ones_own_is_filled(scene: Scene) -> None:
    repository = scene.github.add("pawlog", default_branch="trunk")
    assert (await scene.export()).status_code == 200
    assert len(repository.history()) == 1
    assert repository.files("trunk") == FILES
    assert scene.github.operations == FIRST


async def test_an_existing_repository_gets_one_commit_on_top(scene: Scene) -> None:
    repository = scene.github.add("PawLog")
    repository.pushed_by_somebody({"LICENSE": "MIT", "README.md": "old"})

    answer = await scene.export()

    assert answer.status_code == 200, answer.text
    assert answer.json()["repo_url"] == "https://github.com/ann/PawLog"
    assert [commit["message"] for commit in repository.history()] == ["Export of Paw log", "other"]
    # What is there under other paths stays.
    assert repository.files() == {**FILES, "LICENSE": "MIT"}
    assert scene.github.operations == NEXT


async def test_exported_again_only_what_changed_makes_a_commit(scene: Scene) -> None:
    first = (await scene.export()).json()
    assert (await scene.export()).json() == first
    await scene.put("README.md", "# New\n")
    second = (await scene.export()).json()
    assert second["commit_sha"] != first["commit_sha"]
    repository = scene.github.repositories["pawlog"]
    assert [commit["sha"] for commit in repository.history()] == [
        second["commit_sha"],
        first["commit_sha"],
    ]


async def test_a_branch_that_nobody_has_pushed_yet_is_made(scene: Scene) -> None:
    repository = scene.github.add("pawlog", default_branch="main")
    repository.branches["other"] = repository.commit({"x": "y"}, "other", [])
    assert (await scene.export()).status_code == 200
    assert repository.files("main") == FILES
    assert scene.github.operations[-1] == "POST /git/refs"


async def test_many_files_are_one_commit(scene: Scene) -> None:
    for n in range(220):
        await scene.put(f"many/{n}.txt", str(n))
    answer = await scene.export()
    assert answer.json()["files_pushed"] == 223
    repository = scene.github.repositories["pawlog"]
    assert len(repository.files()) == 223
    assert len(repository.history()) == 1
    assert scene.github.operations.count("POST /git/trees") == 3


async def test_somebody_who_pushes_meanwhile_loses_nothing(scene: Scene) -> None:
    repository = scene.github.add("pawlog")
    repository.pushed_by_somebody({"a": "1"})
    meanwhile = Failure(status=0, before=lambda: repository.pushed_by_somebody({"b": "2"}))
    scene.github.fail("PATCH /git/refs/heads", meanwhile)

    answer = await scene.export()

    assert answer.status_code == 200, answer.text
    assert repository.files() == {**FILES, "a": "1", "b": "2"}
    assert [c["message"] for c in repository.history()] == ["Export of Paw log", "other", "other"]


async def test_somebody_who_pushes_into_the_empty_repository_loses_nothing(scene: Scene) -> None:
    repository = scene.github.add("pawlog")
    meanwhile = Failure(status=0, before=lambda: repository.pushed_by_somebody({"b": "2"}))
    scene.github.fail("POST /git/trees", meanwhile)
    assert (await scene.export()).status_code == 200
    assert repository.files() == {**FILES, "b": "2"}


async def test_somebody_who_never_stops_pushing(scene: Scene) -> None:
    repository = scene.github.add("pawlog")
    repository.pushed_by_somebody()
    meanwhile = Failure(status=0, before=lambda: repository.pushed_by_somebody({"b": str(id(object()))}))
    scene.github.fail("PATCH /git/refs/heads", *([meanwhile] * 3))
    problem_of(await scene.export(), 409, "github_conflict")


async def test_two_exports_at_once(scene: Scene) -> None:
    answers = await asyncio.gather(*(scene.export() for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {200, 409}, [a.text for a in answers]
    assert 200 in {answer.status_code for answer in answers}
    assert scene.github.repositories["pawlog"].files() == FILES


REFUSED = Failure(status=403, message="Resource not accessible by personal access token")
NOT_ALLOWED = Failure(
    status=422, message="Repository creation failed.", errors=[{"message": "not allowed"}]
)
SLOW_DOWN = Failure(status=429, message="Slow down", headers={"retry-after": "12"})
BY_DATE = Failure(status=403, message="x", headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})
FAILURES: list[tuple[str, Failure, int, str]] = [
    *(
        (operation, Failure(status=401, message="Bad credentials"), 422, "github_token_refused")
        for operation in ("GET /user", "POST /git/trees")
    ),
    ("POST /user/repos", REFUSED, 403, "github_permission_missing"),
    ("POST /user/repos", Failure(status=404, message="Not Found"), 403, "github_permission_missing"),
    ("PUT /contents", Failure(status=404, message="Not Found"), 403, "github_permission_missing"),
    ("POST /user/repos", NOT_ALLOWED, 422, "github_repository_invalid"),
    ("POST /git/trees", Failure(status=400, message="Problems parsing JSON"), 409, "github_refused"),
    ("GET /", Failure(status=451, message="Repository access blocked"), 409, "github_refused"),
    *((call, PRIMARY_LIMIT, 429, "github_rate_limited") for call in ("GET /user", "POST /git/commits")),
    *((call, SECONDARY_LIMIT, 429, "github_rate_limited") for call in ("POST /user/repos", "PUT /contents")),
    ("GET /user", Failure(status=429, message="Too many requests"), 429, "github_rate_limited"),
    ("GET /user", SLOW_DOWN, 429, "github_rate_limited"),
    *(
        (operation, Failure(status=status), 503, "github_unavailable")
        for operation, status in (("GET /user", 500), ("POST /git/trees", 502), ("POST /git/commits", 503))
    ),
    *((call, Failure(drop=True), 503, "github_unavailable") for call in ("GET /user", "POST /git/trees")),
    ("GET /user", Failure(status=200, body=[1, 2]), 503, "github_unavailable"),
    ("GET /user", Failure(status=200, body={"name": "no login"}), 503, "github_unavailable"),
    ("POST /git/commits", Failure(status=201, body={"sha": None}), 503, "github_unavailable"),
    ("GET /user", BY_DATE, 503, "github_unavailable"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "failure", "status", "code"),
    FAILURES,
    ids=lambda value: value if isinstance(value, str) else getattr(value, "message", None) or str(value),
)
async def test_what_github_answers_becomes_a_problem(
    scene: Scene,
    access: DatabaseAccess,
    logs: Logs,
    operation: str,
    failure: Failure,
    status: int,
    code: str,
) -> None:
    # As often as it is tried.
    scene.github.fail(operation, *([failure] * 3))

    answer = await scene.export()

    problem_of(answer, status, code)
    if status == 429:
        waits = int(answer.headers["retry-after"])
        known = {"37": 37, "12": 12}.get(failure.headers.get("retry-after", ""))
        assert waits == known if known else 55 <= waits <= 600
    # Neither the words of the other side nor the token go on from here.
    for text in (answer.text, str(answer.headers), logs.text):
        assert TOKEN not in text
    assert not failure.message or failure.message not in answer.text
    assert [action for action, _ in await audited(access, scene.person)] == ["export"]


async def test_a_wrong_token(scene: Scene) -> None:
    problem_of(await scene.export(token="ghp_wrong"), 422, "github_token_refused")
    assert scene.github.operations == ["GET /user"]


@pytest.mark.parametrize("how", [{"owner": "bob"}, {"archived": True}])
async def test_repositories_that_cannot_be_had(scene: Scene, how: dict[str, Any]) -> None:
    repository = scene.github.add("pawlog", **{**how, "owner": "ann"})
    repository.pushed_by_somebody()
    if "owner" in how:
        # As a repository that was handed on answers under its old name.
        shown = {"owner": {"login": "bob"}, "full_name": "bob/pawlog", "default_branch": "main"}
        scene.github.fail("GET /", Failure(status=200, body=shown))
    problem_of(await scene.export(), 409, "github_repository_taken")
    assert repository.files() == {"x": "y"}


async def test_a_repository_that_the_token_may_only_read(scene: Scene) -> None:
    scene.github.add("pawlog", push=False).pushed_by_somebody()
    problem_of(await scene.export(), 403, "github_permission_missing")


async def test_a_name_that_is_taken_out_of_reach(scene: Scene) -> None:
    scene.github.hidden.add("pawlog")
    problem_of(await scene.export(), 409, "github_repository_taken")


async def test_a_project_without_files_asks_github_nothing(scene: Scene) -> None:
    for path in FILES:
        url = httpx.URL(f"/v1/projects/{scene.project}/files/{path}")
        await scene.running.client.delete(url, headers=scene.person.headers)
    problem_of(await scene.export(), 409, "nothing_to_export")
    assert scene.github.operations == []


async def test_github_that_is_not_there(access: DatabaseAccess, scene: Scene) -> None:
    async with running_server(access, github_api_url="http://127.0.0.1:9") as elsewhere:
        away = Scene(elsewhere, scene.github, scene.person, scene.project)
        problem_of(await away.export(), 503, "github_unavailable")


async def test_no_transaction_is_open_while_github_thinks(scene: Scene, access: DatabaseAccess) -> None:
    scene.github.fail("POST /git/trees", Failure(hang=True))
    export = asyncio.create_task(scene.export())
    while "POST /git/trees" not in scene.github.operations:  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)
    connection = await asyncpg.connect(access.admin_url)
    try:
        held = await connection.fetchval(
            "select count(*) from pg_locks l join pg_class c on c.oid = l.relation "
            "where c.relname in ('projects', 'project_files', 'audit_log')"
        )
    finally:
        await connection.close()
        export.cancel()
        await asyncio.gather(export, return_exceptions=True)
    assert held == 0


async def test_the_token_is_kept_nowhere(scene: Scene, access: DatabaseAccess, logs: Logs) -> None:
    answer = await scene.running.client.post(
        f"/v1/projects/{scene.project}/export/github",
        json={"repo_name": "pawlog", "github_token": TOKEN},
        headers={**scene.person.headers, "idempotency-key": "once"},
    )
    assert answer.status_code == 200
    assert TOKEN not in answer.text
    assert TOKEN not in logs.text
    connection = await asyncpg.connect(access.admin_url)
    try:
        tables = await connection.fetch(
            "select oid::regclass::text as name from pg_class where relkind in ('r', 'p') "
            "and relnamespace::regnamespace::text in ('public', 'stead')"
        )
        for table in tables:
            held = await connection.fetchval(
                f"select count(*) from {table['name']} t where to_jsonb(t)::text like '%' || $1 || '%'",
                TOKEN,
            )
            assert held == 0, table["name"]
    finally:
        await connection.close()
    # Where it has to be it is, and only in the header.
    assert all(r.headers["authorization"].endswith(TOKEN) for r in scene.github.requests)
    assert not any(TOKEN in str(r.body) + r.path + r.query for r in scene.github.requests)
