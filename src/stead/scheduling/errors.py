"""What can go wrong with schedules."""

from __future__ import annotations

from stead.core.errors import Conflict, Invalid, NotFound


class ScheduleUnknown(NotFound):
    """There is no such schedule."""

    code = "schedule_unknown"


class ScheduleInvalid(Invalid):
    """The schedule cannot be read."""

    code = "schedule_invalid"


class ScheduleInCode(Conflict):
    """The schedule is defined in code."""

    code = "schedule_in_code"


class SchedulePaused(Conflict):
    """The schedule is paused."""

    code = "schedule_paused"


class ScheduleForAll(Conflict):
    """The schedule serves all tenants at once."""

    code = "schedule_for_all"


class PgCronMissing(Conflict):
    """The database has no pg_cron."""

    code = "pg_cron_missing"
