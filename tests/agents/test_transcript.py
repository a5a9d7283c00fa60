"""Messages and the streams that build them up."""

from __future__ import annotations

from stead.agents.transcript import fold, unfold
from stead.assembly.database import DatabaseAccess
from tests.support.people import Person, open_session
from tests.support.servers import Running, say, text_of


def test_unfolded_frames_fold_to_the_same_message() -> None:
    parts = [
        {"type": "step-start"},
        {"type": "reasoning", "text": "Hm.", "state": "done"},
        {
            "type": "tool-add",
            "toolCallId": "c1",
            "state": "output-available",
            "input": {"a": 1},
            "output": 3,
        },
        {"type": "step-start"},
        {"type": "text", "text": "It is three.", "state": "done"},
    ]
    stream = unfold("m1", parts, {})
    assert fold(stream) == parts
    kinds = [frame["type"] for frame in stream]
    assert kinds.count("start-step") == kinds.count("finish-step") == 2


async def test_a_stream_whose_frames_were_swept_is_told_again(
    server: Running, person: Person, access: DatabaseAccess
) -> None:
    session = await open_session(server.client, person)
    message = {"id": "m-1", "role": "user", "parts": [{"type": "text", "text": "I live in Lisbon."}]}
    first = await say(server.client, person.headers, session, message)  # type: ignore[arg-type]
    await server.parts.runtime.sweep(keep_chunks_s=0)
    again = await say(server.client, person.headers, session, message)  # type: ignore[arg-type]
    assert text_of(again) == text_of(first)
    assert again[0]["messageId"] == first[0]["messageId"]
    assert again[-1]["type"] == "finish"
    kept = (await server.client.get(f"/api/session/{session}/messages", headers=person.headers)).json()
    assert len(kept["items"]) == 2
