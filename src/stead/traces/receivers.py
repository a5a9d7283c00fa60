"""Addresses and headers of receivers, and whether one answers. Known without OpenTelemetry."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx

from stead.traces.config import TracesConfig
from stead.traces.errors import TracesUnreachable

_PATH: Final = "/v1/traces"


def traces_url(endpoint: str) -> str:
    """Where spans go at a receiver whose address is that of all signals, as OTLP has it."""
    base = endpoint.rstrip("/")
    return base if base.endswith(_PATH) else f"{base}{_PATH}"


def langfuse(host: str, public_key: str, secret_key: str) -> tuple[str, dict[str, str]]:
    """Endpoint and headers of a Langfuse project."""
    keys = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
    headers = {"authorization": f"Basic {keys}", "x-langfuse-ingestion-version": "4"}
    return f"{host.rstrip('/')}/api/public/otel", headers


def read_headers(text: str) -> dict[str, str]:
    """Headers as OTLP's variable has them: ``name=value,other=value``, percent-encoded.

    Raises:
        ValueError: A part of it is none; its message does not repeat it.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        name, value = unquote(name).strip().lower(), unquote(value).strip()
        if not equals or not name.isascii() or not name or any(c in name for c in " \t\r\n:"):
            raise ValueError("headers are name=value, with commas between them")
        if not value.isprintable():
            raise ValueError("the value of a header has characters that no header may have")
        found[name] = value
    return found


def address_of(url: str) -> str:
    """A URL as it may be shown: without what a password could stand in."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


async def probe(config: TracesConfig, *, timeout_s: float = 5.0) -> str:
    """Sends a batch of no spans.

    Returns:
        What the receiver said to it, in words.

    Raises:
        TracesUnreachable: It does not answer, refuses the credentials, or is none.
    """
    headers: Mapping[str, str] = {**config.headers, "content-type": "application/x-protobuf"}
    where = address_of(config.url)
    try:
        async with httpx.AsyncClient(timeout=timeout_s, follow_redirects=False) as client:
            answer = await client.post(config.url, content=b"", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TracesUnreachable(
            f"{where} does not answer ({type(error).__name__})", hint="Check STEAD_OTLP_ENDPOINT."
        ) from None
    status = answer.status_code
    if status in {401, 403}:
        raise TracesUnreachable(
            f"{where} refuses the credentials ({status})",
            hint="Check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, or STEAD_OTLP_HEADERS.",
        )
    if status in {404, 405} or status >= 500 or 300 <= status < 400:
        raise TracesUnreachable(
            f"{where} answers {status}", hint="The endpoint must speak OTLP over HTTP (port 4318)."
        )
    # Some refuse a batch of nothing, after they have looked at the credentials.
    return f"{where} answers"
