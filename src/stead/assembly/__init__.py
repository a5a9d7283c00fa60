"""Where the parts are put together: settings, wiring, `Stead`.

Owns no table. What always holds: settings are read here and nowhere else; parts get small configurations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stead.assembly.settings import Settings, load_settings

if TYPE_CHECKING:
    from stead.assembly.stead import Stead

__all__ = ["Settings", "Stead", "load_settings"]


def __getattr__(name: str) -> Any:
    # Looked up when asked for: a command that only reads its settings must not load every part.
    if name != "Stead":
        raise AttributeError(f"module 'stead.assembly' has no attribute {name!r}")
    from stead.assembly.stead import Stead  # noqa: PLC0415

    return Stead
