"""Text that somebody wrote, made fit to stand as data between markers in a model's instructions."""

from __future__ import annotations

import re

#: What nobody sees and a model reads all the same, or what shows a line in another order than it has: controls,
#: zero-width spaces, marks of direction, tags (which spell ASCII). What joins letters (U+200C, U+200D) stays.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_LEFT, _RIGHT = "<＜﹤‹〈⟨〈《⟪˂ᐸ❮❬❰≺", ">＞﹥›〉⟩〉》⟫˃ᐳ❯❭❱≻"  # noqa: RUF001
#: What could pass for a marker: ``</memories>``, ``<|im_start|>``, ``<system>``; and one that is never closed.
_BEGUN = rf"[{_LEFT}](?=[\s\u200c\u200d]*[/／∕⁄|\w])"  # noqa: RUF001
_TAG = re.compile(rf"{_BEGUN}([^{_LEFT}{_RIGHT}]{{1,100}})[{_RIGHT}]")
_OPENED = re.compile(_BEGUN)


def defused(text: str) -> str:
    """A text on one line and without anything that looks like a marker: it cannot step out of its block."""
    seen = _OPENED.sub("(", _TAG.sub(r"(\1)", _UNSEEN.sub("", text)))
    return " ".join(seen.replace("<", "‹").replace(">", "›").split())  # noqa: RUF001
