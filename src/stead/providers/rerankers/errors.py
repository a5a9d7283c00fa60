"""What can go wrong with a reranker. None of these repeats a question, a text or a key."""

from __future__ import annotations

from stead.core.errors import Invalid, Unavailable


class RerankerUnknown(Invalid):
    """There is no reranker of that name."""

    code = "reranker_unknown"


class RerankerNotConfigured(Unavailable):
    """The reranker needs an address or an extra that is missing."""

    code = "reranker_not_configured"


class RerankerFailed(Unavailable):
    """The reranker failed."""

    code = "reranker_failed"


class RerankerUnreachable(RerankerFailed):
    """The reranker does not answer."""

    code = "reranker_unreachable"


class RerankerRateLimited(RerankerFailed):
    """The reranker's provider takes no more requests for now.

    Args:
        detail: What happened and where.
        retry_after_s: Seconds after which the provider wants to be asked again, if it said so.
    """

    code = "reranker_rate_limited"

    def __init__(self, detail: str = "", *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after_s = retry_after_s


class RerankerRefused(RerankerFailed):
    """The reranker's provider refused the request."""

    code = "reranker_refused"


class RerankerAnswerInvalid(RerankerFailed):
    """The reranker's answer does not fit the request."""

    code = "reranker_answer_invalid"
