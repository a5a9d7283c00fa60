"""Carrying envelopes out through tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stead.actions.judging import WEBHOOKS, ActionGate
from stead.actions.webhooks import Webhooks
from stead.outbox import Claimed, Result
from stead.tools import Toolbox, ToolCall, ToolOutcome


class ActionExecutor:
    """Implements `stead.outbox.Executor`.

    Args:
        gate: What judged them: it has their tools.
        toolbox: What calls tools.
        webhooks: What tells tenants of what happens.
        functions: Names of the tools that are functions of this program; None: whatever the toolbox has.
    """

    def __init__(
        self,
        gate: ActionGate,
        toolbox: Toolbox,
        webhooks: Webhooks,
        functions: Sequence[str] | None = None,
    ) -> None:
        self.providers = [*toolbox.names, WEBHOOKS]
        self.functions = functions
        self._gate = gate
        self._toolbox = toolbox
        self._webhooks = webhooks

    async def execute(self, envelope: Claimed) -> Result:
        """See `stead.outbox.Executor`."""
        if envelope.provider == WEBHOOKS:
            return await self._webhooks.send(envelope)
        tool = self._gate.tool(envelope.tool_digest)
        if tool is None:
            return Result(
                kind="retryable", error="its tool was forgotten by this process", code="tool_forgotten"
            )
        outcome = await self._toolbox.execute(
            ToolCall(
                tenant_id=envelope.tenant_id,
                tenant_slug=envelope.tenant_slug,
                envelope_id=envelope.id,
                # What was promised when it was proposed is what the outbox goes by.
                tool=tool
                if tool.idempotent == envelope.idempotent
                else replace(tool, idempotent=tool.idempotent and envelope.idempotent),
                arguments=envelope.arguments,
                account_id=envelope.account_id,
                key=str(envelope.id),
                attempt=envelope.attempt,
            ),
            # With this very tool, when it was proposed; and neither has changed since, by their digests.
            checked=True,
        )
        return result_of(outcome)


def result_of(outcome: ToolOutcome) -> Result:
    """What a call came to, as the outbox stores it."""
    return Result(
        kind=outcome.kind,
        result=outcome.result,
        error=outcome.error,
        code=outcome.code,
        retry_after_s=outcome.retry_after_s,
        provider_id=outcome.provider_id,
    )
