"""The jobs of accounts: waiting until one is connected, looking at one, giving one up at its provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from stead.jobs import JobContext, JobFunction
from stead.tools.accounts import accounts, linking, queries
from stead.tools.accounts.models import PENDING, AccountServices, RemoteAccount
from stead.tools.providers.errors import ToolProviderBusy, ToolProviderUnavailable

#: Seconds between two looks while a person connects an account; the last one over and over.
_WAITS_S: Final = (2, 3, 5, 8, 13, 20, 30, 60)
#: How long a link is waited for, where the provider says nothing of it.
_PATIENCE_S: Final = 900
_MAX_LOOKS: Final = 200


def handlers(services: AccountServices) -> Mapping[str, JobFunction]:
    """A handler for each kind of job.

    Args:
        services: What they work with.
    """

    async def wait(job: JobContext, account_id: UUID) -> dict[str, Any]:
        """Looks, less and less often, until the account is connected, refused, or its link has ended."""

        async def look() -> str:
            try:
                account = await linking.look(services, job.principal, account_id, why="wait")
            except (ToolProviderUnavailable, ToolProviderBusy):
                return "unknown"
            return account.status

        for number in range(_MAX_LOOKS):
            status = await job.step("look", look)
            if status != "unknown" and status not in PENDING:
                return {"status": status}
            async with job.transaction(read_only=True) as tx:
                account = await accounts.get(tx, job.principal, account_id)
                now = await queries.clock(tx)
            until = account.expires_at or account.created_at + timedelta(seconds=_PATIENCE_S)
            if now >= until:
                break
            await job.sleep_until(now + timedelta(seconds=_WAITS_S[min(number, len(_WAITS_S) - 1)]))
        return {"status": await job.step("give_up", _expire, services, job, account_id)}

    async def refresh(job: JobContext, account_id: UUID) -> dict[str, Any]:
        """Asks the provider how an account stands."""
        account = await linking.look(services, job.principal, account_id, why="notice")
        return {"status": account.status}

    async def revoke(job: JobContext, account_id: UUID) -> dict[str, Any]:
        """Gives up, at its provider, an account that was revoked here."""
        async with job.transaction(read_only=True) as tx:
            account = await accounts.get(tx, job.principal, account_id)
        if account.status != "revoked":
            return {"status": account.status}
        await linking.provider_of(services, account).revoke(account.external_id)
        return {"status": "revoked"}

    return {linking.WAIT: wait, linking.REFRESH: refresh, linking.REVOKE: revoke}


async def _expire(services: AccountServices, job: JobContext, account_id: UUID) -> str:
    async with services.db.transaction(job.principal) as tx:
        account = await accounts.get(tx, job.principal, account_id)
        if account.status not in PENDING:
            return account.status
        gone = RemoteAccount(status="expired")
        stored = await accounts.settle(tx, job.principal, account_id, gone, why="link_ended")
    return stored.status
