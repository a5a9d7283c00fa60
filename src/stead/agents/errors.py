"""What can go wrong with agents and their runs."""

from stead.core.errors import Conflict, Invalid, NotFound, Unavailable


class AgentUnknown(NotFound):
    """There is no such agent."""

    code = "agent_unknown"


class GenerationUnknown(NotFound):
    """Nothing of this type is generated here."""

    code = "generation_unknown"


class GenerationTaken(Conflict):
    """Another agent generates this type."""

    code = "generation_taken"


class AgentInvalid(Invalid):
    """The agent's definition is not valid."""

    code = "agent_invalid"


class RunUnknown(NotFound):
    """There is no such run."""

    code = "run_unknown"


class SessionBusy(Conflict):
    """The session is answering another message."""

    code = "session_busy"


class NothingToAnswer(Conflict):
    """There is no message to answer."""

    code = "nothing_to_answer"


class RunInterrupted(Unavailable):
    """The process that was answering stopped."""

    code = "run_interrupted"


class RunStateUnreadable(Conflict):
    """The run that waited cannot be read by this version."""

    code = "run_state_unreadable"


class TooManyRuns(Unavailable):
    """This server answers as many messages as it can."""

    code = "too_many_runs"


class DatasetInvalid(Invalid):
    """The data set to evaluate with cannot be read."""

    code = "dataset_invalid"


class EvaluationSettingsInvalid(Invalid):
    """Recall cannot be evaluated with these settings."""

    code = "evaluation_settings_invalid"
