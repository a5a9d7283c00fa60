"""A socket: frames in, frames out, and the channels that were joined over it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import structlog
from prometheus_client import Gauge

from stead.core.errors import Forbidden, SteadError, Unauthenticated
from stead.db import CONNECTION_LOST
from stead.identity import Admission
from stead.identity.errors import ApiKeyInvalid
from stead.realtime.errors import ChannelForbidden, MessageInvalid, SubscriptionInvalid
from stead.realtime.messages import PREFIX, Incoming, Version, encode, frame, read
from stead.realtime.socket.channel import Channel, Config
from stead.realtime.socket.limits import Bucket, SocketLimits
from stead.realtime.socket.outgoing import Outgoing, Send

if TYPE_CHECKING:
    from stead.realtime.live import LiveUpdates

_log = structlog.stdlib.get_logger(__name__)

SOCKETS: Final = Gauge("stead_realtime_sockets", "Open sockets.")
CHANNELS: Final = Gauge("stead_realtime_channels", "Joined channels.")

#: Why a socket was closed, as WebSocket's codes.
NORMAL: Final = 1000
POLICY: Final = 1008
INVALID: Final = 1003
TRY_LATER: Final = 1013

#: Proves a token; counts failures against whoever is at the other end.
Admit = Callable[[str], Awaitable[Admission]]


class Socket:
    """One connection.

    Args:
        live: What it is served from.
        admit: Proves a token.
        token: The one that came with the address; used where a channel brings none.
        version: Of the protocol.
        limits: What it may cost.
    """

    def __init__(
        self, live: LiveUpdates, admit: Admit, token: str, version: Version, limits: SocketLimits
    ) -> None:
        self._live = live
        self._admit = admit
        self._token = token
        self._version: Version = version
        self._limits = limits
        self._out = Outgoing(limits)
        self._bucket = Bucket(limits.messages_per_s)
        self._channels: dict[str, Channel] = {}
        self._tokens: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._expired: asyncio.Queue[Channel] = asyncio.Queue()
        self._emptied = asyncio.get_running_loop().time()

    async def run(self, incoming: AsyncIterator[str | bytes], send: Send) -> tuple[int, str]:
        """Serves until either end is done with it; returns code and reason to close with."""
        SOCKETS.inc()
        work = [
            asyncio.create_task(self._listen(incoming), name="socket-in"),
            asyncio.create_task(self._send(send), name="socket-out"),
            asyncio.create_task(self._watch(), name="socket-watch"),
            asyncio.create_task(self._overflow(), name="socket-overflow"),
        ]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        except ConnectionError:
            return NORMAL, "gone"
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            for channel in tuple(self._channels.values()):
                await self._drop(channel)
            SOCKETS.dec()

    async def _send(self, send: Send) -> tuple[int, str]:
        await self._out.drain(send)
        return NORMAL, ""

    async def _overflow(self) -> tuple[int, str]:
        await self._out.overflowed.wait()
        return TRY_LATER, "slow"

    async def _listen(self, incoming: AsyncIterator[str | bytes]) -> tuple[int, str]:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    data = await anext(incoming)
            except (StopAsyncIteration, TimeoutError):
                return NORMAL, ""
            if not self._bucket.take():
                return POLICY, "too many messages"
            try:
                await self._take(read(data))
            except MessageInvalid:
                return INVALID, "not understood"

    async def _watch(self) -> tuple[int, str]:
        """Ends channels whose token ended, proves keys again, and ends a socket that nobody uses."""
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            pause_s = min(self._limits.recheck_s, self._limits.unjoined_s)
            try:
                async with asyncio.timeout(pause_s):
                    channel = await self._expired.get()
            except TimeoutError:
                pass
            else:
                key = channel.principal.api_key
                await self._fail(channel, ApiKeyInvalid.title() if key else "Access token has expired")
            if not self._channels and loop.time() - self._emptied > self._limits.unjoined_s:
                return NORMAL, "no channel was joined"
            if loop.time() - checked >= self._limits.recheck_s:
                checked = loop.time()
                await self._recheck()

    async def _recheck(self) -> None:
        for channel in tuple(self._channels.values()):
            if channel.admission.expires_at is None:
                try:
                    await self._admit(self._tokens[channel.topic])
                except (Unauthenticated, Forbidden) as error:
                    await self._fail(channel, error.title())
                except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
                    continue

    async def _take(self, message: Incoming) -> None:
        if message.topic == "phoenix":
            if message.event == "heartbeat":
                self._reply(message, "ok", {})
            return
        if message.event == "phx_join":
            await self._answered(message, self._join)
            return
        channel = self._channels.get(message.topic)
        if channel is None or (message.join_ref is not None and message.join_ref != channel.join_ref):
            if message.event == "phx_leave":
                self._reply(message, "ok", {})
            elif message.event != "access_token":
                self._reply(message, "error", {"reason": "unmatched topic"})
            return
        match message.event:
            case "phx_leave":
                await self._drop(channel)
                self._reply(message, "ok", {})
                self._close(channel)
            case "access_token":
                await self._renew(channel, message)
            case "broadcast":
                await self._answered(message, self._broadcast)
            case "presence":
                await self._answered(message, self._presence)
            case _:
                self._reply(message, "error", {"reason": "unknown event"})

    async def _answered(self, message: Incoming, act: Callable[[Incoming], Awaitable[None]]) -> None:
        """Does something, and tells the client when it could not be done."""
        try:
            await act(message)
        except SteadError as error:
            self._reply(message, "error", {"reason": f"{error.code}: {error.detail}"})
        except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
            _log.warning("socket_failed", message=message.event[:40], reason=type(error).__name__)
            self._reply(message, "error", {"reason": "unavailable: try again in a moment"})

    async def _join(self, message: Incoming) -> None:
        if (
            not message.topic.startswith(PREFIX)
            or len(message.topic) == len(PREFIX)
            or "\0" in message.topic
        ):
            raise SubscriptionInvalid(f"topic: {PREFIX}<name>")
        before = self._channels.get(message.topic)
        if before is not None:
            # As Phoenix does: who joins twice has left first.
            await self._drop(before)
            self._close(before)
        if len(self._channels) >= self._limits.channels:
            raise ChannelForbidden(f"at most {self._limits.channels} channels over one socket")
        given = message.payload.get("access_token")
        token = given if isinstance(given, str) and given else self._token
        admission = await self._admit(token)
        admission.principal.require_scope("realtime")
        config = Config(message.payload, self._limits)
        channel = Channel(
            self._live, self._out, self._version, message.topic, message.join_ref, admission, config,
            self._expired.put_nowait,
        )  # fmt: skip
        try:
            answer = await channel.open(lambda: next(self._numbers))
        except BaseException:
            await channel.close()
            raise
        self._channels[message.topic] = channel
        self._tokens[message.topic] = token
        CHANNELS.inc()
        self._reply(message, "ok", answer)
        await channel.greet()

    async def _broadcast(self, message: Incoming) -> None:
        channel = self._channels[message.topic]
        taken = await channel.say(message.payload)
        if not taken:
            self._reply(message, "error", {"reason": "rate_limited: too much is being said"})
        elif channel.config.ack:
            self._reply(message, "ok", {})

    async def _presence(self, message: Incoming) -> None:
        await self._channels[message.topic].be_present(message.payload)
        self._reply(message, "ok", {})

    async def _renew(self, channel: Channel, message: Incoming) -> None:
        token = message.payload.get("access_token")
        if not isinstance(token, str) or not token:
            return
        try:
            admission = await self._admit(token)
            admission.principal.require_scope("realtime")
            if not await channel.renew(admission):
                await self._fail(channel, "The token belongs to another organisation")
                return
        except SteadError as error:
            if error.status >= 500:
                return
            await self._fail(channel, error.title())
        except (asyncpg.PostgresError, *CONNECTION_LOST):
            return
        else:
            self._tokens[channel.topic] = token

    async def _fail(self, channel: Channel, why: str) -> None:
        if self._channels.get(channel.topic) is channel:
            channel.system("system", "error", why)
            await self._drop(channel)
            self._close(channel)

    async def _drop(self, channel: Channel) -> None:
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]
            self._tokens.pop(channel.topic, None)
            self._emptied = asyncio.get_running_loop().time()
            CHANNELS.dec()
        with contextlib.suppress(SteadError, asyncpg.PostgresError, *CONNECTION_LOST):
            await channel.close()

    def _close(self, channel: Channel) -> None:
        self._out.put(
            frame(self._version, channel.topic, "phx_close", "{}", channel.join_ref, channel.join_ref)
        )

    def _reply(self, message: Incoming, status: str, response: dict[str, Any]) -> None:
        body = encode({"status": status, "response": response})
        self._out.put(
            frame(self._version, message.topic, "phx_reply", body, message.join_ref, message.ref)
        )
