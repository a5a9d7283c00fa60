"""Limits of the outbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OutboxConfig:
    """How a worker of the outbox works.

    Args:
        concurrency: Actions at once in this process.
        tenant_share: The most of these for one tenant, as a share: one that hangs leaves room for others.
        poll_s: How often it looks without having been woken.
        hold_check_s: How often it looks whether it holds what it does not know of.
        drain_s: How long a stopping worker lets actions end.
        silent_s: After how long without a heartbeat a process is taken for dead.
        most_rescues: How often an action that may be repeated is taken from a dead process before it is given up.
        max_backoff_s: The longest pause between two attempts.
        breaker_failures: Failures in a row after which an account is left alone.
        breaker_open_s: For how long at first; twice as long each time after.
        breaker_longest_s: At most.
        keep_s: How long envelopes that ended are kept.
        dlq_limit: More dead letters than this make ``stead outbox status`` fail.
    """

    concurrency: int = 64
    tenant_share: float = 0.25
    poll_s: float = 2.0
    hold_check_s: float = 10.0
    drain_s: float = 10.0
    silent_s: float = 10.0
    most_rescues: int = 3
    max_backoff_s: float = 3_600.0
    breaker_failures: int = 5
    breaker_open_s: float = 30.0
    breaker_longest_s: float = 900.0
    keep_s: float = 90 * 86_400.0
    dlq_limit: int = 0

    @property
    def most_of_one(self) -> int:
        """The most actions of one tenant at once."""
        return max(1, int(self.concurrency * self.tenant_share))
