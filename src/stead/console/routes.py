"""All pages. They are no part of the API's description."""

from __future__ import annotations

from fastapi import APIRouter

from stead.console import (
    activity,
    approvals,
    changes,
    guardrails,
    letters,
    outcomes,
    overview,
    signing_in,
)

router = APIRouter(include_in_schema=False)
for part in (signing_in, overview, approvals, outcomes, letters, guardrails, activity, changes):
    router.include_router(part.router)
