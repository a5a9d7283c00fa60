"""What can go wrong with an embedder. None of these repeats a text that was to be embedded, or a key."""

from __future__ import annotations

from stead.core.errors import Invalid, Unavailable


class EmbedderUnknown(Invalid):
    """There is no embedder of that name."""

    code = "embedder_unknown"


class EmbedderNotConfigured(Unavailable):
    """The embedder needs a key or an extra that is missing."""

    code = "embedder_not_configured"


class EmbedderFailed(Unavailable):
    """The embedder failed."""

    code = "embedder_failed"


class EmbedderUnreachable(EmbedderFailed):
    """The embedder does not answer."""

    code = "embedder_unreachable"


class EmbedderRateLimited(EmbedderFailed):
    """The embedder's provider takes no more requests for now.

    Args:
        detail: What happened and where.
        retry_after_s: Seconds after which the provider wants to be asked again, if it said so.
    """

    code = "embedder_rate_limited"

    def __init__(self, detail: str = "", *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after_s = retry_after_s


class EmbedderRefused(EmbedderFailed):
    """The embedder's provider refused the request."""

    code = "embedder_refused"


class EmbedderAnswerInvalid(EmbedderFailed):
    """The embedder's answer does not fit the request."""

    code = "embedder_answer_invalid"
