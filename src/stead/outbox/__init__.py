"""The outbox: actions that were accepted, each carried out once or visibly not.

Owns ``outbox``, ``outbox_attempts``, ``outbox_dlq`` and, privately, the breakers. What always holds: the row of an
attempt is committed before anything is sent; what may have had its effect is not sent again by itself, unless the
provider promises that it does not matter; whoever lost its lease writes nothing any more; a trigger holds
the life of an envelope.
"""

from stead.outbox import envelopes, letters, upkeep
from stead.outbox.config import OutboxConfig
from stead.outbox.envelopes import canonical, insert, insert_many
from stead.outbox.errors import (
    EnvelopeInvalid,
    EnvelopeKeyReused,
    EnvelopeNotCancellable,
    EnvelopeNotDead,
    EnvelopeUnknown,
    OutcomeKnown,
)
from stead.outbox.models import (
    ENDED,
    Attempt,
    Claimed,
    Envelope,
    EnvelopeStatus,
    Executor,
    Gate,
    NewEnvelope,
    Result,
    Ruling,
)
from stead.outbox.waking import wake_workers
from stead.outbox.worker import OutboxWorker

__all__ = [
    "ENDED",
    "Attempt",
    "Claimed",
    "Envelope",
    "EnvelopeInvalid",
    "EnvelopeKeyReused",
    "EnvelopeNotCancellable",
    "EnvelopeNotDead",
    "EnvelopeStatus",
    "EnvelopeUnknown",
    "Executor",
    "Gate",
    "NewEnvelope",
    "OutboxConfig",
    "OutboxWorker",
    "OutcomeKnown",
    "Result",
    "Ruling",
    "canonical",
    "envelopes",
    "insert",
    "insert_many",
    "letters",
    "upkeep",
    "wake_workers",
]
