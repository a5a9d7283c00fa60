"""The official client, and how it is used here: no retries, explicit time-outs, no redirects, bounded answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import httpx

from stead.tools.providers.errors import ToolProviderMisconfigured

if TYPE_CHECKING:
    from composio_client import AsyncComposio

DEFAULT_URL: Final = "https://backend.composio.dev"
_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ComposioConfig:
    """How Composio is reached.

    Args:
        api_key: Of the project.
        base_url: Of its API.
        auth_configs: Which auth config accounts of a toolkit are linked by. Toolkits that are missing here cannot
            be linked.
        timeout_s: How long calls may take that are none of tools.
    """

    api_key: str = field(repr=False)
    base_url: str = DEFAULT_URL
    auth_configs: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout_s: float = 30.0


class ComposioClient:
    """The open client.

    Raises:
        ToolProviderMisconfigured: The extra is not installed.
    """

    def __init__(self, config: ComposioConfig) -> None:
        try:
            from composio_client import AsyncComposio  # noqa: PLC0415 - an extra
        except ImportError:
            raise ToolProviderMisconfigured(
                "Composio's client is not installed", hint="pip install 'stead[composio]'"
            ) from None
        self.config = config
        # Its API key is in a header of its own, which httpx would also send to where a redirect leads.
        self._http = httpx.AsyncClient(
            transport=_BoundedTransport(), follow_redirects=False, timeout=config.timeout_s
        )
        self.api: AsyncComposio = AsyncComposio(
            api_key=config.api_key,
            base_url=config.base_url,
            timeout=config.timeout_s,
            max_retries=0,
            http_client=self._http,
        )

    async def aclose(self) -> None:
        """Lets go of connections."""
        await self._http.aclose()


class _BoundedTransport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.stream = _Bounded(response.stream, request)
        return response


class _Bounded(httpx.AsyncByteStream):
    def __init__(
        self, inner: httpx.AsyncByteStream | httpx.SyncByteStream, request: httpx.Request
    ) -> None:
        assert isinstance(inner, httpx.AsyncByteStream)  # noqa: S101 - of an asynchronous transport
        self._inner = inner
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = _MAX_ANSWER_BYTES
        async for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise httpx.ReadError("the answer is too long", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
