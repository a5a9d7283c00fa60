"""Composio as a provider of connected accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from stead.db import assert_no_transaction
from stead.tools.accounts.errors import AccountNotLinkable, LinkRefused
from stead.tools.accounts.models import AccountStatus, Link, RemoteAccount
from stead.tools.providers.composio.client import ComposioClient
from stead.tools.providers.errors import ToolProviderUnavailable

_STATUSES: Final[dict[str, AccountStatus]] = {
    "INITIALIZING": "initializing",
    "INITIATED": "initiated",
    "ACTIVE": "active",
    "INACTIVE": "inactive",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "REVOKED": "revoked",
}


class ComposioAccounts:
    """Links, looks at and revokes accounts at Composio; implements `AccountProvider`.

    Args:
        client: The open client.
    """

    def __init__(self, client: ComposioClient) -> None:
        self._client = client

    @property
    def name(self) -> str:
        """Its name in ``connected_accounts.provider``."""
        return "composio"

    async def link(self, user: str, toolkit: str, callback_url: str | None) -> Link:
        """Begins to connect an account, by the auth config that the operator named for its toolkit."""
        from composio_client import APIError, BadRequestError, UnprocessableEntityError  # noqa: PLC0415 - an extra

        from stead.tools.providers.composio.failures import (  # noqa: PLC0415 - of that extra
            failure_of,
            message_of,
        )

        assert_no_transaction("linking an account")
        auth_config = self._client.config.auth_configs.get(toolkit)
        if auth_config is None:
            known = ", ".join(sorted(self._client.config.auth_configs)) or "none"
            raise AccountNotLinkable(
                f"no account of {toolkit!r} can be linked", hint=f"There are: {known}."
            )
        more: dict[str, Any] = {} if callback_url is None else {"callback_url": callback_url}
        try:
            made = await self._client.api.link.create(auth_config_id=auth_config, user_id=user, **more)
        except (BadRequestError, UnprocessableEntityError) as error:
            raise LinkRefused(message_of(error)[:500]) from None
        except APIError as error:
            raise failure_of(error, "linking an account") from None
        if not made.connected_account_id or not _is_web(made.redirect_url):
            raise ToolProviderUnavailable("Composio answers linking an account with something else")
        return Link(
            external_id=made.connected_account_id,
            redirect_url=made.redirect_url,
            expires_at=_moment(made.expires_at),
        )

    async def look(self, external_id: str) -> RemoteAccount:
        """How an account stands. Its credentials, which are in the answer too, are not looked at."""
        from composio_client import APIError, NotFoundError  # noqa: PLC0415 - an extra

        from stead.tools.providers.composio.failures import failure_of  # noqa: PLC0415 - of that extra

        assert_no_transaction("looking at an account")
        try:
            found = await self._client.api.connected_accounts.retrieve(external_id)
        except NotFoundError:
            return RemoteAccount(status="revoked")
        except APIError as error:
            raise failure_of(error, "looking at an account") from None
        status = _STATUSES.get(str(found.status))
        if status is None:
            raise ToolProviderUnavailable("Composio says of an account what nobody knows")
        if status == "active" and found.is_disabled:
            status = "inactive"
        scopes = found.requested_scopes
        return RemoteAccount(status=status, scopes=None if scopes is None else tuple(scopes[:1000]))

    async def revoke(self, external_id: str) -> None:
        """Deletes an account and has its credentials revoked."""
        from composio_client import APIError, NotFoundError  # noqa: PLC0415 - an extra

        from stead.tools.providers.composio.failures import failure_of  # noqa: PLC0415 - of that extra

        assert_no_transaction("revoking an account")
        try:
            await self._client.api.connected_accounts.delete(external_id, revoke_on_delete=True)
        except NotFoundError:
            return
        except APIError as error:
            raise failure_of(error, "revoking an account") from None

    async def aclose(self) -> None:
        """Lets go of connections."""
        await self._client.aclose()


def _is_web(url: object) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://"))


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
