"""Marketplace (document 000): agents that are found, compared, talked to and hired.

Owns ``session_candidates`` and ``waitlist_entries``, and lists the catalogue of `stead.agents` with its tags and
endorsements. What always holds: a score is a pure function of figures that it names; candidates and entries are
seen with their session; no stored reason quotes what is remembered of a person.
"""

from stead.apps.marketplace import catalogue, comparing, reasons, waitlist
from stead.apps.marketplace.models import (
    Detail,
    Filters,
    Listing,
    Page,
    Ranked,
    ReasonsBy,
    WaitlistEntry,
    WaitlistStatus,
    Wish,
)
from stead.apps.marketplace.scoring import FitWeights

__all__ = [
    "Detail",
    "Filters",
    "FitWeights",
    "Listing",
    "Page",
    "Ranked",
    "ReasonsBy",
    "WaitlistEntry",
    "WaitlistStatus",
    "Wish",
    "catalogue",
    "comparing",
    "reasons",
    "waitlist",
]
