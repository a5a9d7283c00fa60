"""The run loop on the OpenAI Agents SDK.

Apart from the rest of `stead.agents`, and loaded in the background while the server is already up: the SDK
and what it stands on take two seconds to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stead.agents.engine.completion import complete, propose
from stead.agents.engine.loop import answer
from stead.agents.limits import LoopConfig
from stead.agents.models import Proposal, RunOutcome, Said, Turn
from stead.agents.streams import LiveStream
from stead.memory.extraction import Answer
from stead.providers.models import ModelConfig, PriceList
from stead.providers.models.catalog import ModelCatalog

__all__ = ["Engine"]


class Engine:
    """Models, and the loop that runs agents on them."""

    def __init__(self, models: ModelConfig, prices: PriceList, limits: LoopConfig) -> None:
        self._catalog = ModelCatalog(models)
        self._prices = prices
        self._limits = limits

    async def answer(self, turn: Turn, stream: LiveStream) -> RunOutcome:
        """Runs an agent; see `stead.agents.engine.loop.answer`."""
        return await answer(turn, stream, self._catalog, self._prices, self._limits)

    async def complete(
        self, model: str, *, instructions: str, text: str, schema: dict[str, Any]
    ) -> Answer:
        """One structured answer; see `stead.agents.engine.completion.complete`."""
        return await complete(
            self._catalog,
            self._prices,
            self._limits,
            model,
            instructions=instructions,
            text=text,
            schema=schema,
        )

    async def propose(
        self,
        model: str,
        *,
        name: str,
        instructions: str,
        said: Sequence[Said],
        schema: dict[str, Any],
        temperature: float | None = None,
    ) -> Proposal:
        """One structured answer, unchecked; see `stead.agents.engine.completion.propose`."""
        return await propose(
            self._catalog,
            self._prices,
            self._limits,
            model,
            name=name,
            instructions=instructions,
            said=said,
            schema=schema,
            temperature=temperature,
        )

    async def aclose(self) -> None:
        """Closes connections to providers."""
        await self._catalog.aclose()
