"""The eight categories that every error in Stead belongs to.

A part defines its own errors as subclasses, each with a stable ``code`` and a docstring that is the
error's title. The HTTP edge turns the category into a status and the error into RFC 9457
``application/problem+json``; the CLI prints the same words. What a person needs to mend the problem
goes into ``detail`` (what and where) and ``hint`` (how to mend it).
"""

from __future__ import annotations

from typing import ClassVar


class SteadError(Exception):
    """Something went wrong in Stead.

    Args:
        detail: What is wrong and where, for the person who caused it. Never contains a secret,
            message text or another tenant's data.
        hint: What to do about it.
        extra: Further members for the problem document (JSON values, keys in snake_case).
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, detail: str = "", *, hint: str = "", **extra: object) -> None:
        self.detail = detail or self.title()
        self.hint = hint
        self.extra = extra
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """The first line of the class's docstring, which is the title of the problem."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class Invalid(SteadError):
    """The request is not valid."""

    code = "invalid"
    status = 422


class Unauthenticated(SteadError):
    """Proof of identity is missing or was not accepted."""

    code = "unauthenticated"
    status = 401


class Forbidden(SteadError):
    """This identity may not do that."""

    code = "forbidden"
    status = 403


class NotFound(SteadError):
    """There is no such thing here."""

    code = "not_found"
    status = 404


class Conflict(SteadError):
    """The request does not fit the present state."""

    code = "conflict"
    status = 409


class PolicyDenied(SteadError):
    """A policy of this tenant refuses the action."""

    code = "policy_denied"
    status = 403


class RateLimited(SteadError):
    """Too many requests.

    Args:
        retry_after_s: Seconds after which the request may be tried again.
    """

    code = "rate_limited"
    status = 429

    def __init__(
        self, detail: str = "", *, hint: str = "", retry_after_s: float = 1.0, **extra: object
    ) -> None:
        super().__init__(detail, hint=hint, **extra)
        self.retry_after_s = retry_after_s


class Unavailable(SteadError):
    """Something that is needed does not answer."""

    code = "unavailable"
    status = 503


CATEGORIES: tuple[type[SteadError], ...] = (
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    PolicyDenied,
    RateLimited,
    Unavailable,
)
