"""Schedules: jobs that are made at times of a clock on the wall.

Owns, privately, ``schedules``. What always holds: a tick makes one job for each tenant, whoever fires it and
however often; making the jobs and moving on to the next tick is one transaction. There is no leader: whoever
locks the row fires it.
"""

from stead.scheduling import exporting, schedules
from stead.scheduling.cron import Cron
from stead.scheduling.errors import PgCronMissing, ScheduleInCode, ScheduleInvalid, ScheduleUnknown
from stead.scheduling.firing import Scheduler
from stead.scheduling.models import Missed, NewSchedule, Schedule, Source
from stead.scheduling.registry import CodeSchedule, ScheduleRegistry

__all__ = [
    "CodeSchedule",
    "Cron",
    "Missed",
    "NewSchedule",
    "PgCronMissing",
    "Schedule",
    "ScheduleInCode",
    "ScheduleInvalid",
    "ScheduleRegistry",
    "ScheduleUnknown",
    "Scheduler",
    "Source",
    "exporting",
    "schedules",
]
