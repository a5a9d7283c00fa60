"""The marketplace over HTTP (000): found, compared, talked to, waited for; and what nobody else sees."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from stead import knowledge
from stead.assembly.database import DatabaseAccess
from stead.db import Database
from tests.agents.vendors import Vendor, vendor_of
from tests.http.conftest import SERVICE_SECRET, Ledger, problem_of
from tests.http.test_identity import _signed
from tests.servers.script import Reply
from tests.support.people import Person, make_person, open_session, service, service_headers
from tests.support.servers import Running, frames_of, running_server, text_of

AGENTS: dict[str, dict[str, Any]] = {
    "recruiter": {
        "agent": {"name": "Hanna", "tagline": "Hires backend engineers for startups"},
        "listing": {
            "pricing_model": "subscription", "base_rate": 200, "rating": 4.8, "experience_years": 9,
            "success_rate": 91, "industries": ["Fintech"],
            "tags": [{"slug": "hiring", "label": "Hiring"}, {"slug": "engineers"}],
        },
    },
    "bookkeeper": {
        "agent": {"name": "Berta", "tagline": "Does invoices, taxes and accounts"},
        "listing": {
            "pricing_model": "hourly", "base_rate": 40, "rating": 4.1, "success_rate": 97,
            "industries": ["retail"], "tags": [{"slug": "finance"}],
        },
    },
    "gardener": {
        "agent": {"name": "Greta", "tagline": "Plants tulips and roses", "description": "Grows gardens."},
        "listing": {"pricing_model": "hourly", "base_rate": 30, "tags": [{"slug": "outdoors"}]},
    },
}  # fmt: skip


class Market:
    """A tenant with agents for hire, and calls in somebody's name."""

    def __init__(self, running: Running, person: Person) -> None:
        self.client = running.client
        self.running = running
        self.person = person
        self.service = service_headers(person.tenant)

    async def __call__(self, call: str, body: Any = None, status: int = 200, **how: Any) -> Any:
        method, path = call.split(" ", 1)
        headers = how.pop("headers", self.person.headers)
        answer = await self.client.request(method, path, json=body, headers=headers, **how)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(self, call: str, status: int, code: str, body: Any = None, **how: Any) -> Any:
        method, path = call.split(" ", 1)
        headers = how.pop("headers", self.person.headers)
        answer = await self.client.request(method, path, json=body, headers=headers, **how)
        return problem_of(answer, status, code)

    async def fill(self) -> None:
        for slug, what in AGENTS.items():
            await self("POST /v1/agents", {"slug": slug, **what["agent"]}, 201, headers=self.service)
            await self(f"PUT /v1/agents/{slug}/listing", what["listing"], headers=self.service)
        while await knowledge.embed_backlog(self.running.parts.db, self.running.parts.runtime.embedder):
            pass

    async def compare(self, goal: str = "Hire a backend engineer", **more: Any) -> Any:
        how = {k: more.pop(k) for k in ("headers",) if k in more}
        return await self("POST /api/agents/compare", {"goal": goal, **more}, 201, **how)

    async def remember(self, *texts: str) -> None:
        await self("POST /agents/memories", {"memories": [{"content": text} for text in texts]}, 201)


@pytest_asyncio.fixture
async def market(server: Running, person: Person) -> Market:
    made = Market(server, person)
    await made.fill()
    return made


def slugs(page: Any) -> list[str]:
    return [item["slug"] for item in page["items"]]


async def test_agents_are_listed_by_what_they_are(market: Market) -> None:
    assert slugs(await market("GET /api/agents")) == ["gardener", "bookkeeper", "recruiter"]
    (found,) = (await market("GET /api/agents?tag=hiring&tag=engineers"))["items"]
    assert found["slug"] == "recruiter"
    assert found["tags"] == [
        {"slug": "engineers", "label": "engineers"},
        {"slug": "hiring", "label": "Hiring"},
    ]
    assert (found["base_rate"], found["rating"], found["industries"]) == (200, 4.8, ["fintech"])
    for query, expected in {
        "tag=hiring&tag=finance": [],
        "industry=FINTECH": ["recruiter"],
        "industry=fintech&industry=retail": ["bookkeeper", "recruiter"],
        "pricing_model=hourly": ["gardener", "bookkeeper"],
        "min_price=40": ["bookkeeper", "recruiter"],
        "max_price=40": ["gardener", "bookkeeper"],
        "min_price=31&max_price=199": ["bookkeeper"],
        "min_rating=4.1": ["bookkeeper", "recruiter"],
        "min_rating=4.5": ["recruiter"],
    }.items():
        assert slugs(await market(f"GET /api/agents?{query}")) == expected, query


@pytest.mark.parametrize("query", ["", "&q=agent+that+hires+does+invoices+or+plants"])
async def test_pages_hold_each_agent_once(market: Market, query: str) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = await market(f"GET /api/agents?limit=1{query}{cursor}")
        seen += slugs(page)
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(AGENTS)
    whole = await market(f"GET /api/agents?limit=100{query}")
    assert slugs(whole) == seen


async def test_agents_are_found_by_words_and_by_meaning(market: Market) -> None:
    by_word = (await market("GET /api/agents?q=tulips"))["items"]
    assert by_word[0]["slug"] == "gardener"
    assert by_word[0]["score"] == 1
    assert all(0 <= item["score"] <= 1 for item in by_word)
    # No word of it occurs.
    assert slugs(await market("GET /api/agents?q=recruiting+software+developers"))[0] == "recruiter"
    assert slugs(await market("GET /api/agents?q=flowers&tag=finance")) in ([], ["bookkeeper"])


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=W10=", "q=a&cursor=bm9uZQ==", "q=a&cursor=WzFlOTk5LCAiIl0=", "limit=0",
     "min_rating=9", "min_price=-1", "min_price=inf", "max_price=nan", "tag=%20", "industry=%20"],
)  # fmt: skip
async def test_queries_that_are_none(market: Market, query: str) -> None:
    await market.refused(f"GET /api/agents?{query}", 422, "request_invalid")


async def test_hidden_agents_are_a_services_to_see(market: Market) -> None:
    hidden = {"slug": "secret", "name": "S", "visibility": "hidden"}
    await market("POST /v1/agents", hidden, 201, headers=market.service)

    assert "secret" not in slugs(await market("GET /api/agents", headers=market.service))
    await market.refused("GET /api/agents/secret", 404, "agent_unknown")
    assert (await market("GET /api/agents/secret", headers=market.service))["agent"]["slug"] == "secret"
    await market.refused(
        "POST /api/agents/compare", 404, "candidates_unknown", {"goal": "x", "agents": ["secret"]}
    )


async def test_one_agent_with_what_is_said_and_remembered_of_it(market: Market, db: Database) -> None:
    praise = {"author": "Ann", "quote": "Found us two.", "rating": 5}
    made = await market("POST /v1/agents/recruiter/endorsements", praise, 201, headers=market.service)
    bob = await make_person(db, market.person.tenant, "bob")
    for headers, texts in ((market.person.headers, ("a", "b")), (bob.headers, ("c",))):
        for text in texts:
            body = {
                "agent": "recruiter",
                "memories": [{"content": f"Fact {text}", "source": "feedback"}],
            }
            await market("POST /v1/agents/recruiter/versions", {"instructions": "x"}, 201,
                         headers=market.service)  # fmt: skip
            await market("POST /agents/memories", body, 201, headers=headers)

    mine = await market("GET /api/agents/recruiter")
    whole = await market("GET /api/agents/recruiter", headers=market.service)

    assert mine["endorsements"] == [made]
    assert mine["agent"]["endorsements"] == 1
    assert (mine["memory"]["memories"], mine["memory"]["people"]) == (2, 1)
    assert mine["memory"]["by_source"] == {"feedback": 2}
    assert mine["memory"]["last_at"] is not None
    assert (whole["memory"]["memories"], whole["memory"]["people"]) == (3, 2)
    empty = (await market("GET /api/agents/gardener"))["memory"]
    assert empty == {
        "memories": 0,
        "people": 0,
        "by_source": {},
        "recalled": 0,
        "used": 0,
        "last_at": None,
    }


async def test_a_listing_is_replaced_and_only_by_a_service(market: Market, stranger: Person) -> None:
    path = "PUT /v1/agents/recruiter/listing"
    await market.refused(path, 403, "service_only", {"rating": 5})
    abroad = service_headers(stranger.tenant)
    await market.refused(path, 404, "agent_unknown", {"rating": 1}, headers=abroad)
    await market.refused(
        "POST /v1/agents/recruiter/endorsements", 404, "agent_unknown",
        {"author": "M", "quote": "bad"}, headers=abroad,
    )  # fmt: skip
    assert (await market("GET /api/agents/recruiter"))["agent"]["rating"] == 4.8

    saved = await market(
        path, {"tags": [{"slug": "hiring", "label": "Recruiting"}]}, headers=market.service
    )

    assert (saved["rating"], saved["industries"]) == (None, [])
    assert saved["tags"] == [{"slug": "hiring", "label": "Recruiting"}]


async def test_a_comparison_scores_gives_reasons_and_is_kept(market: Market) -> None:
    made = await market.compare(max_price=250, metadata={"page": "pricing"})

    assert [one["rank"] for one in made["candidates"]] == [1, 2, 3]
    scores = [one["fit_score"] for one in made["candidates"]]
    assert scores == sorted(scores, reverse=True)
    first = made["candidates"][0]
    assert first["agent"]["slug"] == "recruiter"
    assert "200 is within your budget" in first["rationale"]
    assert "91% of its work succeeded" in first["rationale"]
    assert {one["name"] for one in first["factors"]} == {
        "similarity", "success_rate", "rating", "experience", "price",
    }  # fmt: skip
    assert first["fit_score"] == pytest.approx(sum(one["points"] for one in first["factors"]), abs=0.05)
    assert (made["reasons_by"], made["notice"]) == ("rules", None)

    kept = await market(f"GET /api/agents/compare/{made['session_id']}")
    assert kept["candidates"] == made["candidates"]
    session = await market(f"GET /api/session/{made['session_id']}")
    assert session["context"] == {
        "goal": "Hire a backend engineer", "filters": {"max_price": 250}, "page": "pricing",
    }  # fmt: skip
    memories = (await market("GET /agents/memories"))["items"]
    assert [(m["source"], m["content"]) for m in memories] == [
        ("comparison", "goal: Hire a backend engineer")
    ]


async def test_what_counts_can_be_weighed(market: Market) -> None:
    by_price = await market.compare(max_price=30, weights={"similarity": 0, "price": 10})
    only_success = await market.compare(
        weights={"similarity": 0, "rating": 0, "experience": 0, "memory": 0, "price": 0}
    )

    assert by_price["candidates"][0]["agent"]["slug"] == "gardener"
    assert [one["agent"]["slug"] for one in only_success["candidates"]] == [
        "bookkeeper", "recruiter", "gardener",
    ]  # fmt: skip
    assert only_success["candidates"][0]["fit_score"] == 97
    for weights in ({"charm": 1}, {"price": -1}, dict.fromkeys(
        ("similarity", "success_rate", "rating", "experience", "price", "memory"), 0)):  # fmt: skip
        await market.refused(
            "POST /api/agents/compare", 422, "fit_weights_invalid", {"goal": "x", "weights": weights}
        )


async def test_weights_are_configured(access: DatabaseAccess, person: Person) -> None:
    async with running_server(access, fit_weights='{"similarity": 0, "rating": 0}') as running:
        market = Market(running, person)
        await market.fill()
        made = await market.compare()
    names = {one["name"] for one in made["candidates"][0]["factors"]}
    assert names == {"success_rate", "experience"}


async def test_memory_of_the_person_counts(market: Market) -> None:
    before = await market.compare("Somebody for next month", weights={"memory": 1, "similarity": 0.1})
    await market.remember("I love tulips and roses.", "I have a garden.")
    after = await market.compare("Somebody for the garden", weights={"memory": 1, "similarity": 0.1})

    assert all(f["name"] != "memory" for f in before["candidates"][0]["factors"])
    first = after["candidates"][0]
    assert first["agent"]["slug"] == "gardener"
    (memory,) = [one for one in first["factors"] if one["name"] == "memory"]
    assert memory["memory_ids"]
    assert "what is remembered of you" in memory["reason"]
    # Reasons are stored; what is remembered can be forgotten, and must not live on in them.
    assert "tulips" not in json.dumps([one["rationale"] for one in after["candidates"]])


async def test_earlier_work_counts(market: Market, db: Database) -> None:
    await market(
        "POST /v1/agents/bookkeeper/versions", {"instructions": "x"}, 201, headers=market.service
    )
    answer = await market.client.post(
        "/api/agents/chat", json={"agent": "bookkeeper", "message": "Hi"}, headers=market.person.headers
    )
    session = answer.headers["x-stead-session"]
    (run,) = await market(f"GET /api/session/{session}/runs")
    messages = (await market(f"GET /api/session/{session}/messages"))["items"]
    (said,) = [one["id"] for one in messages if one["role"] == "assistant"]
    bob = Market(market.running, await make_person(db, market.person.tenant, "bob"))

    async def factor(whose: Market) -> str | None:
        made = await whose.compare(agents=["bookkeeper"])
        factors = made["candidates"][0]["factors"]
        return next((one["reason"] for one in factors if one["name"] == "memory"), None)

    assert run["status"] == "completed"
    assert "it has worked for you 1 time" in (await factor(market) or "")
    await market(f"POST /api/session/{session}/messages/{said}/feedback", {"rating": "up"})
    assert "you rated 1 of 1 answers of it up" in (await factor(market) or "")
    assert await factor(bob) is None


async def test_a_profile_says_where_somebody_is_at_home(market: Market, db: Database) -> None:
    async with db.transaction(market.person.principal) as tx:
        await tx.execute("update public.profiles set focus_industries = '{FinTech}' where id = $1",
                         market.person.id)  # fmt: skip
    made = await market.compare(agents=["recruiter", "gardener"])
    told = {one["agent"]["slug"]: " ".join(one["rationale"]) for one in made["candidates"]}
    assert "fintech" in told["recruiter"]
    assert "industry" not in told["gardener"]


async def test_comparing_again_in_a_session_replaces_its_candidates(market: Market) -> None:
    first = await market.compare()
    again = await market.compare("Plant roses", session_id=first["session_id"], limit=1)

    assert again["session_id"] == first["session_id"]
    kept = await market(f"GET /api/agents/compare/{first['session_id']}")
    assert [one["agent"]["slug"] for one in kept["candidates"]] == ["gardener"]
    await market(f"POST /agents/sessions/{first['session_id']}/close")
    await market.refused(
        "POST /api/agents/compare", 409, "session_ended",
        {"goal": "x", "session_id": first["session_id"]},
    )  # fmt: skip


async def test_a_goal_that_is_forgotten_is_gone_from_all_that_was_made_of_it(market: Market) -> None:
    gone = await market.compare("Hire a backend engineer", metadata={"page": "pricing"})
    kept = await market.compare("Plant roses")
    (memory,) = [
        m["id"] for m in (await market("GET /agents/memories"))["items"] if "engineer" in m["content"]
    ]
    await market("POST /agents/memories/forget", {"memory_id": memory})

    session = await market(f"GET /api/session/{gone['session_id']}")
    assert "goal" not in session["context"]
    assert session["context"]["page"] == "pricing"
    assert (await market(f"GET /api/agents/compare/{gone['session_id']}"))["candidates"] == []
    still = await market(f"GET /api/agents/compare/{kept['session_id']}")
    assert still["candidates"] == kept["candidates"]


async def test_two_comparisons_at_once_leave_one_whole(market: Market) -> None:
    session = (await market.compare())["session_id"]
    both = await asyncio.gather(
        market.compare("Plant roses", session_id=session, limit=1),
        market.compare("Do my taxes", session_id=session, limit=2),
    )
    kept = await market(f"GET /api/agents/compare/{session}")
    assert kept["candidates"] in [one["candidates"] for one in both]


async def test_an_idempotency_key_makes_one_comparison(market: Market) -> None:
    headers = {**market.person.headers, "idempotency-key": uuid.uuid4().hex}
    first = await market.compare(headers=headers)
    assert await market.compare(headers=headers) == first
    assert len((await market("GET /api/sessions"))["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"goal": " "}, 422, "request_invalid"),
        ({"goal": "x" * 4001}, 422, "request_invalid"),
        ({"goal": "x", "limit": 21}, 422, "request_invalid"),
        ({"goal": "x", "max_price": -1}, 422, "request_invalid"),
        ({"goal": "x", "agents": ["nobody", "recruiter"]}, 404, "candidates_unknown"),
        ({"goal": "x", "tags": ["no-such-tag"]}, 404, "candidates_unknown"),
        ({"goal": "x", "metadata": {"a": "b" * 20_000}}, 422, "request_invalid"),
        ({"goal": "x", "metadata": json.loads("[" * 40 + "]" * 40) and {
            "a": json.loads("[" * 40 + "]" * 40)}}, 422, "request_invalid"),
    ],
)  # fmt: skip
async def test_comparisons_that_are_none(
    market: Market, body: dict[str, Any], status: int, code: str
) -> None:
    await market.refused("POST /api/agents/compare", status, code, body)


async def test_a_service_compares_for_a_person_and_for_nobody(market: Market, stranger: Person) -> None:
    theirs = await market.compare(profile_id=str(market.person.id), headers=market.service)
    assert (await market(f"GET /api/session/{theirs['session_id']}"))["linked"] is True

    nobodys = await market.compare(headers=market.service)
    await market.refused(f"GET /api/session/{nobodys['session_id']}", 404, "session_unknown")
    assert await market(f"GET /api/agents/compare/{nobodys['session_id']}", headers=market.service)

    for headers, whose in (
        (market.service, stranger.id),
        (market.person.headers, stranger.id),
        (service_headers(stranger.tenant), market.person.id),
    ):
        await market.refused(
            "POST /api/agents/compare", 404, "hirer_unknown",
            {"goal": "x", "profile_id": str(whose)}, headers=headers,
        )  # fmt: skip


async def test_the_holder_of_a_session_compares_in_it_and_takes_it_along(market: Market) -> None:
    async with httpx.AsyncClient(base_url=market.running.base_url) as client:
        opened = await client.post("/api/session", json={"orgId": market.person.tenant.slug})
    session, token = opened.json()["sessionId"], opened.json()["sessionToken"]
    holder = {"x-session-token": token}

    made = await market.compare(headers=holder)
    entry = await market(
        "POST /api/hire/waitlist",
        {"agent_session_id": session, "agent": "recruiter", "email_override": "a@example.com"},
        201, headers=holder,
    )  # fmt: skip
    assert made["session_id"] == session
    assert (entry["profile_id"], entry["email"]) == (None, "a@example.com")

    await market(
        f"POST /api/session/{session}/link",
        {"clerkUserId": str(market.person.id)},
        headers={**market.person.headers, **holder},
    )
    (listed,) = (await market("GET /api/admin/waitlist", headers=market.service))["items"]
    assert listed["profile_id"] == str(market.person.id)
    assert await market(f"GET /api/agents/compare/{session}")
    await market.refused(f"GET /api/agents/compare/{session}", 404, "session_unknown", headers=holder)


async def test_chat_opens_a_session_streams_and_logs(market: Market) -> None:
    await market(
        "POST /v1/agents/recruiter/versions", {"instructions": "x"}, 201, headers=market.service
    )
    body = {"agent": "recruiter", "prompt": "My budget is 300.", "metadata": {"page": "agents"}}
    async with market.client.stream(
        "POST", "/api/agents/chat", json=body, headers=market.person.headers
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        session = answer.headers["x-stead-session"]
        frames = await frames_of(answer)

    assert text_of(frames)
    (run,) = await market(f"GET /api/session/{session}/runs")
    assert (run["agent_name"], run["status"]) == ("recruiter", "completed")
    assert run["latency_ms"] is not None
    said = (await market(f"GET /api/session/{session}/messages"))["items"]
    assert said[0]["metadata"]["page"] == "agents"
    async with market.running.parts.db.transaction(service(market.person.tenant)) as tx:
        row = await tx.row(
            "select * from public.agent_run_logs where session_id = $1", uuid.UUID(session)
        )
    assert row is not None
    assert row["input"]["metadata"] == {"page": "agents"}
    again = {**body, "session_id": session, "message_id": "m-1"}
    for _ in range(2):  # the second is the same message
        assert (await market.client.post("/api/agents/chat", json=again,
                                         headers=market.person.headers)).status_code == 200  # fmt: skip
    assert len(await market(f"GET /api/session/{session}/runs")) == 2


async def test_an_agent_that_cannot_answer_leaves_no_session(market: Market) -> None:
    await market.refused(
        "POST /api/agents/chat", 404, "agent_unknown", {"agent": "gardener", "message": "hi"}
    )
    assert (await market("GET /api/sessions"))["items"] == []


@pytest_asyncio.fixture(scope="module")
async def inside(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server that takes signed calls."""
    async with running_server(access, service_secret=SERVICE_SECRET) as running:
        yield running


@pytest.mark.parametrize("proof", ["signature", "token"])
async def test_a_service_runs_an_agent_for_a_session(
    inside: Running, person: Person, proof: str
) -> None:
    market = Market(inside, person)
    await market("POST /v1/agents", {"slug": "concierge", "name": "C"}, 201, headers=market.service)
    await market("POST /v1/agents/concierge/versions", {"instructions": "x {{memories}}"}, 201,
                 headers=market.service)  # fmt: skip
    session = await open_session(inside.client, person)
    await market.remember("My dog is called Bruno.")

    async def run(prompt: str, **more: Any) -> httpx.Response:
        body = json.dumps({"session_id": session, "prompt": prompt, **more}).encode()
        headers = _signed(person.tenant, body) if proof == "signature" else {
            **market.service, "content-type": "application/json"}  # fmt: skip
        return await inside.client.post("/agents/run", content=body, headers=headers)

    whole = (await run("What is my dog called?", stream=False, metadata={"from": "next"})).json()
    streamed = await run("What is my dog called?")

    assert (whole["status"], whole["agent"], whole["error"]) == ("completed", "concierge", None)
    # What is remembered of the session's person was handed to the run.
    assert "Bruno" in whole["output"]
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "Bruno" in streamed.text
    assert (await market(f"GET /v1/runs/{whole['run_id']}"))["latency_ms"] == whole["latency_ms"]


async def test_a_run_is_of_the_sessions_agent_unless_one_is_named(market: Market) -> None:
    await market(
        "POST /v1/agents/recruiter/versions", {"instructions": "x"}, 201, headers=market.service
    )
    answer = await market.client.post(
        "/api/agents/chat", json={"agent": "recruiter", "message": "Hi"}, headers=market.person.headers
    )
    session = answer.headers["x-stead-session"]
    body = {"session_id": session, "prompt": "And?", "stream": False}

    assert (await market("POST /agents/run", body))["agent"] == "recruiter"
    assert (await market("POST /agents/run", {**body, "agent": "concierge"}))["agent"] == "concierge"


async def test_the_waitlist(market: Market) -> None:
    session = (await market.compare())["session_id"]
    body = {"agent_session_id": session, "agent": "recruiter", "message": "From May"}
    first = await market("POST /api/hire/waitlist", body, 201)
    again = await market(
        "POST /api/hire/waitlist", {**body, "message": None, "email_override": "x@example.com"}
    )

    assert again["id"] == first["id"]
    assert (first["email"], first["status"]) == (market.person.email, "new")
    assert (again["email"], again["message"]) == ("x@example.com", "From May")
    await market.refused("GET /api/admin/waitlist", 403, "service_only")
    for query, expected in {
        "": 1,
        "?status=contacted": 0,
        "?agent=recruiter": 1,
        "?agent=gardener": 0,
    }.items():
        page = await market(f"GET /api/admin/waitlist{query}", headers=market.service)
        assert len(page["items"]) == expected, query
    path = f"PATCH /api/admin/waitlist/{first['id']}"
    await market.refused(path, 403, "service_only", {"status": "contacted"})
    changed = await market(path, {"status": "contacted"}, headers=market.service)
    assert changed["status"] == "contacted"
    assert (await market("POST /api/hire/waitlist", body))["status"] == "contacted"


async def test_both_of_two_at_once_get_the_same_entry(market: Market) -> None:
    session = (await market.compare())["session_id"]
    body = {"agent_session_id": session, "agent": "recruiter"}
    answers = await asyncio.gather(
        *(market.client.post("/api/hire/waitlist", json=body, headers=market.person.headers)
          for _ in range(4))
    )  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_the_waitlist_of_others_is_out_of_reach(
    market: Market, db: Database, stranger: Person, ledger: Ledger
) -> None:
    session = (await market.compare())["session_id"]
    body = {"agent_session_id": session, "agent": "recruiter"}
    entry = await market("POST /api/hire/waitlist", body, 201)
    bob = await make_person(db, market.person.tenant, "bob")
    abroad = service_headers(stranger.tenant)
    before = await ledger.of(market.person.tenant.id)

    for headers in (bob.headers, stranger.headers, abroad):
        await market.refused("POST /api/hire/waitlist", 404, "session_unknown", body, headers=headers)
        await market.refused(
            "POST /api/agents/compare", 404, "session_unknown",
            {"goal": "x", "session_id": session}, headers=headers,
        )  # fmt: skip
        await market.refused(
            f"GET /api/agents/compare/{session}", 404, "session_unknown", headers=headers
        )
        await market.refused(
            "POST /agents/run", 404, "session_unknown",
            {"session_id": session, "prompt": "hi"}, headers=headers,
        )  # fmt: skip
    await market.refused(
        f"PATCH /api/admin/waitlist/{entry['id']}", 404, "waitlist_entry_unknown",
        {"status": "contacted"}, headers=abroad,
    )  # fmt: skip
    assert (await market("GET /api/admin/waitlist", headers=abroad))["items"] == []
    # An own session, and another tenant's agent.
    own = await open_session(market.client, stranger)
    await market.refused(
        "POST /api/hire/waitlist", 404, "agent_unknown",
        {"agent_session_id": own, "agent": "recruiter"}, headers=stranger.headers,
    )  # fmt: skip
    await market.refused("GET /api/agents/recruiter", 404, "agent_unknown", headers=stranger.headers)
    assert "recruiter" not in slugs(await market("GET /api/agents?q=hire", headers=stranger.headers))
    assert await ledger.of(market.person.tenant.id) == before


async def test_keys_need_the_scope_of_the_endpoint(market: Market) -> None:
    made = await market(
        "POST /v1/api-keys", {"name": "k", "scopes": ["agents"]}, 201, headers=market.service
    )
    key = {"authorization": f"Bearer {made['key']}"}

    assert await market("GET /api/agents", headers=key)
    await market.refused(
        "POST /api/agents/chat",
        403,
        "scope_missing",
        {"agent": "recruiter", "message": "x"},
        headers=key,
    )
    chat = await market(
        "POST /v1/api-keys", {"name": "c", "scopes": ["chat"]}, 201, headers=market.service
    )
    key = {"authorization": f"Bearer {chat['key']}"}
    await market.refused("GET /api/agents", 403, "scope_missing", headers=key)
    await market.refused("POST /api/agents/compare", 403, "scope_missing", {"goal": "x"}, headers=key)
    await market.refused("GET /api/admin/waitlist", 403, "scope_missing", headers=key)


@pytest_asyncio.fixture(scope="module")
async def vendor(access: DatabaseAccess) -> AsyncIterator[Vendor]:
    async with vendor_of("responses", access) as found:
        yield found


@pytest_asyncio.fixture
async def told(vendor: Vendor, person: Person) -> Market:
    made = Market(vendor.running, person)
    await made.fill()
    return made


def written(*pairs: tuple[str, list[str]]) -> Reply:
    document = {"candidates": [{"slug": slug, "reasons": reasons} for slug, reasons in pairs]}
    return Reply(text=[json.dumps(document)])


async def test_a_model_writes_the_reasons_and_changes_no_score(told: Market, vendor: Vendor) -> None:
    await told.remember("My secret word is xylophone.")
    computed = await told.compare(agents=["recruiter", "gardener"], reasons="rules")
    vendor.script(written(("recruiter", ["Knows engineers."]), ("gardener", ["Knows roses only."])))
    made = await told.compare(agents=["recruiter", "gardener"])

    assert (made["reasons_by"], made["notice"]) == ("model", None)
    assert [one["rationale"] for one in made["candidates"]] == [
        ["Knows engineers."],
        ["Knows roses only."],
    ]
    assert [one["fit_score"] for one in made["candidates"]] == [
        one["fit_score"] for one in computed["candidates"]
    ]
    assert made["candidates"][0]["factors"][0]["reason"] != "Knows engineers."
    kept = await told(f"GET /api/agents/compare/{made['session_id']}")
    assert kept["candidates"] == made["candidates"]
    (request,) = vendor.requests
    assert "Hires backend engineers" in json.dumps(request.body)
    # What a model is told could be quoted in a reason, which outlives the memory.
    assert "xylophone" not in json.dumps(request.body)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text=["I would rather talk."]),
        written(("recruiter", ["Good."])),
        written(("recruiter", ["Good."]), ("gardener", ["Fine."]), ("admin", ["Obey."])),
        written(("recruiter", []), ("gardener", ["Fine."])),
        written(("recruiter", ["x" * 401]), ("gardener", ["Fine."])),
        Reply(text=['{"candidates": 1}']),
        Reply(status=400, error_message="no"),
    ],
)
async def test_where_the_model_fails_the_computed_reasons_stay(
    told: Market, vendor: Vendor, reply: Reply
) -> None:
    vendor.script(reply)
    made = await told.compare(agents=["recruiter", "gardener"])

    assert made["reasons_by"] == "rules"
    assert "computed" in made["notice"]
    assert all(one["rationale"] for one in made["candidates"])
    assert vendor.requests
