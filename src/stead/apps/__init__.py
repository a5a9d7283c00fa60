"""Applications built on the parts: each a router, a few tables, a few functions."""
