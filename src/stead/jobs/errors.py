"""What can go wrong with jobs."""

from __future__ import annotations

from stead.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable


class JobUnknown(NotFound):
    """There is no such job."""

    code = "job_unknown"


class JobKindUnknown(Invalid):
    """No handler is registered for this kind of job."""

    code = "job_kind_unknown"


class JobInputInvalid(Invalid):
    """The job's input does not fit its handler."""

    code = "job_input_invalid"


class JobInvalid(Invalid):
    """The job cannot be stored as it is."""

    code = "job_invalid"


class JobEnded(Conflict):
    """The job has ended."""

    code = "job_ended"


class JobNotEnded(Conflict):
    """The job has not ended."""

    code = "job_not_ended"


class JobNotWaiting(Conflict):
    """The job is not waiting for answers."""

    code = "job_not_waiting"


class AnswersInvalid(Invalid):
    """The answers do not fit the questions."""

    code = "job_answers_invalid"


class ResultInvalid(Invalid):
    """A handler or a step returned what cannot be stored as JSON."""

    code = "job_result_invalid"


class StepsChanged(Conflict):
    """A handler took other steps than before."""

    code = "job_steps_changed"


class JobTimedOut(Conflict):
    """An attempt took longer than its limit."""

    code = "job_timed_out"


class JobFailed(Forbidden):
    """The handler gave up: this job is not tried again."""

    code = "job_failed"


class BrokerNotConfigured(Invalid):
    """Jobs cannot be delivered by Celery as it is configured."""

    code = "broker_not_configured"


class BrokerUnavailable(Unavailable):
    """The broker of Celery does not answer."""

    code = "broker_unavailable"
