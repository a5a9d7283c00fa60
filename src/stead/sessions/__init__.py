"""Sessions, their messages and contacts, and the linking of an anonymous session to a person.

Owns ``sessions``, ``messages`` and ``message_feedback``. What always holds: a session is seen by its person, or
by the holder of its token while it is nobody's; the messages of a session have one order; a message that a
client sends twice is stored once; an answer has at most one rating, that of its session's holder.
"""

from stead.sessions import feedback, messages
from stead.sessions.errors import (
    ContextTooLarge,
    FeedbackUnknown,
    IdleTimeInvalid,
    MessageNotRateable,
    MessageUnknown,
    SessionAlreadyLinked,
    SessionEnded,
    SessionFull,
    SessionNotHeld,
    SessionUnknown,
)
from stead.sessions.feedback import Feedback, Rating
from stead.sessions.models import (
    Contact,
    Message,
    MessageRole,
    Part,
    Session,
    SessionStatus,
    place_of,
    text_of,
)
from stead.sessions.reaping import count_idle, reap
from stead.sessions.sessions import (
    Page,
    close,
    complete,
    get,
    link,
    listing,
    lock,
    open_session,
    update,
)

__all__ = [
    "Contact",
    "ContextTooLarge",
    "Feedback",
    "FeedbackUnknown",
    "IdleTimeInvalid",
    "Message",
    "MessageNotRateable",
    "MessageRole",
    "MessageUnknown",
    "Page",
    "Part",
    "Rating",
    "Session",
    "SessionAlreadyLinked",
    "SessionEnded",
    "SessionFull",
    "SessionNotHeld",
    "SessionStatus",
    "SessionUnknown",
    "close",
    "complete",
    "count_idle",
    "feedback",
    "get",
    "link",
    "listing",
    "lock",
    "messages",
    "open_session",
    "place_of",
    "reap",
    "text_of",
    "update",
]
