"""What is said in a channel, and how it goes over a socket."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from stead.realtime.errors import MessageInvalid

Kind = Literal["broadcast", "binary", "presence"]
Version = Literal["1.0.0", "2.0.0"]
PREFIX: Final = "realtime:"
MAX_PAYLOAD_CHARS: Final = 256 * 1024
_MAX_NAME_CHARS: Final = 255
_PUSH: Final = 3
_BROADCAST: Final = 4
_JSON: Final = 1


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One message of a client, in Phoenix's terms."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: dict[str, Any]


def encode(value: object) -> str:
    """JSON, as short as it goes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def frame(
    version: Version,
    topic: str,
    event: str,
    payload: str,
    join_ref: str | None = None,
    ref: str | None = None,
) -> str:
    """A message to a client.

    Args:
        payload: JSON, encoded.
    """
    if version == "1.0.0":
        rest = f'"ref":{encode(ref)},"join_ref":{encode(join_ref)}'
        return f'{{"topic":{encode(topic)},"event":{encode(event)},"payload":{payload},{rest}}}'
    return f"[{encode(join_ref)},{encode(ref)},{encode(topic)},{encode(event)},{payload}]"


def read(data: str | bytes) -> Incoming:
    """A message of a client: a list of five (2.0.0), an object (1.0.0), or a broadcast in binary (2.0.0).

    Raises:
        MessageInvalid: It is none of these.
    """
    if isinstance(data, bytes):
        return _read_push(data)
    try:
        given: Any = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MessageInvalid("no JSON") from None
    match given:
        case [join_ref, ref, str(topic), str(event), payload]:
            pass
        case {"topic": str(topic), "event": str(event), "payload": payload}:
            join_ref, ref = given.get("join_ref"), given.get("ref")
        case _:
            raise MessageInvalid("no message of Phoenix's protocol")
    if not isinstance(payload, dict):
        payload = {}
    if len(topic) > _MAX_NAME_CHARS or len(event) > _MAX_NAME_CHARS:
        raise MessageInvalid("a name is too long")
    return Incoming(
        join_ref=_ref(join_ref),
        ref=_ref(ref),
        topic=topic,
        event=event,
        payload=payload,  # pyright: ignore[reportUnknownArgumentType]
    )


def _refuse(name: str) -> float:
    raise ValueError(name)


def _ref(value: object) -> str | None:
    return None if value is None else str(value)[:_MAX_NAME_CHARS]


def _read_push(data: bytes) -> Incoming:
    """Kind 3: six lengths and the encoding in a byte each, the names, then the payload."""
    if len(data) < 7 or data[0] != _PUSH:
        raise MessageInvalid("no message that is known here")
    lengths, place = data[1:6], 7
    texts: list[str] = []
    try:
        for length in lengths:
            if place + length > len(data):
                raise MessageInvalid("a name is cut off")
            texts.append(data[place : place + length].decode())
            place += length
        body = data[place:]
        payload: Any = (
            json.loads(body, parse_constant=_refuse)
            if data[6] == _JSON
            else {"binary": base64.b64encode(body).decode()}
        )
    except (ValueError, RecursionError):
        raise MessageInvalid("a name or the payload cannot be read") from None
    join_ref, ref, topic, event, _ = texts
    kind = "broadcast" if data[6] == _JSON else "binary"
    return Incoming(
        join_ref=join_ref or None,
        ref=ref or None,
        topic=topic,
        event="broadcast",
        payload={"type": kind, "event": event, "payload": payload},
    )


class Message:
    """Something said in a channel. The same object for all who are there, encoded once.

    Args:
        topic: Without its prefix.
        payload: JSON; of ``binary`` ones ``{"binary": base64}``.
    """

    __slots__ = ("_frames", "event", "kind", "payload", "tenant_id", "topic")

    def __init__(self, tenant_id: UUID, topic: str, kind: Kind, event: str, payload: Any) -> None:
        self.tenant_id = tenant_id
        self.topic = topic
        self.kind: Kind = kind
        self.event = event
        self.payload = payload
        self._frames: dict[Version, str | bytes] = {}

    def check(self) -> None:
        """Raises MessageInvalid where it is too large, or nameless, or holds what cannot be stored."""
        if not 0 < len(self.event) <= _MAX_NAME_CHARS or "\0" in self.event:
            raise MessageInvalid("event: 1 to 255 characters")
        text = encode(self.payload)
        if len(text) > MAX_PAYLOAD_CHARS:
            raise MessageInvalid(f"payload: at most {MAX_PAYLOAD_CHARS} characters")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise MessageInvalid("payload: half a surrogate pair") from None
        if "\\u0000" in text:
            raise MessageInvalid("payload: a NUL character")

    def framed(self, version: Version) -> str | bytes:
        """As it goes to a client."""
        found = self._frames.get(version)
        if found is None:
            found = self._frames[version] = self._encode(version)
        return found

    def _encode(self, version: Version) -> str | bytes:
        topic = PREFIX + self.topic
        if self.kind == "presence":
            return frame(version, topic, self.event, encode(self.payload))
        if self.kind == "binary" and version == "2.0.0":
            names = (topic.encode(), self.event.encode())
            head = bytes([_BROADCAST, len(names[0]), len(names[1]), 0, 0])
            return head + b"".join(names) + base64.b64decode(self.payload["binary"])
        body = {"type": "broadcast", "event": self.event, "payload": self.payload}
        return frame(version, topic, "broadcast", encode(body))
