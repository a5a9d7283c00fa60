"""Tools that are functions of this process."""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from stead.identity import Tenant, tenant_service
from stead.tools.errors import ToolRefused, ToolRetry
from stead.tools.functions import ActionContext, LocalTool
from stead.tools.models import ToolCall, ToolOutcome
from stead.tools.registry import ToolRegistry

_MAX_THREADS: Final = 32


class LocalTools:
    """Calls functions: async ones in the loop, others in a thread.

    Args:
        registry: The functions that this process has.
    """

    name = "local"

    def __init__(self, registry: ToolRegistry) -> None:
        self._registry = registry
        # Of its own: a function that hangs takes a thread with it, and the loop's are for others.
        self._threads = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="tool")

    async def execute(self, call: ToolCall) -> ToolOutcome:
        """Calls the function once."""
        tool = self._registry.get(call.tool.slug, call.tool.version)
        if tool is None:
            # Another version of the program has it, and will take the call.
            return ToolOutcome(
                kind="retryable", code="tool_not_here", error="no such function in this process"
            )
        if tool.spec.schema != call.tool.schema:
            return ToolOutcome(
                kind="retryable", code="tool_not_here", error="this process has another form of it"
            )
        tenant = Tenant(id=call.tenant_id, slug=call.tenant_slug)
        context = ActionContext(
            principal=tenant_service(tenant, credential="tool"),
            envelope_id=call.envelope_id,
            key=call.key,
            attempt=call.attempt,
            account_id=call.account_id,
        )
        try:
            arguments = tool.arguments(call.arguments, context)
        except ValidationError as error:
            places = [".".join(str(step) for step in each["loc"]) for each in error.errors()[:10]]
            return ToolOutcome(
                kind="permanent", code="arguments_invalid", error=f"do not fit: {', '.join(places)}"
            )
        return await self._run(tool, arguments, call.tool.timeout_s)

    async def aclose(self) -> None:
        """Waits for no function: a process that ends has given its calls back."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, tool: LocalTool, arguments: dict[str, Any], timeout_s: float) -> ToolOutcome:
        begun = False

        def in_thread() -> Any:
            nonlocal begun
            begun = True
            return tool.function(**arguments)

        try:
            async with asyncio.timeout(timeout_s):
                if tool.asynchronous:
                    begun = True
                    result = await tool.function(**arguments)
                else:
                    loop = asyncio.get_running_loop()
                    result = await loop.run_in_executor(self._threads, partial(in_thread))
                    if inspect.isawaitable(result):
                        result = await result
        except ToolRefused as error:
            return ToolOutcome(kind="permanent", code="refused", error=str(error) or "refused")
        except ToolRetry as error:
            return ToolOutcome(
                kind="retryable",
                code="retry_wanted",
                error=str(error) or "not now",
                retry_after_s=error.after_s,
            )
        except TimeoutError:
            kind = _after(tool) if begun else "retryable"
            return ToolOutcome(kind=kind, code="timeout", error=f"took longer than {timeout_s:g} s")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the application's code may raise anything
            # By its name only: a message may hold whatever the function was given.
            return ToolOutcome(
                kind=_after(tool), code="exception", error=f"the function raised {type(error).__name__}"
            )
        return ToolOutcome(kind="succeeded", result=result)


def _after(tool: LocalTool) -> Any:
    """What to think of a call that began and did not end well."""
    return "retryable" if tool.spec.idempotent else "unknown"
