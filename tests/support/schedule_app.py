"""An application with a schedule, run by worker processes."""

from __future__ import annotations

from stead import Stead
from stead.jobs import JobContext

app = Stead()


@app.schedule("0 5 1 1 *", name="yearly", missed="all", tick="at")
@app.job("yearly")
async def yearly(job: JobContext, at: str) -> str:
    """Says for when it is."""
    return at
