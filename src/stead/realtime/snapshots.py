"""Which transactions a reader has seen, and where in the feed a subscriber stands.

Ids of rows are given when they are written and seen when they are committed, so the order of ids is not that in
which rows appear. A snapshot says exactly what was visible: what a later one shows beyond it is what is new,
whoever committed late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from stead.realtime.errors import PositionInvalid

_SNAPSHOT: Final = re.compile(r"(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19})*)?)")
_PLACE: Final = re.compile(r"(\d{1,18})\.(\d{1,9})")
_MAX_TOKEN_CHARS: Final = 8192


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A ``pg_snapshot``: all transactions below ``xmax`` are visible but those that were running."""

    xmin: int
    xmax: int
    running: frozenset[int]
    text: str

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        """From PostgreSQL's spelling.

        Raises:
            PositionInvalid: It is none.
        """
        found = _SNAPSHOT.fullmatch(text)
        if found is None:
            raise PositionInvalid(hint="Begin without Last-Event-ID.")
        running = [int(xid) for xid in found[3].split(",")] if found[3] else []
        xmin, xmax = int(found[1]), int(found[2])
        # As PostgreSQL demands of its own input.
        ordered = all(a < b for a, b in pairwise(running))
        if (
            not 0 < xmin <= xmax < 2**63
            or not ordered
            or (running and not xmin <= running[0] <= running[-1] < xmax)
        ):
            raise PositionInvalid(hint="Begin without Last-Event-ID.")
        return cls(xmin, xmax, frozenset(running), text)

    def sees(self, xid: int) -> bool:
        """Whether what that transaction wrote was visible, if it was committed."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.running)

    def includes(self, other: Snapshot) -> bool:
        """Whether all that the other one sees is seen here too: whether it was taken earlier."""
        return other.xmax <= self.xmax and not any(other.sees(xid) for xid in self.running)


@dataclass(frozen=True, slots=True)
class Position:
    """What a subscriber has: all that ``seen`` sees, and of what ``upto`` sees beyond it the rows up to a place.

    Args:
        seen: Whose rows are all known.
        upto: The end of the batch that was being told; None: nothing of any batch is known.
        row: Id of the latest row of the feed that is known of that batch.
        n: Of how many rows in it, less one.
    """

    seen: Snapshot
    upto: Snapshot | None = None
    row: int = 0
    n: int = 0

    @property
    def token(self) -> str:
        """As one text, for ``Last-Event-ID``."""
        if self.upto is None:
            return self.seen.text
        return f"{self.seen.text}~{self.upto.text}~{self.row}.{self.n}"

    @classmethod
    def parse(cls, token: str) -> Position:
        """From a token.

        Raises:
            PositionInvalid: It is none of ours.
        """
        if len(token) > _MAX_TOKEN_CHARS:
            raise PositionInvalid(hint="Begin without Last-Event-ID.")
        match token.split("~"):
            case [seen]:
                return cls(Snapshot.parse(seen))
            case [seen, upto, place] if (found := _PLACE.fullmatch(place)) is not None:
                return cls(Snapshot.parse(seen), Snapshot.parse(upto), int(found[1]), int(found[2]))
            case _:
                raise PositionInvalid(hint="Begin without Last-Event-ID.")

    def covers(self, xid: int, row: int, n: int) -> bool:
        """Whether that row is known already."""
        if self.seen.sees(xid):
            return True
        return self.upto is not None and self.upto.sees(xid) and (row, n) <= (self.row, self.n)

    @property
    def end(self) -> Snapshot:
        """The latest snapshot of which anything is known."""
        return self.upto or self.seen
