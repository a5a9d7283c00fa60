"""A session as the tests of clients see it: over HTTP, beside the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from tests.support.people import Person
from tests.support.servers import Running

Message: TypeAlias = dict[str, Any]
Script: TypeAlias = Callable[..., Awaitable[Any]]
Converse: TypeAlias = "Callable[..., Awaitable[Conversation]]"

NOTICE = "(set STEAD_MODEL to use a real one)."
"""How the offline model's first answer ends."""


class Conversation:
    """One session of a person with one server, seen from outside."""

    def __init__(self, server: Running, person: Person, session: str, agent: str) -> None:
        self.session = session
        self._client = server.client
        self._person = person
        self.case = {
            "url": server.base_url, "token": person.token, "session": session, "agent": agent
        }  # fmt: skip

    async def messages(self) -> list[Message]:
        """What is stored, in the members that a UIMessage has."""
        items = await self._get("/messages")
        return [{name: m[name] for name in ("id", "role", "parts", "metadata")} for m in items["items"]]

    async def runs(self) -> list[dict[str, Any]]:
        """The run log, newest first."""
        return await self._get("/runs")

    async def answered(self) -> None:
        """Waits for the end of the answer that is being given."""
        answer = await self._client.get(f"/api/chat/{self.session}/stream", headers=self._person.headers)
        assert answer.status_code == 204 or answer.text.endswith("data: [DONE]\n\n"), answer.text

    async def _get(self, what: str) -> Any:
        answer = await self._client.get(
            f"/api/session/{self.session}{what}", headers=self._person.headers
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


def as_sent(message: Message) -> Message:
    """A client's message in the members that the server stores.

    Version 6 and later keep in a part the id of the block that it came from; it has no use afterwards.
    """
    kept = {name: message[name] for name in ("id", "role", "parts", "metadata")}
    kept["parts"] = [{k: v for k, v in part.items() if k != "id"} for part in message["parts"]]
    return kept


def words_of(message: Message) -> str:
    """The text of a message."""
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")
