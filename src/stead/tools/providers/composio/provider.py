"""Calls of Composio's tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, cast
from uuid import UUID

import httpx

from stead.db import assert_no_transaction
from stead.tools.models import ToolCall, ToolOutcome, ToolSpec
from stead.tools.providers.composio.client import ComposioClient
from stead.tools.providers.plain import bounded, error_text

#: How an account of a tenant stands, by its external id; None: the tenant has no such account.
AccountStatus = Callable[[UUID, str], Awaitable[str | None]]

_MAX_RESULT_BYTES: Final = 262_144


class ComposioProvider:
    """Carries out calls of Composio's tools; implements `Provider`.

    Args:
        client: The open client.
        account_status: Asked before each call through an account. With one API key for all, it is what keeps a
            tenant from acting through another one's account.
        tool_timeout_s: How long a call may take, for tools as they are listed.
        max_result_bytes: How much of a result is kept, as JSON.
    """

    def __init__(
        self,
        client: ComposioClient,
        account_status: AccountStatus,
        *,
        tool_timeout_s: float = 60.0,
        max_result_bytes: int = _MAX_RESULT_BYTES,
    ) -> None:
        self._client = client
        self._account_status = account_status
        self._tool_timeout_s = tool_timeout_s
        self._max_result_bytes = max_result_bytes

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        return "composio"

    async def list_tools(self, toolkit: str) -> AsyncIterator[ToolSpec]:
        """The current tools of a toolkit.

        Raises:
            ToolProviderBusy: It asks to be left alone for a while.
            ToolProviderUnavailable: It does not answer. What was listed so far is not all there is.
        """
        from composio_client import APIError  # noqa: PLC0415 - an extra

        from stead.tools.providers.composio.failures import failure_of  # noqa: PLC0415 - of that extra
        from stead.tools.providers.composio.listing import listed  # noqa: PLC0415 - of that extra

        assert_no_transaction("listing tools")
        try:
            async for spec in listed(self._client, toolkit, timeout_s=self._tool_timeout_s):
                yield spec
        except APIError as error:
            raise failure_of(error, "listing tools") from None

    async def execute(self, call: ToolCall) -> ToolOutcome:
        """Calls the tool once."""
        assert_no_transaction("a tool call")
        refusal = await self._refusal(call)
        if refusal is not None:
            return refusal
        outcome = await self._called(call)
        if outcome.kind == "unknown" and call.tool.idempotent:
            return replace(outcome, kind="retryable")
        return outcome

    async def aclose(self) -> None:
        """Lets go of connections."""
        await self._client.aclose()

    async def _refusal(self, call: ToolCall) -> ToolOutcome | None:
        if call.account_id is None:
            if not call.tool.needs_account:
                return None
            return ToolOutcome(
                kind="permanent",
                code="account_missing",
                error="the tool acts through a connected account",
            )
        status = await self._account_status(call.tenant_id, call.account_id)
        if status == "active":
            return None
        if status is None:
            return ToolOutcome(
                kind="permanent", code="account_unknown", error="there is no such connected account"
            )
        return ToolOutcome(kind="permanent", code=f"account_{status}", error=f"the account is {status}")

    async def _called(self, call: ToolCall) -> ToolOutcome:
        from composio_client import APIError  # noqa: PLC0415 - an extra

        from stead.tools.providers.composio.failures import outcome_of  # noqa: PLC0415 - of that extra

        whose: dict[str, Any] = (
            {"user_id": str(call.tenant_id)}
            if call.account_id is None
            else {"connected_account_id": call.account_id}
        )
        headers = {"x-request-id": f"{call.envelope_id}/{call.attempt}", "Idempotency-Key": call.key}
        try:
            # The client's time-out is for each read: one around the whole ends answers that drip.
            async with asyncio.timeout(call.tool.timeout_s):
                response = await self._client.api.tools.with_raw_response.execute(
                    call.tool.slug,
                    arguments=dict(call.arguments),
                    version=call.tool.version,
                    extra_headers=headers,
                    timeout=call.tool.timeout_s,
                    **whose,
                )
                answer = await response.json()
        except TimeoutError:
            return ToolOutcome(kind="unknown", code="timeout", error="Composio did not answer in time")
        except APIError as error:
            return outcome_of(error, self._client.config.api_key)
        except httpx.HTTPError:
            return ToolOutcome(kind="unknown", code="connection_lost", error="the connection broke")
        except ValueError:
            return ToolOutcome(kind="unknown", code="result_invalid", error="the answer is no JSON")
        return self._read(answer)

    def _read(self, answer: object) -> ToolOutcome:
        told = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
        if not isinstance(told.get("successful"), bool):
            return ToolOutcome(
                kind="unknown", code="result_invalid", error="the answer is not Composio's"
            )
        log_id = str(told["log_id"])[:200] if told.get("log_id") else None
        if told["successful"]:
            result = bounded(told.get("data"), self._max_result_bytes)
            return ToolOutcome(kind="succeeded", result=result, provider_id=log_id)
        said = error_text(str(told.get("error") or "the tool failed"), [self._client.config.api_key])
        return ToolOutcome(kind="permanent", code="tool_failed", error=said, provider_id=log_id)
