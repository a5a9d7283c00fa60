"""Connected accounts: what people linked at a provider, through which tools act.

Owns ``connected_accounts``. What always holds: an account of a provider is one tenant's; what was revoked stays
revoked; the provider is never called inside a transaction, and how an account stands is asked of it rather than
believed of whoever says so. No credential of an account is kept here: the provider keeps them.
"""

from stead.tools.accounts import accounts, linking, webhooks
from stead.tools.accounts.errors import (
    AccountHolderUnknown,
    AccountNotLinkable,
    AccountsNotConfigured,
    AccountUnknown,
    CallbackRefused,
    LinkRefused,
    WebhookInvalid,
)
from stead.tools.accounts.models import (
    Account,
    AccountProvider,
    AccountServices,
    AccountStatus,
    Link,
    NewLink,
    RemoteAccount,
)
from stead.tools.accounts.tasks import handlers

__all__ = [
    "Account",
    "AccountHolderUnknown",
    "AccountNotLinkable",
    "AccountProvider",
    "AccountServices",
    "AccountStatus",
    "AccountUnknown",
    "AccountsNotConfigured",
    "CallbackRefused",
    "Link",
    "LinkRefused",
    "NewLink",
    "RemoteAccount",
    "WebhookInvalid",
    "accounts",
    "handlers",
    "linking",
    "webhooks",
]
