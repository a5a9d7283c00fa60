"""How connections are served: uvicorn's protocol, with an end for clients that do not read.

An answer waits while its client does not take it. A client that takes nothing at all for a while is cut off:
closing politely would keep what is buffered for as long as the client likes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final

import structlog
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from stead.http.sse import SHUTDOWN_HOOK

_log = structlog.stdlib.get_logger(__name__)

#: How long a client may leave a full buffer as it is.
STALL_S: Final = 30.0
#: What is buffered for a client before its answer waits, beside what the system's socket takes.
BUFFER_BYTES: Final = 32 * 1024

STALLED: Final = Counter(
    "stead_http_stalled_total", "Connections that were cut off because their client took nothing."
)


class _Patience(asyncio.Protocol):
    """Bounded buffers, and an end to patience."""

    stall_s: float = STALL_S
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=BUFFER_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._calm()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Its buffer is full."""
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.stall_s, self._give_up)

    def resume_writing(self) -> None:
        """It reads again."""
        self._calm()
        super().resume_writing()

    def _calm(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _give_up(self) -> None:
        self._stall = None
        STALLED.inc()
        _log.info("client_stalled", after_s=self.stall_s)
        self.transport.abort()


class PatientProtocol(_Patience, HttpToolsProtocol):  # pyright: ignore[reportIncompatibleMethodOverride]
    """HTTP/1.1, with streams that hear of a shutdown."""

    _on_shutdown: Callable[[], None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._on_shutdown = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._on_shutdown = None
        scope: Any = self.scope
        scope["extensions"] = {SHUTDOWN_HOOK: self._hook}

    def shutdown(self) -> None:
        """The server is about to end."""
        super().shutdown()
        if self._on_shutdown is not None:
            self._on_shutdown()

    def _hook(self, callback: Callable[[], None]) -> None:
        self._on_shutdown = callback


class PatientSocket(_Patience, WebSocketsSansIOProtocol):  # pyright: ignore[reportIncompatibleMethodOverride]
    """WebSockets."""


def server_options(*, drain_s: float, stall_s: float = STALL_S) -> dict[str, Any]:
    """What uvicorn is told, wherever Stead is served.

    Args:
        drain_s: How long answers under way may go on after the server was asked to stop.
        stall_s: How long a client may leave a full buffer as it is.
    """
    return {
        "http": type("Http", (PatientProtocol,), {"stall_s": stall_s}),
        "ws": type("WebSocket", (PatientSocket,), {"stall_s": stall_s}),
        "loop": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": max(1, math.ceil(drain_s)),
        "ws_max_size": 1024 * 1024,
        "ws_max_queue": 16,
        # Frames are short, and a compressor for each client takes more memory than all else about it.
        "ws_per_message_deflate": False,
    }
