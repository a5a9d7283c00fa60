"""The OpenAI embedder against a server that speaks the wire format over a real socket."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from stead.db.context import in_transaction
from stead.providers.embedders import (
    Embedder,
    EmbedderAnswerInvalid,
    EmbedderConfig,
    EmbedderFailed,
    EmbedderRateLimited,
    EmbedderRefused,
    EmbedderUnreachable,
    build_embedder,
)
from stead.providers.embedders.openai import BATCH_TEXTS, OpenAIEmbedder
from tests.servers.embeddings import EmbeddingServer
from tests.servers.openai import embed
from tests.servers.script import Reply

SOON = 0.001
LIMITED = Reply(status=429, retry_after_s=SOON)
BROKEN = Reply(status=500, retry_after_s=SOON)


def embedder_at(server: EmbeddingServer, name: str = "openai/text-embedding-3-small@8") -> Embedder:
    config = EmbedderConfig(openai_api_key="sk-test", openai_base_url=server.base_url, timeout_s=5.0)
    return build_embedder(name, config)


async def vectors_from(server: EmbeddingServer, texts: list[str], **options: Any) -> list[list[float]]:
    embedder = embedder_at(server, **options)
    try:
        return await embedder.embed(texts)
    finally:
        await embedder.aclose()


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    def shuffled(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"data": body["data"][::-1]}

    async with EmbeddingServer(spoil=shuffled) as server:
        vectors = await vectors_from(server, ["first text", "second", "third one"])
    for vector, text in zip(vectors, ["first text", "second", "third one"], strict=True):
        assert vector == pytest.approx(embed(text, 8), abs=1e-6)


async def test_the_request_is_what_the_documentation_says() -> None:
    async with EmbeddingServer(api_key="sk-test") as server:
        await vectors_from(server, ["hello"])
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/embeddings")
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.body["model"] == "text-embedding-3-small"
    assert request.body["input"] == ["hello"]
    assert request.body["dimensions"] == 8
    assert request.body["encoding_format"] == "base64"


async def test_a_server_that_only_knows_floats_will_do() -> None:
    def as_floats(body: dict[str, Any]) -> dict[str, Any]:
        for one in body["data"]:
            one["embedding"] = [3.0, 4.0]
        return body

    async with EmbeddingServer(spoil=as_floats) as server:
        vectors = await vectors_from(server, ["hello"], name="openai/text-embedding-3-small@2")
    assert vectors == [[pytest.approx(0.6), pytest.approx(0.8)]]


@pytest.mark.parametrize(
    "name", ["openai/text-embedding-3-small", "openai/text-embedding-3-small@1536", "openai/bge-m3@1536"]
)
async def test_only_shortened_vectors_are_asked_for_by_size(name: str) -> None:
    async with EmbeddingServer() as server:
        (vector,) = await vectors_from(server, ["hello"], name=name)
    assert len(vector) == 1536
    assert "dimensions" not in server.requests[0].body


async def test_large_input_is_sent_in_batches() -> None:
    texts = [f"text {i}" for i in range(BATCH_TEXTS * 2 + 5)]
    async with EmbeddingServer() as server:
        vectors = await vectors_from(server, texts)
    assert [len(batch) for batch in server.inputs] == [BATCH_TEXTS, BATCH_TEXTS, 5]
    assert len(vectors) == len(texts)
    assert vectors[-1] == pytest.approx(embed(texts[-1], 8), abs=1e-6)


@pytest.mark.parametrize("text", ["word " * 30_000, "語" * 30_000, "🦄" * 30_000])
async def test_no_request_can_have_more_tokens_than_the_server_takes(text: str) -> None:
    async with EmbeddingServer() as server:
        vectors = await vectors_from(server, [text] * 60)
    assert len(vectors) == 60
    # No token is shorter than a byte.
    assert all(len(one.encode()) <= 8_192 for batch in server.inputs for one in batch)
    assert all(sum(len(one.encode()) for one in batch) <= 300_000 for batch in server.inputs)
    assert all(text.startswith(one) for batch in server.inputs for one in batch)


async def test_blank_texts_are_not_sent_and_get_a_fixed_vector() -> None:
    async with EmbeddingServer() as server:
        empty, hello, space = await vectors_from(server, ["", "hello", " \n"])
        nothing = await vectors_from(server, [])
    assert server.inputs == [["hello"]]
    assert empty == space != hello
    assert math.hypot(*empty) == 1.0
    assert nothing == []


@pytest.mark.parametrize(
    "failure",
    [
        LIMITED,
        BROKEN,
        Reply(status=503, retry_after_s=SOON),
        Reply(status=408, retry_after_s=SOON),
        Reply(drop=True),
        Reply(cut_after=0),
    ],
)
async def test_a_passing_failure_is_tried_again(failure: Reply) -> None:
    async with EmbeddingServer(failure) as server:
        vectors = await vectors_from(server, ["hello"])
    assert len(vectors) == 1
    assert len(server.requests) == 2


async def test_retry_after_is_waited_for() -> None:
    async with EmbeddingServer(Reply(status=429, retry_after_s=0.75)) as server:
        await vectors_from(server, ["hello"])
    first, second = server.requests
    assert second.received_s - first.received_s >= 0.75


@pytest.mark.parametrize(
    ("failure", "error"), [(LIMITED, EmbedderRateLimited), (BROKEN, EmbedderUnreachable)]
)
async def test_it_gives_up_after_five_attempts(failure: Reply, error: type[EmbedderFailed]) -> None:
    async with EmbeddingServer(*[failure] * 9) as server:
        with pytest.raises(error):
            await vectors_from(server, ["hello"])
    assert len(server.requests) == 5


def _in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize("retry_after", [lambda: "3600", _in_an_hour], ids=["seconds", "date"])
async def test_a_long_wait_is_left_to_the_caller(retry_after: Callable[[], str]) -> None:
    reply = Reply(status=429, headers={"retry-after": retry_after()})
    async with EmbeddingServer(reply) as server:
        with pytest.raises(EmbedderRateLimited) as caught:
            await vectors_from(server, ["hello"])
    assert len(server.requests) == 1
    assert caught.value.retry_after_s == pytest.approx(3600, abs=60)


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(status=400, error_message="bad", error_param="dimensions"),
        Reply(status=401),
        Reply(status=404),
        Reply(status=429, error_message="quota", error_code="insufficient_quota"),
    ],
)
async def test_a_refusal_is_final_and_quotes_nothing(refusal: Reply) -> None:
    async with EmbeddingServer(refusal) as server:
        with pytest.raises(EmbedderRefused) as caught:
            await vectors_from(server, ["a private sentence"])
    assert len(server.requests) == 1
    assert caught.value.hint
    assert "sk-test" not in str(caught.value)
    assert "private" not in str(caught.value)


def _drop_one(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"data": body["data"][1:]}


def _drop_all(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"data": []}


def _same_index(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"data": [one | {"index": 0} for one in body["data"]]}


def _wrong_size(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"data": [one | {"embedding": [1.0, 0.0]} for one in body["data"]]}


def _not_a_number(body: dict[str, Any]) -> dict[str, Any]:
    text = base64.b64encode(b"\x00\x00\xc0\x7f" * 8).decode()
    return body | {"data": [one | {"embedding": text} for one in body["data"]]}


def _broken_base64(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"data": [one | {"embedding": "AAA"} for one in body["data"]]}


def _other_body(_: dict[str, Any]) -> Any:
    return {"error": "model is loading"}


def _a_string(_: dict[str, Any]) -> Any:
    return "hello"


@pytest.mark.parametrize(
    "spoil",
    [
        _drop_one,
        _drop_all,
        _same_index,
        _wrong_size,
        _not_a_number,
        _broken_base64,
        _other_body,
        _a_string,
    ],
)
async def test_an_answer_of_another_form_is_an_error(spoil: Callable[[dict[str, Any]], Any]) -> None:
    async with EmbeddingServer(spoil=spoil) as server:
        with pytest.raises(EmbedderAnswerInvalid, match=r"127\.0\.0\.1"):
            await vectors_from(server, ["one", "two"])
    assert len(server.requests) == 1


async def test_pauses_grow_when_the_server_asks_for_none() -> None:
    pauses_s: list[float] = []

    async def note(pause_s: float) -> None:
        pauses_s.append(pause_s)

    async with EmbeddingServer(*[Reply(hang=True)] * 5) as server:
        embedder = OpenAIEmbedder(
            model="m",
            dimensions=8,
            shorten=True,
            api_key="sk-test",
            base_url=server.base_url,
            timeout_s=0.05,
            sleep=note,
        )
        with pytest.raises(EmbedderUnreachable, match="in time"):
            await embedder.embed(["hello"])
        await embedder.aclose()
    assert len(server.requests) == 5
    assert all(most / 2 <= s <= most for s, most in zip(pauses_s, (0.5, 1.0, 2.0, 4.0), strict=True))


async def test_it_refuses_to_be_called_inside_a_transaction() -> None:
    async with EmbeddingServer() as server:
        token = in_transaction.set(True)
        try:
            with pytest.raises(RuntimeError, match="transaction"):
                await vectors_from(server, ["hello"])
        finally:
            in_transaction.reset(token)
    assert server.requests == []
