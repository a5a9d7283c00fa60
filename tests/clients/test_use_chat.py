"""useChat in React, in the versions that are in use, against the server."""

from __future__ import annotations

import pytest

from tests.clients.conversation import NOTICE, Conversation, Converse, Script, as_sent, words_of
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply
from tests.support.servers import Running

pytestmark = pytest.mark.parametrize("version", ["react5", "react6"])

TOOL = '/tool add {"a": 1, "b": 2}'


async def test_the_documents_body(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    seen = await script("use_chat", version, "documentBody", **talk.case, text="I live in Lisbon.")
    assert seen["error"] is None
    question, answer = await talk.messages()
    assert as_sent(seen["messages"][1]) == answer
    assert seen["shown"] == ["I live in Lisbon.", words_of(answer)]
    assert words_of(question) == "I live in Lisbon."


async def test_the_hooks_own_body_and_a_tool(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick, "echo")
    seen = await script(
        "use_chat", version, "defaultBody", **talk.case, text="I live in Lisbon.", then=TOOL
    )
    assert seen["statuses"] == ["ready", *["submitted", "streaming", "ready"] * 2]
    assert seen["finishes"] == [{"isAbort": False, "isError": False}] * 2
    stored = await talk.messages()
    assert [message["id"] for message in seen["messages"]] == [message["id"] for message in stored]
    assert as_sent(seen["messages"][3]) == stored[3]
    [tool] = [part for part in stored[3]["parts"] if part["type"] == "tool-add"]
    assert (tool["state"], tool["output"]) == ("output-available", 3)
    assert seen["shown"] == [words_of(message) for message in stored]


async def test_another_answer(version: str, script: Script, converse: Converse, quick: Running) -> None:
    talk = await converse(quick)
    seen = await script(
        "use_chat", version, "regenerate", **talk.case, text="I live in Lisbon.", then="Where do I live?"
    )
    before, after = seen["before"], seen["messages"]
    assert [m["id"] for m in after[:3]] == [m["id"] for m in before[:3]]
    assert after[3]["id"] != before[3]["id"]
    stored = await talk.messages()
    assert [m["id"] for m in stored] == [m["id"] for m in after]
    assert as_sent(after[3]) == stored[3]
    assert len(await talk.runs()) == 3


async def test_another_answer_to_a_question_that_is_named(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    seen = await script(
        "use_chat", version, "regenerateFromQuestion", **talk.case,
        text="I live in Lisbon.", then="Where do I live?",
    )  # fmt: skip
    stored = await talk.messages()
    assert [m["id"] for m in stored] == [m["id"] for m in seen["messages"]]
    assert stored[2]["id"] == seen["asked"]["id"]


async def test_an_edited_message(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    seen = await script(
        "use_chat", version, "edit", **talk.case, text="I live in Lisbon.", then="I live in Porto."
    )
    question, answer = await talk.messages()
    assert words_of(question) == "I live in Porto."
    assert [m["id"] for m in seen["messages"]] == [question["id"], answer["id"]]
    assert as_sent(seen["messages"][1]) == answer


async def test_stopping_the_answer(
    version: str, script: Script, converse: Converse, slow: Running
) -> None:
    talk = await converse(slow)
    seen = await script("use_chat", version, "stop", **talk.case, text="I live in Lisbon.")
    [run] = await talk.runs()
    assert (run["id"], run["status"]) == (seen["stopped"]["run_id"], "cancelled")
    assert seen["status"] == "ready"
    assert seen["error"] is None
    question, answer = await talk.messages()
    assert seen["messages"][1]["parts"] == answer["parts"]
    assert seen["shown"] == [words_of(question), words_of(answer)]
    assert not words_of(answer).endswith(NOTICE)


async def test_leaving_does_not_stop_the_answer(
    version: str, script: Script, converse: Converse, slow: Running
) -> None:
    talk = await converse(slow)
    seen = await script("use_chat", version, "leave", **talk.case, text="I live in Lisbon.")
    assert seen["finishes"] == [{"isAbort": True, "isError": False}]
    await talk.answered()
    assert [run["status"] for run in await talk.runs()] == ["completed"]
    answer = (await talk.messages())[1]
    assert answer["id"] == seen["messages"][1]["id"]
    assert words_of(answer).startswith(words_of(seen["messages"][1]))
    assert words_of(answer).endswith(NOTICE)


@pytest.mark.parametrize("scenario", ["resumeHere", "resumeAfterReload"])
async def test_resuming(
    version: str, scenario: str, script: Script, converse: Converse, slow: Running
) -> None:
    talk = await converse(slow)
    seen = await script("use_chat", version, scenario, **talk.case, text="I live in Lisbon.")
    assert seen["error"] is None
    question, answer = await talk.messages()
    assert words_of(answer).endswith(NOTICE)
    assert [m["id"] for m in seen["messages"]] == [question["id"], answer["id"]]
    assert as_sent(seen["messages"][1]) == answer
    assert seen["shown"] == [words_of(question), words_of(answer)]
    assert len(await talk.runs()) == 1


@pytest.mark.parametrize("scenario", ["resumeAfterDisconnect", "remountAfterDisconnect"])
async def test_resuming_when_the_network_went(
    version: str, scenario: str, script: Script, converse: Converse, slow: Running
) -> None:
    if (version, scenario) == ("react5", "resumeAfterDisconnect"):
        pytest.xfail("version 5 appends a replay to what it has; it needs a new chat")
    talk = await converse(slow)
    seen = await script("use_chat", version, scenario, **talk.case, text="I live in Lisbon.")
    assert seen["lost"]["errors"] == ["network error"]
    question, answer = await talk.messages()
    assert words_of(seen["lost"]["messages"][1]) != words_of(answer)
    assert [m["id"] for m in seen["messages"]] == [question["id"], answer["id"]]
    assert as_sent(seen["messages"][1]) == answer


async def test_coming_back_to_an_answer_that_was_interrupted(
    version: str, script: Script, interrupted: Conversation
) -> None:
    seen = await script("use_chat", version, "resumeInterrupted", **interrupted.case)
    assert "interrupted" in seen["error"]
    question, answer = await interrupted.messages()
    assert words_of(answer)
    assert seen["shown"] == [words_of(question), words_of(answer)]


async def test_resuming_when_nothing_is_being_answered(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    seen = await script("use_chat", version, "resumeNothing", **talk.case)
    assert (seen["messages"], seen["status"], seen["errors"]) == ([], "ready", [])


async def test_a_conversation_that_goes_on(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick, "echo")
    for text in (TOOL, "I live in Lisbon."):
        await script("transport", "ai6", "documentBody", **talk.case, text=text)
    seen = await script("use_chat", version, "initial", **talk.case, text="Where do I live?")
    assert seen["error"] is None
    stored = await talk.messages()
    assert len(stored) == 6
    assert [as_sent(message) for message in seen["messages"][:4]] == stored[:4]
    assert as_sent(seen["messages"][5]) == stored[5]
    assert "Lisbon" in words_of(stored[5])


async def test_a_model_that_fails(
    version: str, script: Script, converse: Converse, remote: Running, vendor: OpenAIServer
) -> None:
    vendor.default = Reply(status=401)
    talk = await converse(remote, "vendor")
    seen = await script(
        "use_chat", version, "defaultBody", **talk.case, text="Hello?", then="Are you there?"
    )
    assert seen["status"] == "error"
    first, second = reversed(await talk.runs())
    assert seen["errors"] == [
        f"{run['error']['message']} ({run['error']['code']})" for run in (first, second)
    ]
    assert seen["error"] == seen["errors"][-1]
    assert seen["finishes"] == [{"isAbort": False, "isError": True}] * 2
