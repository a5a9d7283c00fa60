"""The console: pages on which operators see what waits for them, and decide it.

Owns no table. What always holds: a page is shown to nobody but who signed in; whatever an agent or a provider
wrote is text on it, never markup, and its invisible characters are seen; a form is taken from a page of the
console only, and decides on exactly what its page showed; no token is ever in an address.
"""

from stead.console.routes import router

__all__ = ["router"]
