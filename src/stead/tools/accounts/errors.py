"""What can go wrong with connected accounts."""

from __future__ import annotations

from stead.core.errors import Conflict, Forbidden, Invalid, NotFound


class AccountUnknown(NotFound):
    """There is no such connected account."""

    code = "account_unknown"


class AccountHolderUnknown(Forbidden):
    """An account is connected for somebody who is known."""

    code = "account_holder_unknown"


class AccountsNotConfigured(Conflict):
    """No provider of connected accounts is configured."""

    code = "accounts_not_configured"


class AccountNotLinkable(Invalid):
    """Accounts of this toolkit cannot be linked here."""

    code = "account_not_linkable"


class CallbackRefused(Invalid):
    """A link may not lead back to that address."""

    code = "callback_refused"


class LinkRefused(Invalid):
    """The provider refuses to link this account."""

    code = "link_refused"


class WebhookInvalid(Invalid):
    """A webhook cannot be read."""

    code = "webhook_invalid"
