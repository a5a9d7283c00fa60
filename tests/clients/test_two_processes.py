"""A client that talks to two server processes on one database, as behind a load balancer."""

from __future__ import annotations

import pytest

from tests.clients.conversation import NOTICE, Converse, Script, as_sent, words_of
from tests.support.servers import Running

pytestmark = pytest.mark.parametrize("version", ["ai5", "ai6", "ai7"])


async def test_resuming_at_another_process(
    version: str, script: Script, converse: Converse, slow: Running, second: str
) -> None:
    talk = await converse(slow)
    seen = await script(
        "transport", version, "resume", **talk.case, other=second, text="I live in Lisbon."
    )
    before, after = seen["before"]["message"], seen["after"]["message"]
    assert seen["after"]["errors"] == []
    assert seen["after"]["types"][:2] == ["start", "start-step"]
    assert words_of(after).startswith(words_of(before))
    assert words_of(after).endswith(NOTICE)
    assert as_sent(after) == (await talk.messages())[-1]
    assert seen["idle"]


async def test_two_readers_at_two_processes(
    version: str, script: Script, converse: Converse, slow: Running, second: str
) -> None:
    talk = await converse(slow)
    seen = await script(
        "transport", version, "together", **talk.case, other=second, text="I live in Lisbon."
    )
    assert seen["first"] == seen["second"]
    assert as_sent(seen["second"]["message"]) == (await talk.messages())[-1]
    assert len(await talk.runs()) == 1


async def test_stopping_at_another_process(
    version: str, script: Script, converse: Converse, slow: Running, second: str
) -> None:
    talk = await converse(slow)
    seen = await script(
        "transport", version, "stop", **talk.case, other=second, text="I live in Lisbon."
    )
    assert seen["types"][-1] == "abort"
    [run] = await talk.runs()
    assert (run["id"], run["status"]) == (seen["stopped"]["run_id"], "cancelled")
    answer = (await talk.messages())[-1]
    assert answer["parts"] == seen["message"]["parts"]
    assert not words_of(answer).endswith(NOTICE)
