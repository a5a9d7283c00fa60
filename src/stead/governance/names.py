"""Names of tools, providers and scopes, with patterns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: A name, or the beginning of one with a star: ``finance:*``. Stars elsewhere are not taken, so that matching
#: costs the same whatever somebody writes.
PATTERN = r"^(\*|[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,199}\*?)$"


@dataclass(frozen=True, slots=True)
class Names:
    """A set of names, some of them by how they begin.

    Args:
        exact: Whole names.
        prefixes: Beginnings; the empty one covers every name.
    """

    exact: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Names:
        """The names that patterns stand for."""
        given = list(patterns)
        return cls(
            frozenset(each for each in given if not each.endswith("*")),
            tuple(sorted(each[:-1] for each in given if each.endswith("*"))),
        )

    def cover(self, name: str) -> bool:
        """Whether a name is one of these."""
        return name in self.exact or name.startswith(self.prefixes)


NO_NAMES: Final = Names()
