"""Schedules: jobs that are made at times of a clock on the wall.

Owns, privately, ``schedules`` and ``schedule_pauses``. What always holds: a tick makes one job for each tenant,
whoever fires it and however often; making the jobs and moving on to the next tick is one transaction. There is no
leader: whoever locks the row fires it.
"""

from stead.scheduling import exporting, schedules, shared
from stead.scheduling.cron import Cron
from stead.scheduling.errors import (
    PgCronMissing,
    ScheduleForAll,
    ScheduleInCode,
    ScheduleInvalid,
    SchedulePaused,
    ScheduleUnknown,
)
from stead.scheduling.firing import Scheduler
from stead.scheduling.models import Missed, NewSchedule, Schedule, SharedSchedule, Source
from stead.scheduling.registry import CodeSchedule, ScheduleRegistry
from stead.scheduling.standing import Clockwork, Standing

__all__ = [
    "Clockwork",
    "CodeSchedule",
    "Cron",
    "Missed",
    "NewSchedule",
    "PgCronMissing",
    "Schedule",
    "ScheduleForAll",
    "ScheduleInCode",
    "ScheduleInvalid",
    "SchedulePaused",
    "ScheduleRegistry",
    "ScheduleUnknown",
    "Scheduler",
    "SharedSchedule",
    "Source",
    "Standing",
    "exporting",
    "schedules",
    "shared",
]
