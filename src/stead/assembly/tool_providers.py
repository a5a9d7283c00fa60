"""Opens the providers of tools that are configured."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import UUID

from stead.assembly.mcp_servers import servers_of
from stead.assembly.settings import Settings
from stead.db import NOBODY, Database, Transaction
from stead.identity import Principal, Tenant, tenant_service, tenants
from stead.tools import CatalogueSources, ToolSpec, accounts, refreshing
from stead.tools.accounts import Account, AccountServices
from stead.tools.models import Provider
from stead.tools.providers.composio import (
    ComposioAccounts,
    ComposioClient,
    ComposioConfig,
    ComposioProvider,
)

if TYPE_CHECKING:
    from stead.tools.providers.mcp.provider import McpProvider


def composio_config(settings: Settings) -> ComposioConfig | None:
    """How Composio is reached; None where it is not configured."""
    if settings.composio_api_key is None:
        return None
    return ComposioConfig(
        api_key=settings.composio_api_key.get_secret_value(),
        base_url=settings.composio_base_url,
        auth_configs=settings.composio_auth_configs,
    )


async def account_services(
    settings: Settings, db: Database, stack: AsyncExitStack
) -> tuple[AccountServices, ComposioClient | None]:
    """What linking accounts works with, and the client of Composio where it is configured.

    Raises:
        ToolProviderMisconfigured: The extra of Composio is not installed.
    """
    config = composio_config(settings)
    client = ComposioClient(config) if config else None
    if client is not None:
        stack.push_async_callback(client.aclose)

    async def look(tx: Transaction, principal: Principal, account: Account) -> None:
        del principal
        await refreshing.after_connection(
            tx, account.provider, account.toolkit, dispatch=settings.dispatch
        )

    services = AccountServices(
        db=db,
        provider=ComposioAccounts(client) if client else None,
        dispatch=settings.dispatch,
        callback_origins=tuple(settings.cors_origins),
        activated=look,
    )
    return services, client


class ComposioSource:
    """What Composio lists is the same for every tenant, toolkit by toolkit."""

    def __init__(self, provider: ComposioProvider) -> None:
        self._provider = provider

    async def list_tools(self, tenant: Tenant, toolkit: str) -> AsyncGenerator[ToolSpec]:
        """See `stead.tools.ToolSource`."""
        del tenant
        async for spec in self._provider.list_tools(toolkit):
            yield spec


class McpSource:
    """What the servers list that a tenant may use; a server is a toolkit."""

    def __init__(self, provider: McpProvider) -> None:
        self._provider = provider

    async def list_tools(self, tenant: Tenant, toolkit: str) -> AsyncGenerator[ToolSpec]:
        """See `stead.tools.ToolSource`."""
        for server in self._provider.servers(tenant.slug):
            if toolkit in {"", server}:
                async for spec in self._provider.list_tools(server):
                    yield spec


async def tool_providers(
    settings: Settings, db: Database, stack: AsyncExitStack, sources: CatalogueSources
) -> tuple[dict[str, Provider], AccountServices]:
    """The providers by name, and what linking accounts works with.

    Args:
        settings: The settings.
        db: The database.
        stack: Closes what is opened.
        sources: Where providers that list tools are made known.

    Raises:
        ToolProviderMisconfigured: One of them cannot be used as it is configured.
    """
    services, client = await account_services(settings, db, stack)
    providers: dict[str, Provider] = {}
    if client is not None:

        async def account_status(tenant_id: UUID, external_id: str) -> str | None:
            async with db.transaction(NOBODY, read_only=True) as tx:
                tenant = await tenants.find_by_id(tx, tenant_id)
            if tenant is None:
                return None
            principal = tenant_service(tenant)
            async with db.transaction(principal, read_only=True) as tx:
                account = await accounts.accounts.find(tx, principal, external_id, "composio")
            return None if account is None else account.status

        composio = ComposioProvider(client, account_status)
        providers["composio"] = composio
        sources.add("composio", ComposioSource(composio))
    if settings.mcp_servers:
        # The library takes a while to load, and few need it.
        from stead.tools.providers.mcp.provider import McpProvider  # noqa: PLC0415

        mcp = McpProvider(servers_of(settings.mcp_servers), os.environ.get)
        stack.push_async_callback(mcp.aclose)
        providers["mcp"] = mcp
        sources.add("mcp", McpSource(mcp))
    return providers, services
