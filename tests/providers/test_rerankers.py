"""Rerankers: over HTTP against a server that speaks the vendors' form, and fastembed with weights at hand."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from stead.db.context import in_transaction
from stead.providers.rerankers import (
    Reranker,
    RerankerAnswerInvalid,
    RerankerConfig,
    RerankerFailed,
    RerankerNotConfigured,
    RerankerRateLimited,
    RerankerRefused,
    RerankerUnknown,
    RerankerUnreachable,
    build_reranker,
)
from stead.providers.rerankers.http import ANSWER_BYTES, BATCH_TEXTS, QUESTION_BYTES, TEXT_BYTES
from tests.servers.rerank import RerankServer, relevance
from tests.servers.script import Reply
from tests.support.cross_encoder import MODEL, put_weights

SOON = 0.001
QUESTION = "where does Anna live"
TEXTS = ["Anna likes tea", "the weather", "does Anna live where Bob does", "Anna does live in Rome"]


@asynccontextmanager
async def reranker(server: RerankServer, **config: Any) -> AsyncIterator[Reranker]:
    built = build_reranker(
        "http/rerank-v3.5", RerankerConfig(url=server.base_url, api_key="rk-test", **config)
    )
    try:
        yield built
    finally:
        await built.aclose()


async def scores_from(
    server: RerankServer, texts: list[str], question: str = QUESTION, **config: Any
) -> list[float]:
    async with reranker(server, **config) as built:
        return await built.score(question, texts)


# Names


@pytest.mark.parametrize("name", ["", "http", "http/", "Http/x", "fastembed/", "cohere/rerank-v3.5"])
def test_an_unknown_name_is_told_what_is_allowed(name: str) -> None:
    with pytest.raises(RerankerUnknown) as caught:
        build_reranker(name, RerankerConfig(url="http://127.0.0.1:9"))
    assert all(kind in caught.value.hint for kind in ("http/<model>", "fastembed/<model>"))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "api.cohere.com/v2",
        "ftp://example.com",
        "https://",
        "http://x:no/v1",
        "http://[::1/v1",
        "https://example.com/v1?key=secret-9",
        "https://user:secret-9@example.com/v1",
    ],
)
def test_http_needs_an_address_that_can_be_asked(url: str | None) -> None:
    with pytest.raises(RerankerNotConfigured) as caught:
        build_reranker("http/m", RerankerConfig(url=url))
    assert "STEAD_RERANKER_URL" in caught.value.hint
    assert "secret-9" not in str(caught.value)


async def test_the_address_may_have_the_endpoint_in_it_or_not() -> None:
    async with RerankServer() as server:
        for url in (server.base_url, server.base_url + "/", server.base_url + "/rerank"):
            built = build_reranker("http/m", RerankerConfig(url=url))
            assert len(await built.score(QUESTION, ["Anna"])) == 1
            await built.aclose()
    assert [request.path for request in server.requests] == ["/v2/rerank"] * 3


def test_the_key_is_not_shown() -> None:
    assert "rk-test" not in repr(RerankerConfig(api_key="rk-test"))


# Over HTTP


async def test_scores_come_in_the_order_of_the_texts() -> None:
    async with RerankServer(api_key="rk-test") as server:
        scores = await scores_from(server, TEXTS)
    assert scores == [relevance(QUESTION, text) for text in TEXTS]
    assert len(set(scores)) > 2, "the server's order is not that of the texts"
    assert server.requests[0].body == {
        "model": "rerank-v3.5",
        "query": QUESTION,
        "documents": TEXTS,
        "top_n": 4,
    }


async def test_without_a_key_none_is_sent() -> None:
    async with RerankServer() as server:
        built = build_reranker("http/vendor/model", RerankerConfig(url=server.base_url))
        await built.score(QUESTION, ["Anna"])
        await built.aclose()
    assert built.model_id == "http/vendor/model"
    assert "authorization" not in server.requests[0].headers
    assert server.requests[0].body["model"] == "vendor/model"


async def test_blank_texts_and_questions_are_not_sent() -> None:
    async with RerankServer() as server:
        assert await scores_from(server, ["", "Anna", " \n"]) == [0.0, 0.25, 0.0]
        assert await scores_from(server, []) == []
        assert await scores_from(server, ["", " "]) == [0.0, 0.0]
        assert await scores_from(server, ["Anna"], question=" ") == [0.0]
    assert [request.body["documents"] for request in server.requests] == [["Anna"]]


async def test_a_blank_text_is_never_better_than_one_that_was_read() -> None:
    def as_logits(body: dict[str, Any]) -> Any:
        return {"results": [one | {"relevance_score": -7.5} for one in body["results"]]}

    async with RerankServer(spoil=as_logits) as server:
        assert await scores_from(server, ["Anna", ""]) == [-7.5, -7.5]


async def test_many_texts_go_in_batches_and_long_ones_lose_their_end() -> None:
    texts = [f"Anna {number}" for number in range(BATCH_TEXTS * 2 + 1)]
    texts[0] = "語" * 30_000
    async with RerankServer() as server:
        scores = await scores_from(server, texts, question="Anna " * 30_000)
    sent = [request.body for request in server.requests]
    assert [len(body["documents"]) for body in sent] == [BATCH_TEXTS, BATCH_TEXTS, 1]
    assert [body["top_n"] for body in sent] == [BATCH_TEXTS, BATCH_TEXTS, 1]
    assert all(len(text.encode()) <= TEXT_BYTES for body in sent for text in body["documents"])
    assert len(sent[0]["query"].encode()) <= QUESTION_BYTES
    assert texts[0].startswith(sent[0]["documents"][0])
    assert scores == [0.0] + [1.0] * (2 * BATCH_TEXTS)


async def test_half_a_surrogate_pair_does_no_harm() -> None:
    async with RerankServer() as server:
        assert await scores_from(server, ["Anna \ud800 lives"]) == [0.25]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_a_pause_is_asked_again(status: int) -> None:
    async with RerankServer(Reply(status=status, headers={"retry-after": "0.001"})) as server:
        assert await scores_from(server, ["Anna"]) == [0.25]
    assert len(server.requests) == 2


async def test_retry_after_is_waited_for() -> None:
    async with RerankServer(Reply(status=429, headers={"retry-after": "0.4"})) as server:
        await scores_from(server, ["Anna"])
    first, second = server.requests
    assert second.received_s - first.received_s >= 0.4


async def test_it_gives_up_after_three_attempts() -> None:
    busy = Reply(status=429, headers={"retry-after": "0.001"})
    async with RerankServer(*[busy] * 9) as server:
        with pytest.raises(RerankerRateLimited) as caught:
            await scores_from(server, ["Anna"])
    assert len(server.requests) == 3
    assert caught.value.retry_after_s == 0.001


def _in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize("retry_after", [lambda: "3600", _in_an_hour], ids=["seconds", "date"])
async def test_a_long_wait_is_left_to_the_caller(retry_after: Callable[[], str]) -> None:
    async with RerankServer(Reply(status=429, headers={"retry-after": retry_after()})) as server:
        with pytest.raises(RerankerRateLimited) as caught:
            await scores_from(server, ["Anna"])
    assert len(server.requests) == 1
    assert caught.value.retry_after_s == pytest.approx(3600, abs=60)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Reply(status=429), RerankerRateLimited),
        (Reply(status=429, headers={"retry-after": "soon"}), RerankerRateLimited),
        (Reply(status=429, headers={"retry-after": "inf"}), RerankerRateLimited),
        (Reply(status=503), RerankerUnreachable),
        (Reply(status=500, headers={"retry-after": "0"}), RerankerUnreachable),
        (Reply(status=504), RerankerUnreachable),
        (Reply(status=408), RerankerUnreachable),
        (Reply(status=400, error_message="what Anna said"), RerankerRefused),
        (Reply(status=401), RerankerRefused),
        (Reply(status=403), RerankerRefused),
        (Reply(status=404), RerankerRefused),
        (Reply(status=307, headers={"location": "/elsewhere"}), RerankerRefused),
        (Reply(status=204), RerankerRefused),
        (Reply(drop=True), RerankerUnreachable),
        (Reply(drop=True, reset=True), RerankerUnreachable),
        (Reply(cut_after=0), RerankerUnreachable),
    ],
)
async def test_other_failures_are_final_and_quote_nothing(
    failure: Reply, error: type[RerankerFailed]
) -> None:
    async with RerankServer(failure) as server:
        with pytest.raises(RerankerFailed) as caught:
            await scores_from(server, ["a private sentence of Anna"])
    assert type(caught.value) is error
    assert len(server.requests) == 1
    assert caught.value.hint
    assert not any(word in str(caught.value) for word in ("rk-test", "private", "Anna"))


async def test_nobody_at_the_address_is_unreachable() -> None:
    async with RerankServer() as server:
        gone = server.base_url
    built = build_reranker("http/m", RerankerConfig(url=gone))
    with pytest.raises(RerankerUnreachable, match=r"127\.0\.0\.1 cannot be reached"):
        await built.score(QUESTION, ["Anna"])
    await built.aclose()


async def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    async with RerankServer(Reply(hang=True)) as server:
        with pytest.raises(RerankerUnreachable, match="in time"):
            await scores_from(server, ["Anna"], timeout_s=0.05)
    assert len(server.requests) == 1


@pytest.mark.timeout(20)
async def test_neither_is_one_that_sends_a_byte_now_and_then() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        built = build_reranker("http/m", RerankerConfig(url=f"http://127.0.0.1:{port}", timeout_s=0.2))
        with pytest.raises(RerankerUnreachable, match="in time"):
            await built.score(QUESTION, ["Anna"])
        await built.aclose()


def _without_one(body: dict[str, Any]) -> Any:
    return {"results": body["results"][1:]}


def _indices(*given: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {
        "results": [one | {"index": at} for one, at in zip(body["results"], given, strict=True)]
    }


def _scored(score: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {"results": [one | {"relevance_score": score} for one in body["results"]]}


def _huge(_: dict[str, Any]) -> Any:
    return {"results": "x" * (ANSWER_BYTES + 1)}


def _nested(_: dict[str, Any]) -> Any:
    found: Any = []
    for _level in range(400):
        found = [found]
    return {"results": found}


@pytest.mark.parametrize(
    "spoil",
    [
        _without_one,
        _indices(0, 0),
        _indices(0, 2),
        _indices(0, -1),
        _indices(0, 1.0),
        _indices(False, True),
        _indices("0", "1"),
        _scored(None),
        _scored("0.5"),
        _scored(True),
        _scored(math.nan),
        _scored(math.inf),
        _huge,
        _nested,
        lambda body: body["results"],
        lambda _: {"results": [1, 2]},
        lambda _: {"results": {"0": 1}},
        lambda _: {"error": "the model is loading"},
        lambda _: "hello",
    ],
)
async def test_an_answer_of_another_form_is_an_error(spoil: Callable[[dict[str, Any]], Any]) -> None:
    async with RerankServer(spoil=spoil) as server:
        with pytest.raises(RerankerAnswerInvalid, match=r"127\.0\.0\.1"):
            await scores_from(server, ["Anna", "Bob"])
    assert len(server.requests) == 1


async def test_a_number_too_large_for_a_float_is_an_error() -> None:
    async with RerankServer(spoil=_scored(10**400)) as server:
        with pytest.raises(RerankerAnswerInvalid):
            await scores_from(server, ["Anna"])


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n{\xff}}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-encoding: gzip\r\n\r\nnone",
    ],
    ids=["not JSON", "not gzip"],
)
async def test_an_answer_that_cannot_be_read_is_an_error(head: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        built = build_reranker("http/m", RerankerConfig(url=f"http://127.0.0.1:{port}"))
        with pytest.raises(RerankerAnswerInvalid):
            await built.score(QUESTION, ["Anna"])
        await built.aclose()


async def test_it_refuses_to_be_called_inside_a_transaction() -> None:
    async with RerankServer() as server:
        token = in_transaction.set(True)
        try:
            with pytest.raises(RuntimeError, match="transaction"):
                await scores_from(server, ["Anna"])
        finally:
            in_transaction.reset(token)
    assert server.requests == []


# On this machine. The library, its tokenizer and onnxruntime are the real ones; only the weights are tiny.


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fastembed", "fastembed.rerank", "fastembed.rerank.cross_encoder"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RerankerNotConfigured) as caught:
        build_reranker(f"fastembed/{MODEL}", RerankerConfig())
    assert "stead[fastembed]" in caught.value.hint


def test_fastembed_lists_its_rerankers() -> None:
    with pytest.raises(RerankerUnknown) as caught:
        build_reranker("fastembed/BAAI/bge-small-en-v1.5", RerankerConfig())
    assert MODEL in caught.value.hint


async def test_fastembed_without_weights_says_so_and_finds_them_later(cache: Path) -> None:
    built = build_reranker(f"fastembed/{MODEL}", RerankerConfig())
    assert built.model_id == f"fastembed/{MODEL}"
    assert await built.score(QUESTION, ["", " "]) == [0.0, 0.0], "nothing to look at needs no weights"
    with pytest.raises(RerankerUnreachable) as caught:
        await built.score(QUESTION, ["Anna"])
    assert MODEL in caught.value.detail
    assert "FASTEMBED_CACHE_PATH" in caught.value.hint
    put_weights(cache, {"anna": 2.0})
    assert len(await built.score(QUESTION, ["Anna"])) == 1
    await built.aclose()


async def test_fastembed_scores_in_the_order_of_the_texts(cache: Path) -> None:
    put_weights(cache, {"good": 2.0, "bad": -3.0})
    built = build_reranker(f"fastembed/{MODEL}", RerankerConfig())
    texts = ["bad " * 5_000, "good", "", "good bad", "neither", *["good " * 9] * 40]
    scores = await built.score("what is it", texts)
    await built.aclose()
    assert scores[1] == pytest.approx(1 / (1 + math.exp(-2.0)))
    assert scores[3] == pytest.approx(1 / (1 + math.exp(1.0)))
    assert scores[4] == pytest.approx(0.5)
    assert scores[2] == 0.0 <= scores[0] < 1e-30
    assert len(set(scores[5:])) == 1
    assert scores[5] > 0.999


async def test_fastembed_may_be_asked_several_times_at_once(cache: Path) -> None:
    put_weights(cache, {"good": 2.0, "bad": -3.0})
    built = build_reranker(f"fastembed/{MODEL}", RerankerConfig())
    found = await asyncio.gather(*(built.score("q", ["good", "bad"]) for _ in range(8)))
    await built.aclose()
    assert all(scores == found[0] for scores in found)
    assert found[0][0] > 0.5 > found[0][1]


async def test_broken_weights_are_an_error_with_a_way_out(cache: Path) -> None:
    put_weights(cache, {}).write_bytes(json.dumps({"not": "a model"}).encode())
    built = build_reranker(f"fastembed/{MODEL}", RerankerConfig())
    with pytest.raises(RerankerFailed, match="cannot be read") as caught:
        await built.score(QUESTION, ["Anna"])
    assert "FASTEMBED_CACHE_PATH" in caught.value.hint
    assert isinstance(caught.value, RerankerFailed)


async def test_fastembed_keeps_out_of_transactions() -> None:
    built = build_reranker(f"fastembed/{MODEL}", RerankerConfig())
    token = in_transaction.set(True)
    try:
        with pytest.raises(RuntimeError, match="transaction"):
            await built.score(QUESTION, ["Anna"])
    finally:
        in_transaction.reset(token)
