"""What can go wrong with envelopes."""

from __future__ import annotations

from stead.core.errors import Conflict, Invalid, NotFound


class EnvelopeUnknown(NotFound):
    """There is no such envelope here."""

    code = "envelope_unknown"


class EnvelopeNotCancellable(Conflict):
    """The envelope runs or has ended."""

    code = "envelope_not_cancellable"


class EnvelopeNotDead(Conflict):
    """The envelope is not among the dead letters."""

    code = "envelope_not_dead"


class OutcomeKnown(Conflict):
    """The outcome of the envelope is known."""

    code = "outcome_known"


class EnvelopeKeyReused(Conflict):
    """The key was used for another action."""

    code = "envelope_key_reused"


class EnvelopeInvalid(Invalid):
    """The envelope cannot be stored."""

    code = "envelope_invalid"
