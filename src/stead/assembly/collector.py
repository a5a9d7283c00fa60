"""Python's garbage collector in a process that serves."""

from __future__ import annotations

import gc


def calm_collector() -> None:
    """Lets it look more seldom, and never again at what is loaded already.

    Streams and batches hold tens of thousands of objects for a while. Looked through at every seven hundredth new
    one, as is Python's way, they are looked through for nothing; so are the modules, at each full collection.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
