"""Loading the engine while the server is already up."""

from __future__ import annotations

import asyncio
import gc
import importlib
from typing import TYPE_CHECKING, Any

from stead.agents.limits import LoopConfig
from stead.providers.embedders import Embedder
from stead.providers.models import ModelConfig, PriceList

if TYPE_CHECKING:
    from stead.agents.engine import Engine
    from stead.traces.tracer import Tracer


class EngineLoader:
    """Imports the engine in a thread, once, and lets runs wait for it.

    Args:
        models: Keys and addresses of models.
        prices: What they cost.
        limits: Of runs.
        embedder: A local one reads its weights at the same time.
        tracer: Traces calls that are in no run.
    """

    def __init__(
        self,
        models: ModelConfig,
        prices: PriceList,
        limits: LoopConfig,
        embedder: Embedder,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self._models = models
        self._prices = prices
        self._limits = limits
        self._embedder = embedder
        self._loading: asyncio.Task[Engine] | None = None

    @property
    def ready(self) -> bool:
        """Whether a run would begin at once."""
        task = self._loading
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    def start(self) -> None:
        """Begins to load; again, if it failed before."""
        if self._loading is None or (self._loading.done() and not self.ready):
            self._loading = asyncio.create_task(self._load(), name="engine")

    async def get(self) -> Engine:
        """The engine, as soon as it is there."""
        self.start()
        assert self._loading is not None  # noqa: S101 - just started
        return await asyncio.shield(self._loading)

    async def aclose(self) -> None:
        """Closes connections to providers."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
            if self.ready:
                await self._loading.result().aclose()

    async def _load(self) -> Engine:
        if self._embedder.local:
            await self._embedder.embed(["ready"])
        module: Any = await asyncio.to_thread(_import_engine)
        engine: Engine = module.Engine(self._models, self._prices, self._limits, self._tracer)
        return engine


def _import_engine() -> Any:
    """Imports the engine and takes all there is then out of the garbage collector's sight.

    Some three hundred thousand objects live from now on as long as the process does. Looked through again and
    again they would hold up every stream for a third of a second each time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module("stead.agents.engine")
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
