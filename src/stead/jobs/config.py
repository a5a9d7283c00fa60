"""Limits of a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How a worker works.

    Args:
        concurrency: Jobs at once in this process.
        queues: Which queues it works; None: those that its handlers name.
        poll_s: How often it looks without having been woken, with jitter.
        report_s: How often progress is stored.
        hold_check_s: How often it looks whether its jobs are still its own, without having been told.
        drain_s: How long a stopping worker lets jobs end before it hands them back.
        silent_s: After how long without a heartbeat a process is taken for dead.
        most_rescues: How often a job may be lost with its process before it fails.
        keep_s: How long jobs that ended are kept.
        keep_events_s: How long their events are kept after that.
        solitary_command: The command that runs one job, whose id follows, in a process of its own; None: jobs that
            were lost twice with their process are not told apart.
        tell_errors: Whether the text of an unexpected exception is stored with the job.
    """

    concurrency: int = 100
    queues: Sequence[str] | None = None
    poll_s: float = 2.0
    report_s: float = 0.1
    hold_check_s: float = 5.0
    drain_s: float = 10.0
    silent_s: float = 10.0
    most_rescues: int = 3
    keep_s: float = 30 * 86_400.0
    keep_events_s: float = 3_600.0
    solitary_command: Sequence[str] | None = None
    tell_errors: bool = True
