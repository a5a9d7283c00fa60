"""Calls tools through whoever provides them, and says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import structlog

from stead.db import assert_no_transaction
from stead.tools.errors import ToolSchemaInvalid
from stead.tools.models import Provider, ToolCall, ToolOutcome
from stead.tools.results import MAX_BYTES, short, storable
from stead.tools.schemas import check_arguments

_log = structlog.stdlib.get_logger(__name__)
#: A provider ends its calls by itself and knows better what that means.
_GRACE_S: Final = 2.0


class Toolbox:
    """The providers that this process has.

    Args:
        providers: Each under its own name.
        max_result_bytes: What of a result is kept; above that it is cut and says so, and the call succeeded all
            the same: its effect is there.
    """

    def __init__(self, providers: Iterable[Provider], *, max_result_bytes: int = MAX_BYTES) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._max_result_bytes = max_result_bytes

    @property
    def names(self) -> list[str]:
        """The providers."""
        return sorted(self._providers)

    def provider(self, name: str) -> Provider | None:
        """The provider of that name, if this process has it."""
        return self._providers.get(name)

    async def execute(self, call: ToolCall, *, checked: bool = False) -> ToolOutcome:
        """Calls a tool once.

        Args:
            call: What and with what.
            checked: The arguments are known to fit the tool's schema.

        Returns:
            What came of it; it raises only when cancelled, and then the outcome is not known.

        Raises:
            RuntimeError: A transaction is open.
        """
        assert_no_transaction("a tool")
        provider = self._providers.get(call.tool.provider)
        if provider is None:
            return ToolOutcome(
                kind="retryable",
                code="provider_not_here",
                error=f"this process has no provider {call.tool.provider!r}",
            )
        refusal = None if checked else _refusal(call)
        if refusal is not None:
            return refusal
        outcome = await self._attempt(provider, call)
        if outcome.kind == "succeeded":
            return replace(outcome, result=storable(outcome.result, self._max_result_bytes))
        return replace(outcome, error=short(outcome.error))

    async def aclose(self) -> None:
        """Closes all providers."""
        for provider in self._providers.values():
            await provider.aclose()

    async def _attempt(self, provider: Provider, call: ToolCall) -> ToolOutcome:
        after = "retryable" if call.tool.idempotent else "unknown"
        try:
            async with asyncio.timeout(call.tool.timeout_s + _GRACE_S):
                return await provider.execute(call)
        except TimeoutError:
            return ToolOutcome(
                kind=after, code="timeout", error=f"took longer than {call.tool.timeout_s:g} s"
            )
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Not we were cancelled: something inside was.
            return ToolOutcome(kind=after, code="cancelled", error="was cancelled from inside")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a provider may be broken; its caller goes on
            _log.error(
                "tool_provider_broken",
                provider=provider.name,
                tool=call.tool.slug,
                reason=type(error).__name__,
            )
            return ToolOutcome(
                kind=after, code="provider_broken", error=f"the provider raised {type(error).__name__}"
            )


def _refusal(call: ToolCall) -> ToolOutcome | None:
    """What is wrong with the arguments, if anything is."""
    try:
        faults = check_arguments(call.tool, call.arguments)
    except ToolSchemaInvalid as error:
        return ToolOutcome(kind="permanent", code=error.code, error=short(error.detail))
    if faults:
        return ToolOutcome(
            kind="permanent", code="arguments_invalid", error=short("; ".join(faults[:10]))
        )
    return None
