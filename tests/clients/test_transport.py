"""The transport of `ai`, in the versions that are in use, reads what the server streams."""

from __future__ import annotations

import pytest

from tests.clients.conversation import NOTICE, Converse, Script, as_sent, words_of
from tests.servers.openai import OpenAIServer
from tests.servers.script import Reply, ToolCall
from tests.support.servers import Running

pytestmark = pytest.mark.parametrize("version", ["ai5", "ai6", "ai7"])

TOOL = '/tool add {"a": 1, "b": 2}'


async def test_the_documents_body(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    seen = await script("transport", version, "documentBody", **talk.case, text="I live in Lisbon.")
    assert seen["errors"] == []
    assert seen["types"][:3] == ["start", "start-step", "text-start"]
    assert seen["types"][-3:] == ["text-end", "finish-step", "finish"]
    assert seen["types"].count("text-delta") > 5
    question, answer = await talk.messages()
    assert words_of(question) == "I live in Lisbon."
    assert as_sent(seen["message"]) == answer
    assert answer["metadata"]["status"] == "completed"


async def test_a_tool_call_in_the_clients_own_body(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick, "echo")
    seen = await script("transport", version, "defaultBody", **talk.case, text=TOOL)
    assert seen["errors"] == []
    assert seen["states"] == ["input-streaming", "input-available", "output-available"]
    [tool] = [part for part in seen["message"]["parts"] if part["type"] == "tool-add"]
    assert (tool["input"], tool["output"]) == ({"a": 1, "b": 2}, 3)
    assert "returned: 3" in words_of(seen["message"])
    question, answer = await talk.messages()
    assert question["id"] == "q-1"
    assert as_sent(seen["message"]) == answer


async def test_reasoning_and_two_tool_calls_at_once(
    version: str, script: Script, converse: Converse, remote: Running, vendor: OpenAIServer
) -> None:
    vendor.script(
        Reply(
            reasoning=["Let me ", "add."],
            text=["I ", "add."],
            tool_calls=[
                ToolCall(name="add", arguments={"a": 1, "b": 2}, call_id="call_1"),
                ToolCall(name="add", arguments={"a": "one"}, call_id="call_2"),
            ],
        ),
        Reply(text=["It ", "is ", "3."]),
    )
    talk = await converse(remote, "vendor")
    seen = await script("transport", version, "defaultBody", **talk.case, text="Add, please.")
    assert seen["errors"] == []
    message = seen["message"]
    kinds = [part["type"] for part in message["parts"]]
    assert kinds == ["step-start", "reasoning", "text", "tool-add", "tool-add", "step-start", "text"]
    assert message["parts"][1]["text"] == "Let me add."
    assert message["parts"][3]["output"] == 3
    assert "error" in message["parts"][4]["output"]
    assert as_sent(message) == (await talk.messages())[-1]


async def test_another_answer(version: str, script: Script, converse: Converse, quick: Running) -> None:
    talk = await converse(quick)
    seen = await script("transport", version, "regenerate", **talk.case, text="I live in Lisbon.")
    first, second = seen["first"]["message"], seen["second"]["message"]
    assert first["id"] != second["id"]
    question, answer = await talk.messages()
    assert question["id"] == "q-1"
    assert as_sent(second) == answer


async def test_stopping_the_answer(
    version: str, script: Script, converse: Converse, slow: Running
) -> None:
    talk = await converse(slow)
    seen = await script("transport", version, "stop", **talk.case, text="I live in Lisbon.")
    [run] = await talk.runs()
    assert seen["stopped"] == {"stopped": True, "run_id": run["id"]}
    assert run["status"] == "cancelled"
    assert seen["types"][-1] == "abort"
    assert seen["errors"] == []
    _, answer = await talk.messages()
    assert answer["parts"] == seen["message"]["parts"]
    assert answer["id"] == seen["message"]["id"]
    assert words_of(answer)
    assert not words_of(answer).endswith(NOTICE)
    assert answer["metadata"]["status"] == "cancelled"


async def test_leaving_does_not_stop_the_answer(
    version: str, script: Script, converse: Converse, slow: Running
) -> None:
    talk = await converse(slow)
    seen = await script("transport", version, "leave", **talk.case, text="I live in Lisbon.")
    assert not words_of(seen["message"]).endswith(NOTICE)
    assert [run["status"] for run in await talk.runs()] == ["running"]
    await talk.answered()
    assert [run["status"] for run in await talk.runs()] == ["completed"]
    assert words_of((await talk.messages())[-1]).endswith(NOTICE)


async def test_resuming_after_a_lost_connection(
    version: str, script: Script, converse: Converse, slow: Running
) -> None:
    talk = await converse(slow)
    seen = await script("transport", version, "resume", **talk.case, text="I live in Lisbon.")
    before, after = seen["before"]["message"], seen["after"]["message"]
    assert seen["after"]["types"][:2] == ["start", "start-step"]
    assert seen["after"]["types"][-1] == "finish"
    assert after["id"] == before["id"]
    assert words_of(after).startswith(words_of(before))
    assert len(words_of(after)) > len(words_of(before))
    assert as_sent(after) == (await talk.messages())[-1]
    assert seen["idle"]
    assert len(await talk.runs()) == 1


async def test_resuming_when_nothing_is_being_answered(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    assert await script("transport", version, "nothing", **talk.case) == {"stream": None}


async def test_a_model_that_fails(
    version: str, script: Script, converse: Converse, remote: Running, vendor: OpenAIServer
) -> None:
    vendor.default = Reply(status=401)
    talk = await converse(remote, "vendor")
    seen = await script("transport", version, "defaultBody", **talk.case, text="Hello?")
    assert seen["types"][-1] == "error"
    [error] = seen["errors"]
    [run] = await talk.runs()
    assert run["status"] == "failed"
    assert error == f"{run['error']['message']} ({run['error']['code']})"


async def test_a_model_that_breaks_off(
    version: str, script: Script, converse: Converse, remote: Running, vendor: OpenAIServer
) -> None:
    vendor.default = Reply(text=["Half ", "an ", "answer"], error_after=2)
    talk = await converse(remote, "vendor")
    seen = await script("transport", version, "defaultBody", **talk.case, text="Hello?")
    assert seen["types"][-1] == "error"
    assert len(seen["errors"]) == 1
    assert [run["status"] for run in await talk.runs()] == ["failed"]
    _, answer = await talk.messages()
    assert words_of(answer) == "Half an "
    assert seen["message"]["parts"] == answer["parts"]


async def test_a_refused_request(
    version: str, script: Script, converse: Converse, quick: Running
) -> None:
    talk = await converse(quick)
    seen = await script("transport", version, "refused", **talk.case, text="Hello?")
    assert "agent_unknown" in seen["error"]
    assert await talk.runs() == []
