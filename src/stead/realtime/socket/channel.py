"""One joined channel of a socket: its subscriptions, what it says and hears, and when its right to that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from stead.identity import Admission, Principal
from stead.realtime import channels
from stead.realtime.errors import MessageInvalid, SubscriptionInvalid
from stead.realtime.messages import PREFIX, Message, Version, encode, frame
from stead.realtime.models import Change, Subscription, Wanted
from stead.realtime.presence import Present
from stead.realtime.socket.limits import SocketLimits
from stead.realtime.socket.outgoing import Outgoing

if TYPE_CHECKING:
    from stead.realtime.live import LiveUpdates


class _Binding:
    """One subscription to changes, with the id that the client knows it by."""

    __slots__ = ("channel", "id", "subscription", "wanted")

    def __init__(self, channel: Channel, number: int, wanted: Wanted) -> None:
        self.channel = channel
        self.id = number
        self.wanted = wanted
        self.subscription: Subscription | None = None

    def take(self, change: Change) -> None:
        """For the feed."""
        self.channel.push("postgres_changes", f'{{"ids":[{self.id}],"data":{change.data}}}')

    def lost(self) -> None:
        """For the feed."""
        self.channel.system(
            "postgres_changes", "error", "Changes may have been missed: read the table again"
        )


class Config:
    """What a client asks for when it joins.

    Raises:
        SubscriptionInvalid: It has another form.
        FilterInvalid: A filter cannot be read.
    """

    def __init__(self, payload: dict[str, Any], limits: SocketLimits) -> None:
        config = _object(payload.get("config"))
        spoken, present = _object(config.get("broadcast")), _object(config.get("presence"))
        self.echo = spoken.get("self") is True
        self.ack = spoken.get("ack") is True
        self.presence = present.get("enabled") is True
        key = present.get("key")
        if key is not None and (not isinstance(key, str) or len(key) > 255 or "\0" in key):
            raise SubscriptionInvalid("presence: key is a text of at most 255 characters")
        self.presence_key = key or str(uuid4())
        changes: object = config.get("postgres_changes") or []
        if not isinstance(changes, list):
            raise SubscriptionInvalid("postgres_changes: a list")
        self.given = cast("list[dict[str, Any]]", changes)
        if len(self.given) > limits.bindings:
            raise SubscriptionInvalid(f"postgres_changes: at most {limits.bindings}")
        self.wanted = [Wanted.read(one) for one in self.given]


def _object(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise SubscriptionInvalid("config: objects broadcast and presence, a list postgres_changes")
    return cast("dict[str, Any]", given)


class Channel:
    """A joined channel.

    Args:
        live: What it is served from.
        topic: With its prefix.
        join_ref: Of this joining.
        admission: With whose rights, and for how long.
        on_expiry: Called when the token ends, or the key is good no longer.
    """

    def __init__(
        self,
        live: LiveUpdates,
        out: Outgoing,
        version: Version,
        topic: str,
        join_ref: str | None,
        admission: Admission,
        config: Config,
        on_expiry: Callable[[Channel], None],
    ) -> None:
        self._live = live
        self._out = out
        self._version: Version = version
        self.topic = topic
        self.name = topic.removeprefix(PREFIX)
        self.join_ref = join_ref
        self.config = config
        self.admission = admission
        self._on_expiry = on_expiry
        self._presence_id = uuid4()
        self._bindings: list[_Binding] = []
        self._timer: asyncio.TimerHandle | None = None
        self._release: Callable[[], None] | None = None
        self._hears = False

    @property
    def principal(self) -> Principal:
        """With whose rights."""
        return self.admission.principal

    async def open(self, number: Callable[[], int]) -> dict[str, Any]:
        """Subscribes; returns what the client is answered.

        Args:
            number: Ids for subscriptions, never 0.

        Raises:
            ChannelForbidden: It is another tenant's, or not for this identity.
            TableNotPublished, FilterInvalid, SubscriptionInvalid, TooManySubscriptions: As `Feed.subscribe`.
        """
        channels.may_join(self.principal, self.name)
        # Visitors follow changes; what people say to each other is not theirs to hear.
        if self.principal.kind != "anonymous":
            await self._live.channels.join(self.principal.tenant.id, self.name, self)
            self._hears = True
        for wanted in self.config.wanted:
            binding = _Binding(self, number(), wanted)
            binding.subscription = await self._live.feed.subscribe(self.principal, wanted, binding)
            self._bindings.append(binding)
        self._arm()
        return {
            "postgres_changes": [
                {**given, "id": binding.id}
                for given, binding in zip(self.config.given, self._bindings, strict=True)
            ]
        }

    async def greet(self) -> None:
        """What follows the answer to a joining."""
        if self._bindings:
            self.system("postgres_changes", "ok", "Subscribed to PostgreSQL")
        if self.config.presence and self._hears:
            state = await self._live.presences.state(self.principal.tenant.id, self.name)
            self.push("presence_state", encode(state))

    async def renew(self, admission: Admission) -> bool:
        """Goes on with another token; False where it belongs to another tenant."""
        before, now = self.principal, admission.principal
        if now.tenant.id != before.tenant.id:
            return False
        self.admission = admission
        if (now.role, now.claims_json) != (before.role, before.claims_json):
            channels.may_join(now, self.name)
            for binding in self._bindings:
                if binding.subscription is not None:
                    self._live.feed.unsubscribe(binding.subscription)
                    binding.subscription = None
                binding.subscription = await self._live.feed.subscribe(now, binding.wanted, binding)
            if now.kind == "anonymous" and self._hears:
                self._hears = False
                self._live.channels.leave(now.tenant.id, self.name, self)
        self._arm()
        return True

    async def close(self) -> None:
        """Ends all of it. Twice is no error."""
        self._disarm()
        for binding in self._bindings:
            if binding.subscription is not None:
                self._live.feed.unsubscribe(binding.subscription)
        self._bindings.clear()
        if self._hears:
            self._hears = False
            self._live.channels.leave(self.principal.tenant.id, self.name, self)
        await self._live.presences.leave(self._presence_id)

    def hear(self, message: Message) -> None:
        """For the channels."""
        if message.kind != "presence" or self.config.presence:
            self._out.put(message.framed(self._version))

    async def say(self, payload: dict[str, Any]) -> bool:
        """The client broadcasts.

        Raises:
            ChannelForbidden: It may not.
            MessageInvalid: It is malformed or too large.
        """
        channels.may_speak(self.principal, self.name)
        event = payload.get("event")
        if not isinstance(event, str):
            raise MessageInvalid("event: a text")
        kind = "binary" if payload.get("type") == "binary" else "broadcast"
        body = payload.get("payload")
        if kind == "binary" and not (isinstance(body, dict) and "binary" in body):
            raise MessageInvalid("payload: binary ones come in binary")
        message = Message(self.principal.tenant.id, self.name, kind, event, body)
        message.check()
        return await self._live.channels.say(
            message, self, to_sender=self.config.echo, wait=self.config.ack
        )

    async def be_present(self, payload: dict[str, Any]) -> None:
        """The client says of itself that it is there, or is no more.

        Raises:
            ChannelForbidden: It may not.
            MessageInvalid: It is malformed or too large.
        """
        channels.may_speak(self.principal, self.name)
        match str(payload.get("event", "")).lower():
            case "track":
                said: object = payload.get("payload") or {}
                if not isinstance(said, dict):
                    raise MessageInvalid("payload: an object")
                reference = str(uuid4())
                await self._live.presences.enter(
                    Present(
                        id=self._presence_id,
                        tenant_id=self.principal.tenant.id,
                        topic=self.name,
                        key=self.config.presence_key,
                        meta={**cast("dict[str, Any]", said), "phx_ref": reference},
                    )
                )
                if not self.config.presence:
                    self.config.presence = True
                    await self.greet_presence()
            case "untrack":
                await self._live.presences.leave(self._presence_id)
            case _:
                raise MessageInvalid("presence: track or untrack")

    async def greet_presence(self) -> None:
        """Who is there, for whoever begins to want to know."""
        state = await self._live.presences.state(self.principal.tenant.id, self.name)
        self.push("presence_state", encode(state))

    def push(self, event: str, payload: str) -> None:
        """Sends something that the client did not ask for.

        Args:
            payload: JSON, encoded.
        """
        self._out.put(frame(self._version, self.topic, event, payload))

    def system(self, extension: str, status: str, message: str) -> None:
        """Sends a note of the system's."""
        note = {"extension": extension, "status": status, "message": message, "channel": self.name}
        self.push("system", encode(note))

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._release is not None:
            self._release()
            self._release = None

    def _arm(self) -> None:
        self._disarm()
        hold = self._live.keys.of(self.principal)
        if hold is not None:
            self._release = hold(partial(self._on_expiry, self))
        ends = self.admission.expires_at
        if ends is not None:
            left_s = max(0.0, (ends - datetime.now(UTC)).total_seconds())
            self._timer = asyncio.get_running_loop().call_later(left_s, self._on_expiry, self)
