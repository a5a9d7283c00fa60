"""The run loop on the OpenAI Agents SDK.

Apart from the rest of `stead.agents`, and loaded in the background while the server is already up: the SDK
and what it stands on take two seconds to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stead.agents.engine.completion import complete, propose
from stead.agents.engine.loop import answer
from stead.agents.limits import LoopConfig
from stead.agents.models import Proposal, RunOutcome, Said, Turn
from stead.agents.streams import LiveStream
from stead.memory.extraction import Answer
from stead.providers.models import ModelConfig, PriceList
from stead.providers.models.catalog import ModelCatalog
from stead.traces import Origin, origin_of_context

if TYPE_CHECKING:
    from stead.traces.spans import RunTrace
    from stead.traces.tracer import Tracer

__all__ = ["Engine"]


class Engine:
    """Models, and the loop that runs agents on them.

    Args:
        models: Keys and addresses of models.
        prices: What they cost.
        limits: Of runs.
        tracer: Traces calls that are in no run; runs bring their own trace.
    """

    def __init__(
        self, models: ModelConfig, prices: PriceList, limits: LoopConfig, tracer: Tracer | None = None
    ) -> None:
        self._tracer = tracer
        self._catalog = ModelCatalog(models)
        self._prices = prices
        self._limits = limits

    async def answer(self, turn: Turn, stream: LiveStream) -> RunOutcome:
        """Runs an agent; see `stead.agents.engine.loop.answer`."""
        return await answer(turn, stream, self._catalog, self._prices, self._limits)

    async def complete(
        self,
        model: str,
        *,
        instructions: str,
        text: str,
        schema: dict[str, Any],
        origin: Origin | None = None,
    ) -> Answer:
        """One structured answer; see `stead.agents.engine.completion.complete`. ``origin``: whose text it is."""
        return await complete(
            self._catalog,
            self._prices,
            self._limits,
            model,
            instructions=instructions,
            text=text,
            schema=schema,
            trace=self._trace("memory extraction", model, origin),
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
        origin: Origin | None = None,
    ) -> Proposal:
        """One structured answer, unchecked; see `stead.agents.engine.completion.propose`. ``origin``: whose
        conversation it is."""
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
            trace=self._trace(name, model, origin),
        )

    async def aclose(self) -> None:
        """Closes connections to providers."""
        await self._catalog.aclose()

    def _trace(self, name: str, model: str, origin: Origin | None) -> RunTrace | None:
        if self._tracer is None:
            return None
        trace = self._tracer.begin(origin or origin_of_context())
        if trace is not None:
            trace.describe(agent=name, model=model)
        return trace
