"""The official client with its two steps of decoding replaced: bytes to events, and events to types."""

from __future__ import annotations

from typing import Any, Final

from openai import AsyncOpenAI
from typing_extensions import override

from stead.providers.models.openai.decoding import Decoder
from stead.providers.models.openai.events import typed
from stead.providers.models.openai.pace import Pace

# Of the event loop, of which a process has one.
_PACE: Final = Pace()


class StreamingClient(AsyncOpenAI):
    """Requests, authentication, time-outs and errors are the library's own; only streams are decoded here.

    Both methods are the library's own seams. Where one of a later version no longer calls them, it decodes
    as it always did, and nothing but time is lost.
    """

    @override
    def _make_sse_decoder(self) -> Any:
        return Decoder(_PACE)

    @override
    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        event = typed(data, cast_to)
        if event is not None:
            return event
        return super()._process_response_data(data=data, cast_to=cast_to, response=response)
