"""004's endpoints of jobs, over real sockets, with a worker beside the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from stead.apps.forge import projects
from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from stead.jobs import JobContext, Question
from tests.support.people import Person, make_person, make_tenant, service_headers
from tests.support.servers import Running, running_server


@pytest_asyncio.fixture
async def works(idle: DatabaseAccess) -> AsyncIterator[Running]:
    """A server and a worker on a database of their own, with a few kinds of jobs."""
    app = Stead()

    @app.job("double")
    async def double(job: JobContext, n: int) -> int:
        return 2 * n

    @app.job("ask")
    async def ask(job: JobContext) -> str:
        await job.progress(40, "thinking")
        answers = await job.ask([Question(id="q1", question="What for?", options=["a", "b"])])
        return answers[0].answer

    @app.job("forever")
    async def forever(job: JobContext) -> None:
        await asyncio.Event().wait()

    @app.job("broken", max_attempts=1)
    async def broken(job: JobContext) -> None:
        raise ValueError("no")

    async with running_server(idle, app, worker=True) as running:
        yield running


@pytest_asyncio.fixture
async def ann(idle: DatabaseAccess, works: Running) -> Person:
    return await make_person(works.parts.db, await make_tenant(idle))


async def project_of(person: Person, db: Database) -> str:
    async with db.transaction(person.principal.served()) as tx:
        made = await projects.create(tx, person.principal, title="P", mode="builder")
    return str(made.id)


async def events_of(
    running: Running, person: Person, job: str, last_id: str | None = None
) -> list[dict[str, Any]]:
    """Every event of a job's stream, to its end."""
    found: list[dict[str, Any]] = []
    headers = person.headers | ({"last-event-id": last_id} if last_id else {})
    async with (
        asyncio.timeout(20),
        running.client.stream("GET", f"/v1/jobs/{job}/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name in {"id", "event"}:
                event[name] = value
            elif name == "data":
                event["data"] = json.loads(value)
            elif not line and "data" in event:
                found.append(event)
                event = {}
    return found


async def make(running: Running, person: Person, kind: str, **given: Any) -> str:
    answer = await running.client.post(
        "/v1/jobs", json={"kind": kind, "input": given}, headers=person.headers
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["job_id"]


async def test_an_agent_runs_on_a_project_as_004_has_it(works: Running, ann: Person) -> None:
    project = await project_of(ann, works.parts.db)
    idea = {"user_idea": "A CRM for dog walkers that keeps clients and plans walks in a calendar"}
    accepted = await works.client.post(
        "/v1/run-agent",
        json={
            "project_id": project,
            "agent_type": "research",
            "input_context": {**idea, "clarify": False},
        },
        headers=ann.headers,
    )

    assert accepted.status_code == 200, accepted.text
    body = accepted.json()
    assert set(body) == {"job_id", "status", "estimated_time"}
    assert (body["status"], body["estimated_time"]) == ("queued", "30s")
    events = await events_of(works, ann, body["job_id"])
    assert events[-1]["event"] == "complete"
    assert events[-1]["data"]["status"] == "completed"
    job = (await works.client.get(f"/v1/jobs/{body['job_id']}", headers=ann.headers)).json()
    assert set(job) == {
        "job_id", "status", "agent_type", "project_id", "progress", "result", "error", "created_at",
        "completed_at",
    }  # fmt: skip
    assert (job["status"], job["agent_type"], job["project_id"]) == ("completed", "research", project)
    assert job["result"] == events[-1]["data"]["result"]
    listed = (
        await works.client.get(
            f"/v1/jobs/{project}/list", params={"limit": 20, "offset": 0}, headers=ann.headers
        )
    ).json()
    assert listed == {"items": [job], "total": 1, "has_more": False}
    # The estimate is of past runs now: this one took less than a second.
    again = await works.client.post(
        "/v1/run-agent",
        json={"project_id": project, "agent_type": "research", "input_context": idea},
        headers=ann.headers,
    )
    assert int(again.json()["estimated_time"].removesuffix("s")) < 30


async def test_a_job_that_asks_says_so_and_goes_on_when_answered(works: Running, ann: Person) -> None:
    job = await make(works, ann, "ask")
    stream = asyncio.create_task(events_of(works, ann, job))
    async with asyncio.timeout(20):
        while True:
            now = (await works.client.get(f"/v1/jobs/{job}", headers=ann.headers)).json()
            if now["status"] == "waiting_for_input":
                break
            await asyncio.sleep(0.02)
    details = (await works.client.get(f"/v1/jobs/{job}/details", headers=ann.headers)).json()
    assert details["questions"] == [{"id": "q1", "question": "What for?", "options": ["a", "b"]}]
    wrong = await works.client.post(
        f"/v1/jobs/{job}/respond",
        json={"responses": [{"question_id": "q2", "answer": "x"}]},
        headers=ann.headers,
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "job_answers_invalid")
    right = await works.client.post(
        f"/v1/jobs/{job}/respond",
        json={"responses": [{"question_id": "q1", "answer": "b"}]},
        headers=ann.headers,
    )
    assert right.json() == {"status": "running", "message": "Agent resumed with clarifications"}

    events = await stream
    assert [e["event"] for e in events if e["event"] != "progress"] == ["waiting", "complete"]
    waiting = next(e for e in events if e["event"] == "waiting")
    assert waiting["data"] == {
        "questions": [{"id": "q1", "question": "What for?", "options": ["a", "b"]}],
        "status": "waiting_for_input",
    }
    ids = [int(e["id"]) for e in events]
    assert ids == sorted(ids)
    # Whoever comes back misses nothing and gets nothing twice.
    rest = await events_of(works, ann, job, last_id=waiting["id"])
    assert [e["event"] for e in rest if e["event"] != "progress"] == ["complete"]
    assert all(int(e["id"]) > int(waiting["id"]) for e in rest)
    over = await works.client.get(
        f"/v1/jobs/{job}/stream", headers={**ann.headers, "last-event-id": rest[-1]["id"]}
    )
    assert over.status_code == 204


async def test_a_job_that_runs_is_cancelled_at_once(works: Running, ann: Person) -> None:
    job = await make(works, ann, "forever")
    stream = asyncio.create_task(events_of(works, ann, job))
    async with asyncio.timeout(20):
        while works.parts.worker.running != 1:  # noqa: ASYNC110 - the worker is beside
            await asyncio.sleep(0.01)
    answer = await works.client.post(f"/v1/jobs/{job}/cancel", headers=ann.headers)
    assert (answer.status_code, answer.json()) == (200, {"status": "cancelled"})
    events = await stream
    assert (events[-1]["event"], events[-1]["data"]) == ("cancelled", {"status": "cancelled"})
    async with asyncio.timeout(20):
        while works.parts.worker.running:  # noqa: ASYNC110 - the worker is beside
            await asyncio.sleep(0.01)
    retried = await works.client.post(f"/v1/jobs/{job}/retry", headers=ann.headers)
    assert retried.json() == {"status": "queued"}
    await works.client.post(f"/v1/jobs/{job}/cancel", headers=ann.headers)


async def test_a_job_that_fails_says_why(works: Running, ann: Person) -> None:
    job = await make(works, ann, "broken")
    events = await events_of(works, ann, job)
    assert events[-1]["event"] == "error"
    assert events[-1]["data"] == {
        "status": "failed",
        "error": "ValueError: no",
        "code": "job_handler_failed",
    }


async def test_a_key_makes_one_job(works: Running, ann: Person) -> None:
    headers = {**ann.headers, "idempotency-key": "k"}
    body = {"kind": "double", "input": {"n": 2}}
    answers = [await works.client.post("/v1/jobs", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    listed = (await works.client.get("/v1/jobs", headers=ann.headers)).json()
    assert len(listed["items"]) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "nonsense"}, "job_kind_unknown"),
        ({"kind": "double", "input": {"n": "x"}}, "job_input_invalid"),
        ({"kind": "double", "input": {}}, "job_input_invalid"),
        ({"kind": "Bad Kind"}, "request_invalid"),
        ({"kind": "double", "input": {"n": 1}, "priority": 1000}, "request_invalid"),
        ({"kind": "double", "input": {"n": 1}, "run_at": "2026-01-01T00:00:00"}, "request_invalid"),
        ({"kind": "double", "input": {"n": 1}, "queue": "a b"}, "request_invalid"),
        ({"kind": "double", "input": {"n": 1}, "extra": 1}, "request_invalid"),
        ({"kind": "double", "input": {"n": 1}, "project_id": str(uuid4())}, "project_unknown"),
    ],
)
async def test_what_does_not_fit_is_refused_and_makes_nothing(
    works: Running, ann: Person, body: dict[str, Any], code: str
) -> None:
    answer = await works.client.post("/v1/jobs", json=body, headers=ann.headers)
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == code
    assert (await works.client.get("/v1/jobs", headers=ann.headers)).json()["items"] == []


async def test_another_persons_job_is_one_that_does_not_exist(
    works: Running, idle: DatabaseAccess, ann: Person
) -> None:
    bob = await make_person(works.parts.db, ann.tenant)
    eve = await make_person(works.parts.db, await make_tenant(idle))
    project = await project_of(ann, works.parts.db)
    job = await make(works, ann, "ask")
    respond = {"responses": [{"question_id": "q1", "answer": "b"}]}
    for other in (bob, eve):
        requests: list[tuple[str, str, Any]] = [
            ("GET", f"/v1/jobs/{job}", None),
            ("GET", f"/v1/jobs/{job}/details", None),
            ("GET", f"/v1/jobs/{job}/stream", None),
            ("POST", f"/v1/jobs/{job}/respond", respond),
            ("POST", f"/v1/jobs/{job}/cancel", None),
            ("POST", f"/v1/jobs/{job}/retry", None),
        ]
        for method, path, body in requests:
            answer = await works.client.request(method, path, json=body, headers=other.headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "job_unknown"), path
        for path in ("/v1/run-agent", "/v1/run-pipeline"):
            body = {"project_id": project, "input_context": {"user_idea": "An app for dog walkers"}}
            if path == "/v1/run-agent":
                body["agent_type"] = "research"
            answer = await works.client.post(path, json=body, headers=other.headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "project_unknown")
        listed = await works.client.get(f"/v1/jobs/{project}/list", headers=other.headers)
        assert listed.json() == {"items": [], "total": 0, "has_more": False}
        assert (await works.client.get("/v1/jobs", headers=other.headers)).json()["items"] == []
    anonymous = await works.client.get(f"/v1/jobs/{job}")
    assert anonymous.status_code == 401


async def test_a_queue_is_paused_by_the_service_alone(works: Running, ann: Person) -> None:
    refused = await works.client.patch("/v1/queues/default", json={"paused": True}, headers=ann.headers)
    assert refused.status_code == 403
    service = service_headers(ann.tenant)
    paused = await works.client.patch(
        "/v1/queues/default", json={"paused": True, "max_running": 3}, headers=service
    )
    assert [(q["queue"], q["paused"], q["max_running"]) for q in paused.json()] == [("default", True, 3)]
    job = await make(works, ann, "double", n=4)
    lifted = await works.client.patch(
        "/v1/queues/default", json={"paused": False, "max_running": None}, headers=service
    )
    assert [(q["paused"], q["max_running"]) for q in lifted.json()] == [(False, None)]
    assert (await events_of(works, ann, job))[-1]["data"]["result"] == 8


async def test_a_revoked_key_ends_the_stream_of_a_job(
    works: Running, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stead.realtime.keys._LOOK_S", 3600.0)
    service = service_headers(ann.tenant)
    made = (await works.client.post("/v1/api-keys", json={"name": "k"}, headers=service)).json()
    job = await make(works, ann, "ask")
    heard = asyncio.Event()
    ended: list[str] = []

    async def follow() -> None:
        headers = {"authorization": f"Bearer {made['key']}"}
        async with works.client.stream("GET", f"/v1/jobs/{job}/stream", headers=headers) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("event: waiting"):
                    heard.set()
                ended.append(line)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        await heard.wait()
        await works.client.delete(f"/v1/api-keys/{made['id']}", headers=service)
        await following
    assert [line for line in ended if line][-2:] == ["event: end", 'data: {"reason":"key_ended"}']
