"""Tools that are endpoints of somebody: one request a call, and what its answer means."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

import httpx

from stead.tools.errors import AddressRefused, AddressUnknown, ToolInvalid
from stead.tools.guard import Guard, guarded_client
from stead.tools.models import OutcomeKind, ToolCall, ToolOutcome
from stead.tools.secrets import SecretSource
from stead.tools.templates import SECRET, HttpConfig, fill_url, query_of, read_config

_SAFE: Final = {"GET", "HEAD"}
_IN_QUERY: Final = {"GET", "HEAD", "DELETE"}
_MAX_RETRY_AFTER_S: Final = 86_400.0
_CONNECT_S: Final = 10.0
#: What is cut off at the end of half an answer: it may be the first half of a secret.
_CUT_CHARS: Final = 4_096
_PROVIDER_ID: Final = re.compile(r"[!-~]{1,200}")
REDACTED: Final = "[secret]"


@dataclass
class _Attempt:
    """One request, as far as it has come.

    Args:
        repeatable: Whether a second one does no harm.
        secrets: Values that must not come back in what is told.
    """

    repeatable: bool
    secrets: set[str] = field(default_factory=set[str])
    sent: bool = False

    async def trace(self, event: str, _: Any) -> None:
        """Told by the transport of each of its steps."""
        if event.endswith("send_request_headers.started"):
            self.sent = True

    @property
    def kind(self) -> OutcomeKind:
        """What to think of it when nothing (more) is heard."""
        return "retryable" if self.repeatable or not self.sent else "unknown"

    def redacted(self, value: Any) -> Any:
        """An answer without the secrets that it repeats."""
        if isinstance(value, str):
            for secret in self.secrets:
                value = value.replace(secret, REDACTED)
            return value
        if isinstance(value, list):
            return [self.redacted(item) for item in cast("list[Any]", value)]
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            return {self.redacted(key): self.redacted(item) for key, item in members.items()}
        return value


class HttpTools:
    """Calls http tools.

    Args:
        guard: Which addresses may be called.
        secrets: Where headers' secrets are.
        max_bytes: How much of an answer is read; the rest is cut, and the call succeeded all the same.
        inner: What carries requests; a transport of its own when None.
    """

    name = "http"

    def __init__(
        self,
        guard: Guard,
        secrets: SecretSource,
        *,
        max_bytes: int = 1_048_576,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._guard = guard
        self._secrets = secrets
        self._max_bytes = max_bytes
        self._client = guarded_client(guard, inner)

    def check(self, config: dict[str, Any]) -> None:
        """Refuses a configuration that could not be called.

        Raises:
            ToolInvalid, AddressRefused: Says why.
        """
        read_config(config, self._guard)

    async def execute(self, call: ToolCall) -> ToolOutcome:
        """Sends one request."""
        try:
            config = read_config(call.tool.config, self._guard)
            request, secrets = await self._request(call, config)
        except (ToolInvalid, AddressRefused) as error:
            return ToolOutcome(kind="permanent", code=error.code, error=error.detail)
        except _SecretMissing as error:
            return ToolOutcome(
                kind="permanent", code="secret_missing", error=f"no secret {error} for this host"
            )
        except (ValueError, httpx.InvalidURL):
            return ToolOutcome(
                kind="permanent",
                code="arguments_invalid",
                error="the URL cannot be made of the arguments",
            )
        attempt = _Attempt(
            repeatable=call.tool.idempotent or config.method in _SAFE, secrets=set(secrets)
        )
        request.extensions = {**request.extensions, "trace": attempt.trace}
        try:
            async with asyncio.timeout(call.tool.timeout_s):
                return await self._send(request, attempt)
        except TimeoutError:
            said = f"no answer within {call.tool.timeout_s:g} s"
            return ToolOutcome(kind=attempt.kind, code="timeout", error=said)
        except AddressRefused as error:
            return ToolOutcome(kind="permanent", code=error.code, error=error.detail)
        except AddressUnknown as error:
            return ToolOutcome(kind="retryable", code="address_unknown", error=error.detail)
        except httpx.HTTPError as error:
            code = "connection_lost" if attempt.sent else "not_connected"
            # By its name only: a message may hold the URL, and with it arguments.
            return ToolOutcome(
                kind=attempt.kind, code=code, error=f"{code.replace('_', ' ')}: {type(error).__name__}"
            )

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._client.aclose()

    async def _request(self, call: ToolCall, config: HttpConfig) -> tuple[httpx.Request, list[str]]:
        url, rest = fill_url(config.url, call.arguments)
        host = httpx.URL(url).host.rstrip(".").lower()
        headers = {
            "user-agent": "stead",
            "accept": "application/json, */*;q=0.5",
            # What is not compressed is as large as it says.
            "accept-encoding": "identity",
        }
        secrets: list[str] = []
        for name, template in config.headers.items():
            value = template
            for secret in SECRET.findall(template):
                found = await self._secrets.secret(call.tenant_slug, secret, host)
                if found is None:
                    raise _SecretMissing(secret)
                secrets.append(found)
                value = value.replace(f"{{secret:{secret}}}", found)
            headers[name.lower()] = value
        headers["idempotency-key"] = call.key
        headers["x-request-id"] = f"{call.envelope_id}-{call.attempt}"
        in_query = config.method in _IN_QUERY
        if not in_query:
            headers.setdefault("content-type", "application/json")
        read = httpx.URL(url)
        if in_query and rest:
            read = read.copy_merge_params(query_of(rest))
        content = None if in_query else json.dumps(rest, separators=(",", ":")).encode()
        request = self._client.build_request(
            config.method,
            read,
            headers=headers,
            content=content,
            timeout=httpx.Timeout(call.tool.timeout_s, connect=min(_CONNECT_S, call.tool.timeout_s)),
        )
        return request, secrets

    async def _send(self, request: httpx.Request, attempt: _Attempt) -> ToolOutcome:
        answer = await self._client.send(request, stream=True)
        try:
            status = answer.status_code
            provider_id = answer.headers.get("x-request-id")
            if provider_id is not None and not _PROVIDER_ID.fullmatch(provider_id):
                provider_id = None
            provider_id = attempt.redacted(provider_id)
            if not 200 <= status < 300:
                return _refused(answer, attempt, request.method in _SAFE, provider_id)
            body, whole = await self._body(answer)
        finally:
            await answer.aclose()
        result = attempt.redacted(_read(answer, body, whole=whole))
        return ToolOutcome(kind="succeeded", result=result, provider_id=provider_id)

    async def _body(self, answer: httpx.Response) -> tuple[bytes, bool]:
        found = bytearray()
        async for piece in answer.aiter_raw():
            found += piece
            if len(found) > self._max_bytes:
                return bytes(found[: self._max_bytes]), False
        return bytes(found), True


class _SecretMissing(Exception):
    """A header needs a secret that there is none of."""


def _refused(
    answer: httpx.Response,
    attempt: _Attempt,
    safe: bool,  # noqa: FBT001
    provider_id: str | None,
) -> ToolOutcome:
    """What an answer other than 2xx means. Of its body nothing is told: it may repeat what it was sent."""
    status = answer.status_code
    after_s = retry_after_s(answer.headers.get("retry-after"))
    kind: OutcomeKind = "permanent"
    code = f"http_{status}"
    if status == 429:
        kind, code = "retryable", "rate_limited"
    elif status in {408, 425} or (status == 503 and after_s is not None):
        # It says itself that it did nothing with the request.
        kind = "retryable"
    elif status >= 500:
        kind = "retryable" if attempt.repeatable else "unknown"
    elif status in {301, 302, 303} and not safe:
        # After a form was sent this is how servers say "done": they also say "not here" so.
        kind = "unknown"
    said = "a redirect, which is not followed" if 300 <= status < 400 else f"status {status}"
    return ToolOutcome(
        kind=kind,
        code=code,
        error=f"answered with {said}",
        retry_after_s=after_s,
        provider_id=provider_id,
    )


def retry_after_s(value: str | None) -> float | None:
    """Seconds that a ``Retry-After`` asks for, a day at most; None: it says nothing that can be read."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(float(value), _MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    wait_s = (at - datetime.fromtimestamp(time.time(), UTC)).total_seconds()
    return min(max(wait_s, 0.0), _MAX_RETRY_AFTER_S)


def _read(answer: httpx.Response, body: bytes, *, whole: bool) -> Any:
    """An answer as JSON: itself, or text, or what is known of bytes."""
    if answer.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        return {"omitted": True, "because": "compressed", "bytes": len(body)}
    if not body:
        return None
    if whole:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            pass
    try:
        text = body.decode("utf-8", errors="strict" if whole else "ignore")
    except UnicodeDecodeError:
        return {"omitted": True, "because": "binary", "bytes": len(body)}
    return {"text": text} if whole else {"truncated": True, "text": text[:-_CUT_CHARS]}
