"""Results of MCP tools as JSON."""

from __future__ import annotations

from typing import Any

from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)


def result_of(result: CallToolResult) -> dict[str, Any]:
    """What a tool returned: its structured content, its texts, and what else there was, without the bytes.

    Returns:
        ``structured`` and ``text`` where there are such, and ``attachments``: kind, media type, size or URI of
        each.
    """
    texts: list[str] = []
    attachments: list[dict[str, Any]] = []
    for block in result.content:
        if isinstance(block, TextContent):
            texts.append(block.text)
        elif isinstance(block, ImageContent | AudioContent):
            size = len(block.data)
            attachments.append({"type": block.type, "media_type": block.mime_type, "base64_chars": size})
        elif isinstance(block, ResourceLink):
            attachments.append({"type": block.type, "uri": str(block.uri), "name": block.name})
        else:
            attachments.append(_resource(block.resource))
    found: dict[str, Any] = {}
    if result.structured_content is not None:
        found["structured"] = result.structured_content
    if texts:
        found["text"] = "\n".join(texts)
    if attachments:
        found["attachments"] = attachments
    return found


def _resource(resource: TextResourceContents | BlobResourceContents) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "resource",
        "uri": str(resource.uri),
        "media_type": resource.mime_type,
    }
    if isinstance(resource, TextResourceContents):
        return {**told, "text": resource.text}
    return {**told, "base64_chars": len(resource.blob)}
