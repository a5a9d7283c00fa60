"""An application with no handlers of its own."""

from __future__ import annotations

from stead import Stead

app = Stead()
