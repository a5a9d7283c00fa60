"""From a name in the settings to a reranker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from stead.providers.rerankers.errors import RerankerNotConfigured, RerankerUnknown
from stead.providers.rerankers.interface import Reranker

ALLOWED: Final = "http/<model>, fastembed/<model>"


@dataclass(frozen=True, kw_only=True)
class RerankerConfig:
    """What rerankers need beyond their name.

    Args:
        url: For ``http/…``: the endpoint, or what stands before its ``/rerank``, such as
            ``https://api.cohere.com/v2``.
        api_key: Sent as bearer token. May be missing where the server asks for none.
        timeout_s: For one request, from its beginning to the end of the answer.
    """

    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0


def build_reranker(name: str, config: RerankerConfig) -> Reranker:
    """The reranker of that name. No request is made yet and no model loaded.

    Args:
        name: ``http/<model>`` for a server with Cohere's or Jina's ``POST /rerank``, or
            ``fastembed/<model>`` for a model on this machine.
        config: Address and key.

    Raises:
        RerankerUnknown: There is no such reranker.
        RerankerNotConfigured: It needs an address or an extra that is missing.
    """
    kind, _, model = name.partition("/")
    if kind == "http" and model:
        from stead.providers.rerankers.http import HttpReranker  # noqa: PLC0415 httpx is slow to import

        return HttpReranker(
            model=model,
            url=_endpoint(name, config.url),
            api_key=config.api_key,
            timeout_s=config.timeout_s,
        )
    if kind == "fastembed" and model:
        from stead.providers.rerankers.fastembed import FastEmbedReranker  # noqa: PLC0415 it imports numpy

        return FastEmbedReranker(model)
    raise RerankerUnknown(f"there is no reranker {name!r}", hint=f"Allowed are: {ALLOWED}.")


def _endpoint(name: str, url: str | None) -> str:
    hint = "Set STEAD_RERANKER_URL to http://… or https://… of a server with POST /rerank."
    if not url:
        raise RerankerNotConfigured(f"the reranker {name} needs an address", hint=hint)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # of a port that is no number, or a broken IPv6 address
        usable = False
    else:
        usable = usable and not (parts.query or parts.fragment or parts.username or parts.password)
    if not usable:
        raise RerankerNotConfigured(f"the address of the reranker {name} cannot be used", hint=hint)
    address = url.rstrip("/")
    return address if address.endswith("/rerank") else f"{address}/rerank"
