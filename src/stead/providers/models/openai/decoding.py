"""From the bytes of a stream to its events; deltas that arrived together become one.

The first delta is passed on when it arrives, and so is every other while this process keeps up. When it does not,
it finds more of them at each turn (see `Pace`) and passes them on for the price of one: under load answers come
in larger pieces, and not later and later.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final

from openai._streaming import ServerSentEvent, SSEDecoder
from typing_extensions import override

from stead.providers.models.openai.ahead import ReadAhead
from stead.providers.models.openai.merging import joined
from stead.providers.models.openai.pace import Pace

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_DONE: Final = "[DONE]"
#: How long the end of the body is waited for after ``[DONE]``, so that the connection can be used again.
_LINGER_S: Final = 0.1


class Event(ServerSentEvent):
    """An event whose JSON was read already."""

    def __init__(self, sent: ServerSentEvent, value: Any) -> None:
        super().__init__(event=sent.event, data=sent.data, id=sent.id, retry=sent.retry)
        self.value = value

    @override
    def json(self) -> Any:
        return self.value


class Lines:
    """Splits bytes at LF, CR and CRLF, wherever the network has cut them."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._after_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in these bytes."""
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if not data:
            return []
        self._after_cr = data.endswith(b"\r")
        lines = _LINE_END.split(data)
        last = lines.pop()
        if lines and self._begun:
            lines[0] = b"".join([*self._begun, lines[0]])
            self._begun.clear()
        if last:
            self._begun.append(last)
        return lines

    def rest(self) -> list[bytes]:
        """What no line's end came after."""
        return [b"".join(self._begun)] if self._begun else []


class Decoder:
    """Stands where the library's own decoder of server-sent events does, for one stream.

    Args:
        pace: What all streams of this process share.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
        """Every event of the stream, deltas that arrived together as one."""
        lines, fields = Lines(), SSEDecoder()
        ahead = ReadAhead(iterator, self._pace)
        try:
            while arrived := await ahead.take():
                for event in _together(_events(fields, lines.feed(arrived))):
                    if event.data.startswith(_DONE):
                        await ahead.finish(_LINGER_S)
                    yield event
                await self._pace.rest()
            for event in _together(_events(fields, lines.rest())):
                yield event
        finally:
            await ahead.aclose()


def _events(fields: SSEDecoder, lines: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    for line in lines:
        sent = fields.decode(line.decode())
        if sent is not None:
            yield _read(sent)


def _read(sent: ServerSentEvent) -> ServerSentEvent:
    if sent.data.startswith(_DONE):
        return sent
    try:
        return Event(sent, json.loads(sent.data))
    except (ValueError, RecursionError):
        # The library says so when this event's turn has come.
        return sent


def _together(events: Iterator[ServerSentEvent]) -> Iterator[ServerSentEvent]:
    held: ServerSentEvent | None = None
    failure: Exception | None = None
    try:
        for event in events:
            if isinstance(held, Event) and isinstance(event, Event):
                both = joined(held.value, event.value)
                if both is not None:
                    held = Event(event, both)
                    continue
            if held is not None:
                yield held
            held = event
    except UnicodeDecodeError as error:
        failure = error
    if held is not None:
        yield held
    if failure is not None:
        raise failure
