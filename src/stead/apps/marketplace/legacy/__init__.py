"""000's deprecated tables: ``comparison_sessions``, ``comparison_candidates``, ``integration_events`` and
``anonymous_prompts``.

What always holds: nothing is moved or dropped unless that is said; a row is moved once; a table with rows that
were not moved is dropped only by force.
"""

from stead.apps.marketplace.legacy.moving import TABLES, Moved, move_legacy

__all__ = ["TABLES", "Moved", "move_legacy"]
