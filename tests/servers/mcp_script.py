"""An MCP server that fails as it is told: over streamable HTTP, and as a program of its own over stdio.

As a program, ``python mcp_script.py LOG``: it appends a line to LOG for each call that it carries out. Its tool
``die`` does so and ends the program without an answer, ``leave`` answers and then ends it.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOOLS: list[dict[str, Any]] = [
    {"name": "note", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}},
    {"name": "wipe", "inputSchema": {"type": "object"}, "annotations": {"destructiveHint": True}},
    {"name": "die", "inputSchema": {"type": "object"}},
    {"name": "leave", "inputSchema": {"type": "object"}},
    {"name": "fail", "inputSchema": {"type": "object"}},
    {"name": "no name", "inputSchema": {"type": "object"}},
    {"name": "huge", "inputSchema": {"type": "object", "description": "x" * 70_000}},
    {"name": "note", "inputSchema": {"type": "object"}, "description": "again"},
]


def result_of(message: dict[str, Any]) -> dict[str, Any] | None:
    """What a request is answered; None for methods that this server does not have."""
    params = message.get("params") or {}
    if message["method"] == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "script", "version": "1"},
        }
    if message["method"] == "tools/list":
        start = int(params.get("cursor", 0))
        page: dict[str, Any] = {"tools": TOOLS[start : start + 3]}
        return page | ({"nextCursor": str(start + 3)} if start + 3 < len(TOOLS) else {})
    if message["method"] == "tools/call":
        text = json.dumps(params.get("arguments"))
        return {"content": [{"type": "text", "text": text}], "isError": params["name"] == "fail"}
    return None


def answer_to(message: dict[str, Any]) -> dict[str, Any]:
    """The JSON-RPC message that answers a request."""
    result = result_of(message)
    if result is None:
        error = {"code": -32601, "message": "Method not found"}
        return {"jsonrpc": "2.0", "id": message["id"], "error": error}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


if __name__ != "__main__":
    from tests.servers.script import Reply, Request
    from tests.servers.wire import Connection, ModelServer

    @dataclass(frozen=True, kw_only=True)
    class Fault:
        """How a call goes wrong: before it is answered, or in the answer.

        Args:
            status: Answered instead of 200.
            body: Answered instead of the result.
            hang: Never answered.
            half: The connection breaks within the answer.
            drop: It breaks before.
        """

        status: int = 200
        body: Any = None
        headers: dict[str, str] = field(default_factory=dict)
        hang: bool = False
        half: bool = False
        drop: bool = False

    class McpScript(ModelServer):
        """Over streamable HTTP, with sessions; `calls` has what was carried out."""

        prefix = "/mcp"
        request_id_header = "x-request-id"

        def __init__(self) -> None:
            super().__init__()
            self.faults: deque[Fault] = deque()
            self.calls: list[dict[str, Any]] = []
            self.sessions: list[str] = []
            self.forgotten: set[str] = set()

        def refusal(self, _request: Request) -> Reply | None:
            return None

        def error_body(self, reply: Reply, _request_id: str) -> dict[str, Any]:
            raise NotImplementedError

        async def answer(
            self, request: Request, _reply: Reply, out: Connection, headers: dict[str, str]
        ) -> None:
            message = request.body
            if request.method != "POST":
                await out.send_json(405, {}, headers)
                return
            session = request.headers.get("mcp-session-id")
            if session in self.forgotten:
                await out.send_json(404, {"error": "no such session"}, headers)
                return
            if "id" not in message:
                await out.send_json(202, {}, headers)
                return
            if message["method"] == "initialize":
                self.sessions.append(f"session-{len(self.sessions) + 1}")
                headers = {**headers, "mcp-session-id": self.sessions[-1]}
            fault = Fault()
            if message["method"] == "tools/call" and self.faults:
                fault = self.faults.popleft()
            if fault.status == 200 and message["method"] == "tools/call":
                self.calls.append(message["params"])
            if fault.hang:
                await request.ended.wait()
            elif fault.drop:
                out.close(reset=True)
            else:
                body = answer_to(message) if fault.body is None else fault.body
                await out.send_json(fault.status, body, {**headers, **fault.headers}, half=fault.half)


def _serve(log: Path) -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        name = (message.get("params") or {}).get("name")
        if message["method"] == "tools/call":
            with log.open("a") as effects:
                effects.write(f"{name} {os.getpid()}\n")
        if name == "die":
            os._exit(1)
        print(json.dumps(answer_to(message)), flush=True)
        if name == "leave":
            os._exit(0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
