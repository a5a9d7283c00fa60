"""Tools and connected accounts of Composio (extra `composio`).

One API key serves the whole installation, so what is whose is kept here: each account is one tenant's, by its row
in ``connected_accounts``, and at Composio each tenant and person is a user of its own.
"""

from stead.tools.providers.composio.accounts import ComposioAccounts
from stead.tools.providers.composio.client import ComposioClient, ComposioConfig
from stead.tools.providers.composio.provider import ComposioProvider

__all__ = ["ComposioAccounts", "ComposioClient", "ComposioConfig", "ComposioProvider"]
