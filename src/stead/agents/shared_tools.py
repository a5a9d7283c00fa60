"""Tools that any agent may name without their being registered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from stead.agents.models import ToolContext, ToolFunction


def memory_search(run: ToolContext) -> Callable[[str], Awaitable[list[dict[str, str]]]]:
    """003's shared tool: an agent looks by itself for what is remembered of the person."""

    async def search(query: str) -> list[dict[str, str]]:
        """Searches what is remembered of this person, of all their sessions.

        Args:
            query: What to look for, in a few words.
        """
        return [
            {"said_on": item.memory.happened_at.date().isoformat(), "memory": item.memory.content}
            for item in await run.recall(query)
        ]

    return search


#: What rows and code may name without registering it; a tool of the application's own of that name comes first.
SHARED_TOOLS: Final = {
    "memory_search": ToolFunction(name="memory_search", function=memory_search, per_run=True)
}
