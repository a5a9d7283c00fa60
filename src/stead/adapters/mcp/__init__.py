"""Memory for clients of the Model Context Protocol: the tools ``remember``, ``recall`` and ``forget``.

Owns no table. What always holds: a server is one caller's and is made for one connection (stdio) or one
request (HTTP), so that nothing of a caller outlives it; each call of a tool is one transaction of that
person's rows and embeds outside it; an error is told with its code and no more. Importing this does not import
the protocol's package, which takes a second: `stead.adapters.mcp.server`, `.http` and `.stdio` do.
"""

from stead.adapters.mcp.errors import ToolArgumentsInvalid
from stead.adapters.mcp.tools import MemoryTools

__all__ = ["MemoryTools", "ToolArgumentsInvalid"]
