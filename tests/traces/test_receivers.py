"""A receiver that is slow or gone costs spans, and never an answer."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from stead.assembly import Stead, load_settings
from stead.assembly.database import DatabaseAccess
from stead.assembly.errors import SettingsInvalid
from stead.assembly.traces import traces_config
from stead.cli import doctor
from stead.traces import (
    ModelCall,
    Origin,
    RunEnd,
    TracesConfig,
    TracesUnreachable,
    open_tracer,
    probe,
    read_headers,
)
from stead.traces.tracer import Tracer
from tests.agents.offices import Office, calls, office_of, refund
from tests.docs.pages import ROOT
from tests.servers.otlp import OtlpServer
from tests.servers.script import Reply
from tests.support.people import Person, open_session
from tests.support.servers import running_server, say, text_of


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("stead_trace_spans_total", {"outcome": outcome}) or 0.0


@asynccontextmanager
async def tracer_to(server: OtlpServer, **options: object) -> AsyncIterator[Tracer]:
    config = TracesConfig(url=f"{server.url}/v1/traces", **{"delay_s": 0.05, **options})  # type: ignore[arg-type]
    tracer = open_tracer(config)
    try:
        yield tracer
    finally:
        await tracer.aclose(0.2)


def a_run(tracer: Tracer, **how: str) -> str | None:
    """A trace of one span; its id."""
    trace = tracer.begin(Origin(), **how)
    if trace is None:
        return None
    trace.end(RunEnd(status="completed"))
    return trace.trace_id


async def test_a_receiver_that_never_answers_changes_nothing_for_a_chat(
    access: DatabaseAccess, person: Person
) -> None:
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    async with OtlpServer() as receiver:
        receiver.silent = True
        async with running_server(access, app, otlp_endpoint=receiver.url, drain_s=0.5) as running:
            session = await open_session(running.client, person)
            for text in ("I live in Lisbon.", "Where do I live?"):
                frames = await say(running.client, person.headers, session, text)
                assert frames[-1]["type"] == "finish"
            assert "Lisbon" in text_of(frames)
            metrics = (await running.client.get("/metrics")).text
            assert 'stead_trace_spans_total{outcome="dropped"}' in metrics
            before = counted("dropped")
            # The server ends all the same, and says what it could not send: two runs of three spans.
            runtime = running.parts.runtime
        assert runtime.active == 0
        assert counted("dropped") == before + 6


async def test_beyond_the_queue_spans_are_dropped_and_counted() -> None:
    async with OtlpServer() as receiver:
        receiver.silent = True
        before = counted("dropped")
        async with tracer_to(receiver, queue=10) as tracer:
            for _ in range(25):
                a_run(tracer)
            assert counted("dropped") == before + 15
        # The ten that waited were given up at the end.
        assert counted("dropped") == before + 25


async def test_spans_go_on_when_the_receiver_comes_back() -> None:
    async with OtlpServer() as receiver:
        receiver.status = 400
        failed, sent = counted("failed"), counted("exported")
        async with tracer_to(receiver) as tracer:
            a_run(tracer)
            await receiver.until(lambda r: len(r.exports) == 1)
            receiver.status = 200
            kept = a_run(tracer)
            await receiver.until(lambda r: len(r.spans) == 1)
        assert receiver.spans[0].trace_id == kept
        assert (counted("failed") - failed, counted("exported") - sent) == (1, 1)


async def test_what_nobody_foresaw_stays_in_the_trace() -> None:
    def broken() -> Any:
        raise KeyError("a model answered in a shape of its own")

    async with OtlpServer() as receiver:
        async with tracer_to(receiver, content=True) as tracer:
            trace = tracer.begin(Origin())
            assert trace is not None
            trace.describe(agent="a", model="openai/m", said="Hi.")
            call = trace.call(ModelCall(model="openai/m", said=broken))
            call.answered(broken)
            trace.end(RunEnd(status="completed", output=broken))
            await receiver.until(lambda r: len(r.spans) == 2)
        assert [s.name for s in receiver.spans] == ["chat m", "invoke_agent a"]
        assert "shape" not in "".join(s.everything for s in receiver.spans)


async def test_what_waits_is_sent_at_the_end() -> None:
    async with OtlpServer() as receiver:
        async with tracer_to(receiver, delay_s=3600.0) as tracer:
            for _ in range(5):
                a_run(tracer)
            await tracer.aclose(10)
        assert len(receiver.spans) == 5


async def test_a_caller_may_keep_a_trace_and_not_hide_one() -> None:
    one = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"
    async with OtlpServer() as receiver:
        async with tracer_to(receiver, ratio=0.0) as tracer:
            assert a_run(tracer) is None
            assert a_run(tracer, traceparent=f"{one}0") is None
            assert a_run(tracer, traceparent=f"{one}1") == "0af7651916cd43dd8448eb211c80319c"
        async with tracer_to(receiver, ratio=1.0) as tracer:
            assert a_run(tracer, traceparent=f"{one}0") == "0af7651916cd43dd8448eb211c80319c"


async def test_credentials_go_to_their_receiver_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-other=of-another-receiver")
    async with OtlpServer() as receiver:
        async with tracer_to(receiver, headers={"authorization": "Basic mine"}) as tracer:
            a_run(tracer)
            await receiver.until(lambda r: len(r.spans) == 1)
        (export,) = receiver.exports
        assert export.headers["authorization"] == "Basic mine"
        assert "x-other" not in export.headers


@pytest_asyncio.fixture(scope="module")
async def office(access: DatabaseAccess) -> AsyncIterator[tuple[Office, OtlpServer]]:
    async with OtlpServer() as receiver, office_of(access, otlp_endpoint=receiver.url) as found:
        yield found, receiver


async def test_a_run_that_goes_on_is_linked_to_the_one_that_waited(
    office: tuple[Office, OtlpServer], person: Person
) -> None:
    place, receiver = office
    session = await open_session(place.client, person)
    place.script(calls(refund()), Reply(text=["Done."]))
    frames = await place.say(person, session, "Refund 25 for A-17.")
    asked = next(f for f in frames if f["type"] == "tool-approval-request")
    async with place.worker():
        await place.vote(person, asked["approvalId"])
        await place.done(person.tenant)
    await place.go_on()
    spans = await receiver.trace_of(session, runs=2)
    first, second = sorted(
        (s for s in spans if s.name.startswith("invoke_agent")), key=lambda s: s.began_ns
    )
    assert first.trace_id != second.trace_id
    assert second.links == [(first.trace_id, first.span_id)]
    assert second.attributes["stead.run.resumes"] == first.attributes["stead.run.id"]
    waits, done = sorted((s for s in spans if s.name == "execute_tool refund"), key=lambda s: s.began_ns)
    assert (waits.trace_id, waits.attributes["stead.tool.outcome"]) == (first.trace_id, "waiting")
    assert (done.trace_id, done.attributes["stead.tool.outcome"]) == (second.trace_id, "succeeded")
    assert {s.attributes["gen_ai.tool.call.id"] for s in (waits, done)} == {"call_1"}


async def test_doctor_looks_at_the_receiver() -> None:
    keys = {"langfuse_public_key": "pk-lf-1", "langfuse_secret_key": "sk-lf-canary"}
    assert (await doctor._traces(load_settings())).verdict == "note"
    assert (await doctor._traces(load_settings(langfuse_secret_key="sk-lf-1"))).verdict == "problem"
    async with OtlpServer() as receiver:
        receiver.status = 401
        refused = await doctor._traces(load_settings(langfuse_host=receiver.url, **keys))
        assert refused.verdict == "problem"
        assert "refuses the credentials" in refused.says
        assert "canary" not in refused.says
        receiver.status = 200
        there = await doctor._traces(load_settings(otlp_endpoint=receiver.url, trace_content=True))
        assert there.verdict == "ok"
        assert there.says == f"{receiver.url}/v1/traces answers; with what was said"
        assert [e.path for e in receiver.exports] == ["/api/public/otel/v1/traces", "/v1/traces"]


async def test_the_probe_tells_receivers_apart() -> None:
    async with OtlpServer() as receiver:
        config = TracesConfig(url=f"{receiver.url}/v1/traces")
        assert "answers" in await probe(config)
        for status, says in ((401, "refuses the credentials"), (404, "answers 404"), (503, "503")):
            receiver.status = status
            with pytest.raises(TracesUnreachable, match=says):
                await probe(config)
    with pytest.raises(TracesUnreachable, match="does not answer"):
        await probe(config)


def test_settings() -> None:
    assert traces_config(load_settings()) is None
    keys = {"langfuse_public_key": "pk-lf-1", "langfuse_secret_key": "sk-lf-secret-1"}
    langfuse = traces_config(load_settings(**keys))
    assert langfuse is not None
    assert langfuse.url == "https://cloud.langfuse.com/api/public/otel/v1/traces"
    assert langfuse.content is True
    assert "sk-lf-secret-1" in langfuse.secrets
    assert "sk-lf" not in repr(langfuse)
    off = traces_config(load_settings(**keys, trace_content=False))
    assert off is not None
    assert off.content is False
    own = traces_config(
        load_settings(**keys, otlp_endpoint="http://collector:4318/", otlp_headers="a=b%20c, d=e")
    )
    assert own is not None
    assert (own.url, own.content) == ("http://collector:4318/v1/traces", False)
    assert own.headers == {"a": "b c", "d": "e"}
    with pytest.raises(SettingsInvalid, match="LANGFUSE_SECRET_KEY"):
        traces_config(load_settings(langfuse_public_key="pk-lf-1"))
    with pytest.raises(SettingsInvalid, match="STEAD_OTLP_HEADERS") as refused:
        traces_config(load_settings(otlp_endpoint="http://collector:4318", otlp_headers="secret value"))
    assert "secret value" not in str(refused.value)
    with pytest.raises(ValueError, match="no header may have"):
        read_headers("a=b%0d%0ax-evil: 1")


def test_nothing_imports_opentelemetry_before_a_tracer_is_opened() -> None:
    """Modules that need it are imported by each other, for types, and in `open_tracer`."""
    needing, imported = set[str](), dict[str, set[str]]()
    for file in (ROOT / "src").rglob("*.py"):
        module = ".".join(file.relative_to(ROOT / "src").with_suffix("").parts)
        found = set[str]()
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                found |= {statement.module, *(f"{statement.module}.{a.name}" for a in statement.names)}
            elif isinstance(statement, ast.Import):
                found |= {alias.name for alias in statement.names}
        imported[module] = found
        if any(name.startswith("opentelemetry") for name in found):
            needing.add(module)
    assert "stead.traces.tracer" in needing
    assert {module for module, names in imported.items() if names & needing} <= needing


async def test_closing_waits_no_longer_than_it_may() -> None:
    async with OtlpServer() as receiver:
        receiver.silent = True
        async with tracer_to(receiver) as tracer:
            a_run(tracer)
            async with asyncio.timeout(20):
                await tracer.aclose(0.1)
