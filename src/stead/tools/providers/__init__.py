"""Who carries out calls of tools that are not this program's own: MCP servers, Composio."""
