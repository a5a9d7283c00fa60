"""Streams decoded here say what they say when the official client decodes them, from the same bytes."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai._streaming import SSEDecoder
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

from stead.providers.models.openai import StreamingClient
from stead.providers.models.openai.ahead import LIMIT_BYTES, ReadAhead
from stead.providers.models.openai.decoding import Decoder, Lines
from stead.providers.models.openai.events import typed
from stead.providers.models.openai.pace import Pace
from tests.servers.openai import OpenAIServer
from tests.servers.raw import Ending, raw_server
from tests.servers.script import Reply, ToolCall, Usage

Json = dict[str, Any]
PLACES = ("item_id", "output_index", "content_index", "summary_index")


def sse(*events: Json, end: str = "\n") -> bytes:
    return b"".join(
        f"event: {e.get('type')}{end}data: {json.dumps(e, ensure_ascii=False)}{end}{end}".encode()
        for e in events
    )


def delta(kind: str, text: Any, number: int = 0, at: int = 0, **more: Any) -> Json:
    place: Json = {"item_id": f"i{at}", "output_index": at}
    if kind == "output_text":
        place |= {"content_index": 0, "logprobs": []}
    elif kind in {"refusal", "reasoning_text"}:
        place |= {"content_index": 0}
    elif kind == "reasoning_summary_text":
        place |= {"summary_index": 0}
    return {"type": f"response.{kind}.delta", "sequence_number": number, **place, "delta": text, **more}


def chunk(d: Json, **more: Any) -> Json:
    choice = {"index": 0, "delta": d, "logprobs": None, "finish_reason": None}
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice | more.pop("choice", {})],
        **more,
    }


def call(index: int, arguments: str, **more: Any) -> Json:
    return chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}, **more}]})


def folded(events: Sequence[Any]) -> list[tuple[type, Any]]:
    """Types and contents, deltas that follow each other in one place put together: whoever decoded them."""
    found: list[tuple[type, Any]] = []
    for event in events:
        said = event.model_dump(warnings=False) if hasattr(event, "model_dump") else event
        if isinstance(said, dict) and isinstance(said.get("delta"), str):
            said = {k: v for k, v in said.items() if k not in {"sequence_number", "obfuscation"}}
            before = found[-1][1] if found else None
            same = isinstance(before, dict) and {**before, "delta": ""} == {**said, "delta": ""}
            if same and not said.get("logprobs"):
                before["delta"] += said["delta"]
                continue
        if isinstance(event, ChatCompletionChunk):
            said = _joined_chunk(found, said)
            if said is None:
                continue
        found.append((type(event), said))
    return found


def _joined_chunk(found: list[tuple[type, Any]], said: Json) -> Json | None:
    """None when a chunk went into the one before it: nothing but more of the same text."""
    said = {k: v for k, v in said.items() if k not in {"created", "obfuscation"}}
    before = found[-1][1] if found else {"choices": None}
    if not before["choices"] or not said["choices"] or len(before["choices"] + said["choices"]) != 2:
        return said
    one, other = before["choices"][0], said["choices"][0]
    blank = lambda c: {**c, "delta": None}  # noqa: E731
    if {**before, "choices": [blank(one)]} != {**said, "choices": [blank(other)]} or one[
        "finish_reason"
    ]:
        return said
    first, second = one["delta"], other["delta"]
    for name in ("content", "reasoning_content"):
        texts = [first.get(name), second.get(name)]
        if all(isinstance(t, str) and t for t in texts) and {**first, name: ""} == {**second, name: ""}:
            first[name] += second[name]
            return None
    calls, more = first.get("tool_calls") or [], second.get("tool_calls") or []
    if len(calls) == len(more) == 1 and calls[0]["id"] is None and not first.get("content"):
        function, rest = calls[0]["function"], more[0]["function"]
        if {**calls[0], "function": {**function, "arguments": ""}} == {
            **more[0],
            "function": {**rest, "arguments": ""},
        }:
            function["arguments"] += rest["arguments"]
            return None
    return said


async def read(client: AsyncOpenAI, api: str) -> tuple[list[Any], str | None]:
    """The events of a stream, and with what it failed."""
    events: list[Any] = []
    try:
        if api == "responses":
            stream: Any = await client.responses.create(model="m", input="hi", stream=True)
        else:
            stream = await client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        async for event in stream:
            events.append(event)  # noqa: PERF401 - what came before a failure counts
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to be the same
        return events, f"{type(error).__name__}: {error}"
    return events, None


async def both(
    base_url: str, api: str
) -> tuple[tuple[list[Any], str | None], tuple[list[Any], str | None]]:
    """A stream as the library decodes it, and as it is decoded here."""
    results = []
    for kind in (AsyncOpenAI, StreamingClient):
        client = kind(api_key="k", base_url=base_url, max_retries=0, timeout=10)
        results.append(await read(client, api))
        await client.close()
    return results[0], results[1]


async def assert_alike(api: str, *pieces: bytes, ending: Ending = "end") -> list[Any]:
    async with raw_server(pieces, ending) as server:
        (theirs, their_failure), (ours, our_failure) = await both(server.base_url, api)
    assert our_failure == their_failure
    assert folded(ours) == folded(theirs)
    return ours


TEXT = [delta("output_text", word, n) for n, word in enumerate(["Hel", "lo ", "wörld ", "🙂"])]
DONE = b"data: [DONE]\n\n"

RESPONSES: dict[str, list[Json]] = {
    "text": TEXT,
    "padding": [{**d, "obfuscation": "x" * n} for n, d in enumerate(TEXT)],
    "reasoning, then text": [
        delta("reasoning_summary_text", "Let "),
        delta("reasoning_summary_text", "me see."),
        delta("reasoning_text", "a", 2),
        delta("reasoning_text", "b", 3),
        *TEXT,
    ],
    "refusal": [delta("refusal", "I "), delta("refusal", "won't.")],
    "calls in turns": [
        delta("function_call_arguments", '{"a', at=0),
        delta("function_call_arguments", '":1', at=0),
        delta("function_call_arguments", '{"b', at=1),
        delta("function_call_arguments", "}", at=0),
        delta("function_call_arguments", '":2}', at=1),
    ],
    "probabilities": [
        delta("output_text", t, logprobs=[{"token": t, "logprob": -0.5, "top_logprobs": []}])
        for t in "ab"
    ],
    "something after each": [
        TEXT[0],
        {
            "type": "response.output_text.done",
            "sequence_number": 9,
            "item_id": "i0",
            "output_index": 0,
            "content_index": 0,
            "text": "Hel",
            "logprobs": [],
        },
        TEXT[1],
    ],
    "an unknown type": [TEXT[0], {"type": "response.sang", "delta": "la", "item_id": "i0"}, TEXT[1]],
    "members of another kind": [
        delta("output_text", 7),
        delta("output_text", "x", at=0) | {"item_id": None},
        delta("output_text", None),
        {"type": 3, "delta": "x"},
        {"no": "type"},
    ],
    "halves of a pair": [delta("output_text", "\ud83d"), delta("output_text", "\ude42")],
    "an error within": [
        TEXT[0],
        {"error": {"message": "no more", "code": "x"}, "type": "error"},
        TEXT[1],
    ],
    "an error event": [
        TEXT[0],
        {"type": "error", "code": "server_error", "message": "no", "param": None, "sequence_number": 3},
    ],
}

CHUNKS: dict[str, list[Json]] = {
    "text": [chunk({"role": "assistant", "content": ""}), *(chunk({"content": c}) for c in "abc🙂")],
    "a role in each": [chunk({"role": "assistant", "content": c}) for c in "abc"],
    "reasoning, then text": [
        *(chunk({"reasoning_content": c}) for c in "why"),
        *(chunk({"content": c}) for c in "so"),
    ],
    "both at once": [chunk({"reasoning_content": c, "content": c}) for c in "ab"],
    "refusal": [chunk({"refusal": c}) for c in "no"],
    "calls in turns": [
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}),
        call(0, "{"),
        call(0, '"x":1'),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}}]}),
        call(1, "1"),
        call(0, "}"),
        call(0, "", id="late"),
        call(1, "2"),
        call(1, "}"),
    ],
    "two choices": [
        chunk({"content": c}, choice={"index": i}) for c, i in (("a", 0), ("b", 1), ("c", 1), ("d", 0))
    ],
    "an end, then more": [
        chunk({"content": "a"}),
        chunk({"content": "b"}, choice={"finish_reason": "stop"}),
        chunk({"content": "c"}),
    ],
    "usage in each": [
        chunk({"content": c}, usage={"prompt_tokens": 1, "completion_tokens": n, "total_tokens": n + 1})
        for n, c in enumerate("ab")
    ],
    "usage last": [
        chunk({"content": "a"}),
        {
            **chunk({}),
            "choices": [],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        },
    ],
    "probabilities": [
        chunk(
            {"content": c},
            choice={"logprobs": {"content": [{"token": c, "logprob": -1, "top_logprobs": []}]}},
        )
        for c in "ab"
    ],
    "members of another kind": [
        chunk({"content": 5}),
        chunk({"content": "x"}, created="now"),
        chunk({"content": "y"}, choice={"finish_reason": "tired"}),
        {"object": "chat.completion.chunk"},
        {"choices": None},
    ],
    "an error within": [chunk({"content": "a"}), {"error": {"message": "no more"}}],
}


@pytest.mark.parametrize("events", RESPONSES.values(), ids=RESPONSES)
async def test_events_of_responses(events: list[Json]) -> None:
    await assert_alike("responses", *(_escaped(event) for event in events))


@pytest.mark.parametrize("events", CHUNKS.values(), ids=CHUNKS)
async def test_chunks_of_chat_completions(events: list[Json]) -> None:
    await assert_alike("chat", *(_escaped(event) for event in events), DONE)


def _escaped(event: Json) -> bytes:
    # Halves of surrogate pairs exist in JSON's escapes only.
    return b"data: " + json.dumps(event).encode() + b"\n\n"


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(text=["a", "b", "c"], usage=Usage(input_tokens=7, cached_tokens=2, reasoning_tokens=1)),
        Reply(reasoning=["Let ", "me"], text=["see"], usage=Usage(output_tokens=3)),
        Reply(
            tool_calls=[ToolCall(name="f", arguments={"a": "x" * 40}), ToolCall(name="g", call_id="c2")]
        ),
        Reply(text=["half"], stop="length"),
        Reply(text=["one ", "two"], error_after=1),
        Reply(text=["one ", "two"], cut_after=1),
        Reply(status=429, retry_after_s=0.01),
        Reply(status=500),
        Reply(drop=True),
    ],
    ids=["text", "reasoning", "calls", "length", "fails", "breaks off", "429", "500", "dropped"],
)
async def test_answers_of_a_model_server(api: str, reply: Reply, monkeypatch: Any) -> None:
    # Both are to get the same ids and times.
    monkeypatch.setattr("tests.servers.openai_responses.new_id", lambda prefix: f"{prefix}1")
    monkeypatch.setattr("tests.servers.openai_chat.new_id", lambda prefix: f"{prefix}1")
    monkeypatch.setattr("tests.servers.wire.new_id", lambda prefix: f"{prefix}1")
    monkeypatch.setattr("time.time", lambda: 1.0)
    async with OpenAIServer(default=reply) as server:
        (theirs, their_failure), (ours, our_failure) = await both(server.base_url, api)
    assert our_failure == their_failure
    assert folded(ours) == folded(theirs)
    assert ours or our_failure


@pytest.mark.parametrize(
    "body",
    [
        sse(*TEXT, end="\r\n"),
        sse(*TEXT, end="\r"),
        b": hello\n\nretry: 5\nid: 7\n" + sse(*TEXT) + b"id: a\0b\n\n",
        b"data: {\ndata: \"type\": \"x\"\ndata: }\n\n" + sse(*TEXT),
        b"data:" + json.dumps(TEXT[0]).encode() + b"\n\nnonsense\n\n" + sse(TEXT[1]),
        sse(TEXT[0]) + b"data: {broken\n\n" + sse(TEXT[1]),
        sse(TEXT[0]) + b"data\n\n" + sse(TEXT[1]),
        sse(TEXT[0]) + b"data: [1, 2]\n\ndata: null\n\ndata: 3\n\n" + sse(TEXT[1]),
        sse(TEXT[0], TEXT[1]) + b"data: \xff\xfe\n\n" + sse(TEXT[2]),
        sse(TEXT[0], TEXT[1]) + b"\xff",
        sse(TEXT[0]) + b"data: " + json.dumps(TEXT[1]).encode(),
        sse(TEXT[0]) + DONE + sse(TEXT[1]),
        b"\n\n\n",
        b"",
    ],
    ids=[
        "CRLF", "CR", "comments", "several lines of data", "no space", "broken JSON", "no data", "no objects",
        "no UTF-8", "no UTF-8 at the end", "no last line end", "more after the end", "blank", "empty",
    ],
)  # fmt: skip
async def test_lines_and_their_ends(body: bytes) -> None:
    await assert_alike("responses", body)
    # Byte for byte, each a chunk of its own.
    await assert_alike("responses", *(body[n : n + 1] for n in range(len(body))))


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_a_stream_that_breaks_off(api: str) -> None:
    events = TEXT if api == "responses" else CHUNKS["text"]
    ours = await assert_alike(api, sse(*events), b'data: {"type"', ending="cut")
    assert ours


async def test_a_line_of_megabytes() -> None:
    events = [delta("output_text", "x" * 3_000_000), delta("output_text", "y" * 1_000_000, 1), TEXT[0]]
    body = sse(*events)
    await assert_alike("responses", *(body[n : n + 60_000] for n in range(0, len(body), 60_000)))


async def test_what_arrives_together_is_one_delta() -> None:
    deltas = [delta("output_text", f"{n} ", n) for n in range(200)]
    ours = await assert_alike("responses", *(sse(d) for d in deltas))
    assert "".join(event.delta for event in ours) == "".join(d["delta"] for d in deltas)
    assert len(ours) < 100


async def test_an_end_that_is_no_end_of_the_body() -> None:
    """``[DONE]`` ends a stream at once, though the server leaves its answer open."""
    ours = await assert_alike("chat", *(sse(e) for e in CHUNKS["text"]), DONE, ending="open")
    assert ours


async def test_a_connection_is_used_again() -> None:
    async with raw_server([sse(*CHUNKS["text"]), DONE]) as server:
        async with StreamingClient(api_key="k", base_url=server.base_url, max_retries=0) as client:
            for _ in range(3):
                assert (await read(client, "chat"))[1] is None
        assert server.connections == 1


async def test_every_event_has_a_type_of_its_own() -> None:
    """None of those that streams consist of falls back to being matched against all."""
    for kind in (
        "output_text",
        "refusal",
        "reasoning_text",
        "reasoning_summary_text",
        "function_call_arguments",
    ):
        assert typed(delta(kind, "x"), ResponseStreamEvent) is not None
    assert typed(chunk({"content": "x"}), ChatCompletionChunk) is not None
    assert typed(delta("output_text", "x"), ChatCompletionChunk) is None
    assert typed({"type": "response.sang"}, ResponseStreamEvent) is None


def _pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[a:b] for a, b in itertools.pairwise(places)]


async def _source(pieces: Sequence[bytes], pauses: Sequence[int]) -> AsyncIterator[bytes]:
    for number, piece in enumerate(pieces):
        # So that now one is taken by itself, now several together.
        for _ in range(pauses[number % len(pauses)]):
            await asyncio.sleep(0)
        yield piece


LINE = st.sampled_from(
    [
        b'data: {"a": "\xc3\xb6"}',
        b"data: 1",
        b"data:",
        b"event: e",
        b"id: \xe2\x82\xac",
        b": c",
        b"",
        b"x",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(st.tuples(LINE, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=30),
    cuts=st.lists(st.integers(0, 10_000), max_size=20),
    pauses=st.lists(st.integers(0, 6), min_size=1, max_size=5),
)
def test_wherever_the_network_cuts(
    lines: list[tuple[bytes, bytes]], cuts: list[int], pauses: list[int]
) -> None:
    body = b"".join(line + end for line, end in lines)
    pieces = _pieces(body, cuts)

    async def events(decoder: Any) -> list[tuple[str | None, str, str | None]]:
        return [(e.event, e.data, e.id) async for e in decoder.aiter_bytes(_source(pieces, pauses))]

    async def compare() -> None:
        assert await events(Decoder(Pace())) == await events(SSEDecoder())

    asyncio.run(compare())


@given(
    text=st.lists(st.sampled_from([b"a", b"\r", b"\n"])).map(b"".join), cuts=st.lists(st.integers(0, 99))
)
def test_lines_wherever_they_are_cut(text: bytes, cuts: list[int]) -> None:
    lines = Lines()
    found = [line for piece in _pieces(text, cuts) for line in lines.feed(piece)] + lines.rest()
    assert found == text.splitlines()


async def test_reading_ahead_has_its_limit() -> None:
    read_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        while True:
            read_bytes += 50_000
            yield b"x" * 50_000
            await asyncio.sleep(0)

    ahead = ReadAhead(endless(), Pace())
    first = await ahead.take()
    for _ in range(100):
        await asyncio.sleep(0)
    assert read_bytes <= len(first) + LIMIT_BYTES + 50_000
    before = read_bytes
    assert len(await ahead.take()) > LIMIT_BYTES
    for _ in range(100):
        await asyncio.sleep(0)
    assert read_bytes > before
    await ahead.aclose()


async def test_what_came_before_a_failure_is_taken_first() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"
        raise ConnectionResetError

    ahead = ReadAhead(failing(), Pace())
    assert await ahead.take() == b"ab"
    with pytest.raises(ConnectionResetError):
        await ahead.take()
    await ahead.aclose()


async def test_whoever_leaves_ends_the_reading() -> None:
    ended = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            ended.set()

    events: Any = Decoder(Pace()).aiter_bytes(waiting())
    assert (await anext(events)).data == "1"
    await events.aclose()
    assert ended.is_set()


def test_a_process_that_is_late_lets_streams_rest() -> None:
    pace = Pace()
    for _ in range(100):
        pace.note(0.0005)
    assert pace.rest_s == 0
    for _ in range(100):
        pace.note(0.005)
    assert 0.02 < pace.rest_s < 0.03
    for _ in range(100):
        pace.note(5.0)
    assert pace.rest_s == 0.05
    for _ in range(200):
        pace.note(0.0)
    assert pace.rest_s == 0
