"""What can go wrong with sessions and messages."""

from stead.core.errors import Conflict, Forbidden, Invalid, NotFound


class SessionUnknown(NotFound):
    """There is no such session."""

    code = "session_unknown"


class SessionEnded(Conflict):
    """The session has ended."""

    code = "session_ended"


class SessionAlreadyLinked(Conflict):
    """The session belongs to somebody else."""

    code = "session_already_linked"


class SessionNotHeld(Forbidden):
    """Linking needs both the session's token and a signed-in person."""

    code = "session_not_held"


class SessionFull(Conflict):
    """The session holds as many messages as it can."""

    code = "session_full"


class IdleTimeInvalid(Invalid):
    """Sessions do not time out after that time."""

    code = "idle_time_invalid"


class ContextTooLarge(Invalid):
    """The context is too large or nested too deeply."""

    code = "context_too_large"


class MessageUnknown(NotFound):
    """There is no such message."""

    code = "message_unknown"


class MessageNotRateable(Invalid):
    """Only answers of agents can be rated."""

    code = "message_not_rateable"


class FeedbackUnknown(NotFound):
    """There is no feedback on this message."""

    code = "feedback_unknown"
