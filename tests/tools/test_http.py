"""http tools against a server that fails: what is sent, and what each answer or silence means."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from stead.tools import (
    AddressRefused,
    ConfiguredSecrets,
    Guard,
    HttpTools,
    Toolbox,
    ToolInvalid,
    ToolOutcome,
    ToolSecret,
)
from stead.tools.http import retry_after_s
from tests.servers.faulty import Heard, answering, faulty_server
from tests.tools.calls import call_of, tool

SECRET = "CANARY-live-key-0123456789"
SECRETS = ConfiguredSecrets(
    {
        "shop": ToolSecret(value=SECRET, hosts=frozenset({"127.0.0.1"})),
        "other-host": ToolSecret(value=SECRET, hosts=frozenset({"api.example.com"})),
        "other-tenant": ToolSecret(
            value=SECRET, hosts=frozenset({"127.0.0.1"}), tenants=frozenset({"globex"})
        ),
    }
)


@asynccontextmanager
async def _box(**options: Any) -> AsyncIterator[Toolbox]:
    box = Toolbox([HttpTools(Guard(allowed=frozenset({"127.0.0.1"})), SECRETS, **options)])
    try:
        yield box
    finally:
        await box.aclose()


@pytest_asyncio.fixture
async def box() -> AsyncIterator[Toolbox]:
    async with _box() as made:
        yield made


async def _run(
    box: Toolbox,
    url: str,
    arguments: dict[str, Any] | None = None,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> ToolOutcome:
    config = {"method": method, "url": url, "headers": headers or {}}
    return await box.execute(call_of(tool(config=config, timeout_s=0.5, **fields), arguments))


async def test_what_is_sent(box: Toolbox) -> None:
    async with faulty_server(
        answer=answering("201 Created", b'{"id": 7}', "x-request-id: req-9")
    ) as server:
        outcome = await _run(
            box,
            f"{server.url}/orders/{{order}}/refund?for={{reason}}",
            {"order": "A/1 ?#&", "reason": "späť", "amount": 2.5},
            headers={"Authorization": "Bearer {secret:shop}"},
        )
    (heard,) = server.heard
    assert heard.line == "POST /orders/A%2F1%20%3F%23%26/refund?for=sp%C3%A4%C5%A5 HTTP/1.1"
    assert json.loads(heard.body) == {"amount": 2.5}
    assert heard.headers["authorization"] == f"Bearer {SECRET}"
    assert heard.headers["idempotency-key"] == "key-1"
    assert heard.headers["x-request-id"].endswith("-1")
    assert heard.headers["accept-encoding"] == "identity"
    assert heard.headers["host"] == f"127.0.0.1:{server.port}"
    assert outcome == ToolOutcome(kind="succeeded", result={"id": 7}, provider_id="req-9")


async def test_arguments_of_a_reading_are_its_query(box: Toolbox) -> None:
    async with faulty_server() as server:
        given = {"q": "a b&c=d", "tags": ["x", "y"], "deep": None, "open": True}
        assert (await _run(box, f"{server.url}/find?v=1", given, method="GET")).kind == "succeeded"
    assert server.heard[0].line == "GET /find?v=1&q=a+b%26c%3Dd&tags=x&tags=y&open=true HTTP/1.1"
    assert server.heard[0].body == b""


@pytest.mark.parametrize("value", ["..", ".", "", None, {"a": 1}, ["x"]])
async def test_an_argument_stays_in_its_place(box: Toolbox, value: Any) -> None:
    async with faulty_server() as server:
        outcome = await _run(box, f"{server.url}/orders/{{id}}/x", {"id": value}, method="DELETE")
    assert (outcome.kind, outcome.code, server.connections) == ("permanent", "arguments_invalid", 0)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code", "after_s"),
    [
        ("400 Bad Request", (), "permanent", "http_400", None),
        ("401 Unauthorized", (), "permanent", "http_401", None),
        ("404 Not Found", (), "permanent", "http_404", None),
        ("408 Request Timeout", (), "retryable", "http_408", None),
        ("409 Conflict", (), "permanent", "http_409", None),
        ("429 Too Many Requests", (), "retryable", "rate_limited", None),
        ("429 Too Many Requests", ("retry-after: 7",), "retryable", "rate_limited", 7.0),
        ("500 Internal Server Error", (), "unknown", "http_500", None),
        ("502 Bad Gateway", (), "unknown", "http_502", None),
        ("503 Service Unavailable", (), "unknown", "http_503", None),
        ("503 Service Unavailable", ("retry-after: 3",), "retryable", "http_503", 3.0),
        ("302 Found", ("location: http://127.0.0.1:1/",), "unknown", "http_302", None),
        ("307 Temporary Redirect", ("location: http://127.0.0.1:1/",), "permanent", "http_307", None),
    ],
)
async def test_what_a_status_means(
    box: Toolbox, status: str, headers: tuple[str, ...], kind: str, code: str, after_s: float | None
) -> None:
    async with faulty_server(answer=answering(status, b"CANARY", *headers)) as server:
        outcome = await _run(box, server.url)
    assert (outcome.kind, outcome.code, outcome.retry_after_s) == (kind, code, after_s)
    assert "CANARY" not in str(outcome)
    assert len(server.heard) == 1


@pytest.mark.parametrize("behaviour", ["black_hole", "reset", "reset_mid_body", "drip", "closed"])
async def test_what_silence_means(box: Toolbox, behaviour: str) -> None:
    async with faulty_server(behaviour) as server:
        said = f"{server.url}/card/CANARY"
        outcome = await _run(box, said)
        assert outcome.kind == "unknown"
        assert outcome.code == ("timeout" if behaviour in {"black_hole", "drip"} else "connection_lost")
        # What may be repeated, by its own word or by what it is.
        assert (await _run(box, said, idempotent=True)).kind == "retryable"
        assert (await _run(box, said, method="GET")).kind == "retryable"
        assert "CANARY" not in str(outcome)
    # Nobody tried again by itself.
    assert server.connections == 3


async def test_what_was_never_sent_may_be_sent_again(box: Toolbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = await _run(box, f"http://127.0.0.1:{port}/")
    assert (outcome.kind, outcome.code) == ("retryable", "not_connected")


async def test_a_name_without_an_address() -> None:
    async def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "CANARY")

    box = Toolbox([HttpTools(Guard(resolver=nothing), SECRETS)])
    outcome = await _run(box, "https://api.example.com/")
    assert (outcome.kind, outcome.code) == ("retryable", "address_unknown")
    assert "CANARY" not in str(outcome)
    await box.aclose()


async def test_a_storm_of_429(box: Toolbox) -> None:
    async with faulty_server(answer=answering("429 Too Many Requests", b"", "retry-after: 2")) as server:
        found = [await _run(box, server.url) for _ in range(50)]
    assert {(outcome.kind, outcome.retry_after_s) for outcome in found} == {("retryable", 2.0)}
    assert len(server.heard) == 50


def _echo(heard: Heard) -> bytes:
    told = {"you sent": heard.headers, heard.headers["authorization"]: [heard.headers["authorization"]]}
    return answering("200 OK", json.dumps(told).encode(), f"x-request-id: {SECRET}")


async def test_a_secret_does_not_come_back(box: Toolbox) -> None:
    headers = {"authorization": "Bearer {secret:shop}"}
    async with faulty_server(answer=_echo) as server:
        outcome = await _run(box, server.url, headers=headers)
        assert outcome.kind == "succeeded"
        assert outcome.result["you sent"]["authorization"] == "Bearer [secret]"
        assert SECRET in server.heard[0].headers["authorization"]
    assert SECRET not in str(outcome)
    text = f"hello {SECRET} you".encode()
    async with faulty_server(answer=answering("200 OK", text)) as server:
        outcome = await _run(box, server.url, headers=headers)
    assert outcome.result == {"text": "hello [secret] you"}
    # Cut in the middle of it.
    async with _box(max_bytes=5_000) as small:
        body = b" " * 4_990 + SECRET.encode()
        async with faulty_server(answer=answering("200 OK", body)) as server:
            outcome = await _run(small, server.url, headers=headers)
    assert outcome.result["truncated"] is True
    assert "CANARY" not in str(outcome)


@pytest.mark.parametrize("name", ["other-host", "other-tenant", "none"])
async def test_a_secret_goes_only_where_it_is_for(box: Toolbox, name: str) -> None:
    async with faulty_server() as server:
        outcome = await _run(box, server.url, headers={"authorization": f"Bearer {{secret:{name}}}"})
    assert (outcome.kind, outcome.code, server.connections) == ("permanent", "secret_missing", 0)
    assert SECRET not in str(outcome)


async def test_no_cookie_goes_from_one_call_to_the_next(box: Toolbox) -> None:
    answer = answering("200 OK", b"{}", "set-cookie: session=CANARY; path=/")
    async with faulty_server(answer=answer) as server:
        await _run(box, server.url)
        await _run(box, server.url)
    assert "cookie" not in server.heard[1].headers


async def test_a_large_answer_is_cut_and_a_success() -> None:
    answer = answering("200 OK", b"x" * 500_000)
    async with _box(max_bytes=10_000) as box, faulty_server(answer=answer) as server:
        outcome = await _run(box, server.url)
    assert outcome.kind == "succeeded"
    assert outcome.result == {"truncated": True, "text": "x" * (10_000 - 4_096)}


@pytest.mark.parametrize(
    ("body", "headers", "result"),
    [
        (b"", (), None),
        (b"\xff\xfe", (), {"omitted": True, "because": "binary", "bytes": 2}),
        (
            b"\x1f\x8b",
            ("content-encoding: gzip",),
            {"omitted": True, "because": "compressed", "bytes": 2},
        ),
        (b"[" * 100_000, (), {"text": "[" * 100_000}),
        (b'{"a": "\\u0000"}', (), {"a": "\ufffd"}),
        (b'{"n": NaN}', (), {"n": None}),
    ],
    ids=["nothing", "binary", "gzip", "nested", "nul", "nan"],
)
async def test_what_an_answer_holds(
    box: Toolbox, body: bytes, headers: tuple[str, ...], result: Any
) -> None:
    async with faulty_server(answer=answering("200 OK", body, *headers)) as server:
        outcome = await _run(box, server.url)
    assert (outcome.kind, outcome.result) == ("succeeded", result)


@pytest.mark.parametrize(
    "config",
    [
        {"url": "https://{host}/x"},
        {"url": "https://api.example.com/{a-b}"},
        {"url": "https://api.example.com/#x"},
        {"url": "https://api.example.com/", "headers": {"Host": "internal"}},
        {"url": "https://api.example.com/", "headers": {"Transfer-Encoding": "chunked"}},
        {"url": "https://api.example.com/", "headers": {"Idempotency-Key": "1"}},
        {"url": "https://api.example.com/", "headers": {"x": "a\r\nb: c"}},
        {"url": "https://api.example.com/", "headers": {"x": "{argument}"}},
        {"url": "https://api.example.com/", "headers": {"x y": "z"}},
        {"url": "https://api.example.com/", "method": "CONNECT"},
        {"url": "https://api.example.com/", "more": 1},
        {},
    ],
)
def test_what_is_no_configuration(config: dict[str, Any]) -> None:
    with pytest.raises((ToolInvalid, AddressRefused)):
        HttpTools(Guard(), SECRETS).check(config)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("99999999", 86_400.0),
        ("-1", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("9" * 40, None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value) == seconds
