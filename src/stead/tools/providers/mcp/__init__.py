"""Tools of MCP servers (https://modelcontextprotocol.io), over stdio and streamable HTTP.

Which servers there are, and how they are started or reached, is for the operator to say, in settings or code. It
is never taken from a tenant: a command of stdio is a program that runs on Stead's machine, a URL with headers is
a place that the operator's secrets are sent to. Each tenant has sessions of its own with a server.

`provider.McpProvider` carries out the calls. It is not imported here: settings are read long before it is needed.
"""

from stead.tools.providers.mcp.config import McpServer, ToolRule

__all__ = ["McpServer", "ToolRule"]
