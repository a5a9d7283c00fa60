"""A server that speaks Composio's wire format: tools by page, calls, links and accounts, webhooks.

It does what it is told in `faults` first, and writes down in `effects` what a call of a tool really did.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tests.servers.script import Reply, Request
from tests.servers.wire import Connection, ModelServer, new_id

API_KEY = "ak_canary_93b1"
CREDENTIAL = "gho_canary_credential"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a call of a tool goes wrong.

    Args:
        on: Of requests whose path has this in it.
        status: Answered instead of 200.
        body: Answered instead of the result.
        hang: Never answered.
        half: The connection breaks within the answer.
        drop: It breaks before.
        done: Whether the tool ran all the same.
    """

    on: str = ""
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    half: bool = False
    drop: bool = False
    done: bool = False


def tool(slug: str, **how: Any) -> dict[str, Any]:
    """A tool as it is listed."""
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    return {
        "slug": slug,
        "name": slug.replace("_", " ").capitalize(),
        "description": f"Does {slug}.",
        "toolkit": {"slug": slug.partition("_")[0].lower(), "name": "Toolkit", "logo": ""},
        "version": "20261101_00",
        "available_versions": ["20261101_00"],
        "input_parameters": schema,
        "output_parameters": {},
        "scopes": [],
        "scope_requirements": None,
        "tags": [],
        "no_auth": False,
        "is_deprecated": False,
        "deprecated": {},
        **how,
    }


class ComposioServer(ModelServer):
    """Composio for one project, whose key is `API_KEY`."""

    request_id_header = "x-request-id"

    def __init__(self, *tools: dict[str, Any], page: int = 2) -> None:
        super().__init__()
        self.tools = list(tools)
        self.page = page
        self.accounts: dict[str, dict[str, Any]] = {}
        self.faults: deque[Fault] = deque()
        self.effects: list[dict[str, Any]] = []
        self.endless = False
        self.gives: str | None = None
        """The id of the next account; None: a new one."""

    def refusal(self, _request: Request) -> Reply | None:
        return None

    def error_body(self, reply: Reply, _request_id: str) -> dict[str, Any]:
        raise NotImplementedError

    def stands(self, external_id: str, status: str, scopes: list[str] | None = None) -> None:
        """The person, or somebody else, did something to the account."""
        self.accounts[external_id]["status"] = status
        if scopes is not None:
            self.accounts[external_id]["requested_scopes"] = scopes

    def asked(self, method: str, path: str) -> list[Request]:
        """Requests whose path matches."""
        return [r for r in self.requests if r.method == method and re.fullmatch(path, r.path)]

    async def answer(
        self, request: Request, _reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        fault = next((each for each in self.faults if each.on in request.path), Fault())
        if fault in self.faults:
            self.faults.remove(fault)
        if fault.hang:
            await request.ended.wait()
            return
        if fault.drop:
            out.close(reset=True)
            return
        status, body = fault.status, fault.body
        if (status == 200 and body is None) or fault.done:
            status, served = self._served(request)
            body = served if fault.body is None else fault.body
            status = status if fault.status == 200 else fault.status
        await out.send_json(status, body, {**headers, **fault.headers}, half=fault.half)

    def _served(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("x-api-key") != API_KEY:
            return 401, _error(401, "Invalid API key")
        path = request.path.removeprefix("/api/v3.1")
        if (request.method, path) == ("GET", "/tools"):
            return self._list(parse_qs(request.query))
        if (request.method, path) == ("POST", "/connected_accounts/link"):
            return self._link(request.body)
        if found := re.fullmatch(r"/tools/execute/([A-Z0-9_]+)", path):
            return self._execute(found[1], request)
        if found := re.fullmatch(r"/connected_accounts/([A-Za-z0-9_]+)", path):
            return self._account(found[1], request)
        return 404, _error(404, "Not found")

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        toolkit = query["toolkit_slug"][0]
        assert query["toolkit_versions"] == ["latest"]
        start = int(query.get("cursor", ["0"])[0])
        there = [each for each in self.tools if each["toolkit"]["slug"] == toolkit]
        more = start + self.page < len(there)
        following = "0" if self.endless else str(start + self.page) if more else None
        return 200, {
            "items": there[start : start + self.page],
            "total_items": len(there),
            "total_pages": 1,
            "current_page": 1,
            "next_cursor": following,
        }

    def _execute(self, slug: str, request: Request) -> tuple[int, Any]:
        body = request.body
        if slug not in {each["slug"] for each in self.tools}:
            return 404, _error(404, f"Tool {slug} not found")
        account = body.get("connected_account_id")
        if account is not None and self.accounts.get(account, {}).get("status") != "ACTIVE":
            return 400, _error(400, "The connected account is EXPIRED", slug="ConnectedAccountExpired")
        done = {"slug": slug, **body, "key": request.headers.get("idempotency-key")}
        self.effects.append(done)
        if body["arguments"].get("title") == "refused":
            return 200, {
                "data": {},
                "successful": False,
                "error": "422: title is taken",
                "log_id": "log_2",
            }
        data = {"id": len(self.effects), "title": body["arguments"].get("title")}
        return 200, {"data": data, "successful": True, "error": None, "log_id": "log_1"}

    def _link(self, body: Any) -> tuple[int, Any]:
        if not body["auth_config_id"].startswith("ac_"):
            return 400, _error(400, "Auth config not found")
        made = self.gives or new_id("ca_")
        self.accounts[made] = {
            "id": made,
            "user_id": body["user_id"],
            "status": "INITIATED",
            "toolkit": {"slug": "github"},
            "auth_config": {"id": body["auth_config_id"]},
            "is_disabled": False,
            "state": {"authScheme": "OAUTH2", "val": {"access_token": CREDENTIAL}},
            "data": {"access_token": CREDENTIAL},
            "params": {},
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
        }
        ends = datetime.now(UTC) + timedelta(minutes=10)
        return 201, {
            "connected_account_id": made,
            "redirect_url": f"https://connect.composio.dev/link/lk_{made}",
            "link_token": f"lk_{made}",
            "expires_at": ends.isoformat().replace("+00:00", "Z"),
        }

    def _account(self, external_id: str, request: Request) -> tuple[int, Any]:
        if external_id not in self.accounts:
            return 404, _error(404, "Connected account not found")
        if request.method == "DELETE":
            del self.accounts[external_id]
            return 200, {"success": True, "revoke_job_id": "job_1"}
        return 200, self.accounts[external_id]


def notice(external_id: str, kind: str = "composio.connected_account.expired") -> bytes:
    """The body of a webhook about an account."""
    account = {"id": external_id, "status": "EXPIRED", "toolkit": {"slug": "github"}}
    message = {
        "id": "msg_1",
        "timestamp": "2026-11-21T10:00:00Z",
        "type": kind,
        "data": {**account, "state": {"val": {"access_token": CREDENTIAL}}},
        "metadata": {"project_id": "pr_1", "org_id": "org_1"},
    }
    return json.dumps(message).encode()


def _error(status: int, message: str, *, slug: str = "HTTP_Error") -> dict[str, Any]:
    return {"error": {"message": message, "status": status, "slug": slug, "request_id": "req_1"}}
