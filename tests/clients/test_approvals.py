"""Approvals in useChat: the page asks, the person decides, and the answer goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from stead.assembly import Stead
from stead.assembly.database import DatabaseAccess
from tests.clients.conversation import Converse, Script, words_of
from tests.support.servers import Running, running_server

REFUND = '/tool refund {"order": "A-17", "amount": 25}'


@pytest_asyncio.fixture
async def shop(access: DatabaseAccess) -> AsyncIterator[Running]:
    """A server with a guarded tool, and a worker."""
    app = Stead()

    @app.tool(risk="high")
    async def refund(order: str, amount: float) -> dict[str, Any]:
        """Gives money back."""
        return {"refunded": amount}

    app.registry.add_agent("clerk", "You are a clerk.", tools=[refund])
    async with running_server(access, app, worker=True) as running:
        yield running


@pytest.mark.parametrize("approved", [True, False])
async def test_a_person_decides_on_the_page(
    script: Script, converse: Converse, shop: Running, approved: bool
) -> None:
    talk = await converse(shop, "clerk")
    seen = await script("use_chat", "react6", "approve", **talk.case, text=REFUND, approved=approved)
    assert (seen["error"], seen["errors"]) == (None, [])
    (asked,) = [part for part in seen["asked"][1]["parts"] if part["type"] == "tool-refund"]
    assert (asked["state"], asked["input"]) == (
        "approval-requested",
        {"order": "A-17", "amount": 25},
    )
    # On the page it is one message, as the client has it; its call is there once.
    assert len(seen["messages"]) == 2
    calls = [part for part in seen["messages"][1]["parts"] if part["type"] == "tool-refund"]
    assert [call["state"] for call in calls] == ["output-available" if approved else "output-denied"]
    _, waited, rest = await talk.messages()
    assert seen["messages"][1]["id"] == waited["id"]
    (stored,) = [part for part in waited["parts"] if part["type"] == "tool-refund"]
    assert stored["state"] == calls[0]["state"]
    assert stored["approval"]["approved"] is approved
    assert words_of(rest) == words_of(seen["messages"][1])


async def test_loaded_anew_afterwards(script: Script, converse: Converse, shop: Running) -> None:
    """What is stored is what the client takes."""
    talk = await converse(shop, "clerk")
    await script("use_chat", "react6", "approve", **talk.case, text=REFUND, approved=True)
    seen = await script("use_chat", "react6", "initial", **talk.case, text="Thank you.")
    assert seen["error"] is None
    assert [m["role"] for m in seen["messages"]] == [
        "user", "assistant", "assistant", "user", "assistant",
    ]  # fmt: skip
