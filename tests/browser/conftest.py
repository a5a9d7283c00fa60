"""The console's operators, for tests in a browser."""

from tests.console.conftest import console, desk

__all__ = ["console", "desk"]
