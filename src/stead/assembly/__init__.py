"""Where the parts are put together: settings, wiring, `Stead`.

Owns no table. What always holds: settings are read here and nowhere else; parts get small configurations.
"""

from stead.assembly.settings import Settings, load_settings
from stead.assembly.stead import Stead

__all__ = ["Settings", "Stead", "load_settings"]
