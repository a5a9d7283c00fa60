"""A process of its own for a job that may be what ends processes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

_log = structlog.stdlib.get_logger(__name__)


async def run_alone(command: Sequence[str], job_id: UUID) -> None:
    """Runs one job by a command, which claims it, and waits for its end.

    Args:
        command: Program and arguments, which the job's id follows.
        job_id: The job.

    Raises:
        asyncio.CancelledError: This worker stops; the other process is asked to stop too.
    """
    process = await asyncio.create_subprocess_exec(
        *command, str(job_id), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        raise
    _log.info("job_ran_alone", job_id=str(job_id), exit=code)
