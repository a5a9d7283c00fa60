"""The main job: chat, tell facts, come back in a new session, be known."""

from __future__ import annotations

from tests.support.people import Person, open_session
from tests.support.servers import Running, say, text_of


async def test_facts_told_in_one_session_are_used_in_the_next(server: Running, person: Person) -> None:
    first = await open_session(server.client, person)
    await say(server.client, person.headers, first, "Hi! My name is Ann and I live in Lisbon.")
    await say(server.client, person.headers, first, "I charge 300 dollars a day.")
    second = await open_session(server.client, person)
    answer = text_of(await say(server.client, person.headers, second, "Where do I live?"))
    assert "Lisbon" in answer
    answer = text_of(await say(server.client, person.headers, second, "How much do I charge a day?"))
    assert "300 dollars" in answer
