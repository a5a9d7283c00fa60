"""Where spans go, and what may be in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class TracesConfig:
    """Where spans go, and what is in them.

    Args:
        url: Of the receiver, to its ``/v1/traces``.
        headers: Sent along, such as a key.
        content: Whether spans have what was said.
        ratio: Of traces that are kept, 0 to 1.
        environment: Such as ``production``.
        version: Of Stead.
        secrets: Values that no span shows, whatever was said.
        queue: Spans that wait at most; what comes beyond is dropped and counted.
        batch: Spans that are sent together.
        delay_s: How long a span waits for others.
        timeout_s: For sending a batch, with its repetitions.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    content: bool = False
    ratio: float = 1.0
    environment: str = "development"
    version: str = ""
    secrets: Sequence[str] = field(default=(), repr=False)
    queue: int = 4096
    # With content a span can have 150 KB; receivers take some megabytes at once.
    batch: int = 32
    delay_s: float = 0.5
    timeout_s: float = 10.0
