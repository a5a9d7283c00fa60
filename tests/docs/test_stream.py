"""Every frame that can be sent is in the reference, with its fields, and the reverse."""

from __future__ import annotations

import re

from stead.agents import frames
from tests.docs.pages import REFERENCE, rows


def _sent() -> dict[str, set[str]]:
    made = [
        frames.start("m", {}), frames.start_step(), frames.finish_step(), frames.finish({}), frames.abort(),
        frames.error("e"), frames.tool_input_start("c", "n"), frames.tool_input_delta("c", "d"),
        frames.tool_input_available("c", "n", {}), frames.tool_output_available("c", {}),
        frames.tool_output_error("c", "e"), frames.tool_approval_request("c", "a"), frames.tool_output_denied("c"),
        *(f for kind in ("text", "reasoning") for f in (
            frames.block_start(kind, "i"), frames.block_delta(kind, "i", "d"), frames.block_end(kind, "i"))),
    ]  # fmt: skip
    return {frame["type"]: set(frame) - {"type"} for frame in made}


def test_frames() -> None:
    documented: dict[str, set[str]] = {}
    for cells in rows(REFERENCE / "stream.md"):
        for kind in re.findall(r"`([a-z-]+)`", cells[0]):
            documented[kind] = set(re.findall(r"`([A-Za-z]+)`", cells[1]))
    # A block's delta is in its deltas only.
    for kind in ("text", "reasoning"):
        for end in ("start", "end"):
            documented[f"{kind}-{end}"] -= {"delta"}
    assert documented == _sent()


def test_headers() -> None:
    page = (REFERENCE / "stream.md").read_text(encoding="utf-8")
    for name, value in frames.HEADERS.items():
        assert name == "connection" or f"{name}: {value}" in page
