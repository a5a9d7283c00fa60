"""Tools that an application defines in its code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stead.db import NOBODY, Database
from stead.tools import queries
from stead.tools.catalog import plain
from stead.tools.checking import check_spec
from stead.tools.digests import with_digest
from stead.tools.errors import ToolInvalid
from stead.tools.functions import LocalTool, read_function
from stead.tools.models import Risk, ToolSpec


class ToolRegistry:
    """The functions that this process can carry out by name. Filled while a program starts, then only read."""

    def __init__(self) -> None:
        self._tools: dict[tuple[str, str], LocalTool] = {}

    def add(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        version: str = "1",
        risk: Risk = "medium",
        scopes: Sequence[str] = (),
        idempotent: bool = False,
        amount: str | None = None,
        timeout_s: float = 30.0,
    ) -> LocalTool:
        """Registers a function.

        Args:
            function: Async or not; its annotations are the schema, its docstring what a model reads.
            name: Its slug; the function's name when None.
            version: Of the tool.
            risk: Its tier.
            scopes: What a connected account must have been granted.
            idempotent: Whether two calls with one key have one effect: only then is a call whose outcome is
                unknown made again.
            amount: The parameter that says what it spends.
            timeout_s: How long a call may take.

        Raises:
            ToolInvalid, ToolSchemaInvalid: It cannot be a tool, or the name is taken.
        """
        tool = read_function(
            function,
            name=name,
            version=version,
            risk=risk,
            scopes=scopes,
            idempotent=idempotent,
            amount=amount,
            timeout_s=timeout_s,
        )
        check_spec(tool.spec)
        key = (tool.spec.slug, tool.spec.version)
        if key in self._tools and self._tools[key].function is not function:
            raise ToolInvalid(f"two tools are called {tool.spec.slug!r}", hint="Give one another name.")
        self._tools[key] = tool
        return tool

    def get(self, slug: str, version: str) -> LocalTool | None:
        """The function of that name and version, if this process has it."""
        return self._tools.get((slug, version))

    @property
    def specs(self) -> list[ToolSpec]:
        """All tools, in the same order in every process: two that register them do not block each other."""
        return [with_digest(self._tools[key].spec) for key in sorted(self._tools)]

    async def register(self, db: Database) -> None:
        """Makes the tools of this process known to every tenant's catalogue."""
        if not self._tools:
            return
        async with db.transaction(NOBODY) as tx:
            for spec in self.specs:
                await queries.register(tx, plain(spec))
