"""What can be wrong with a request before any part sees it."""

from stead.core.errors import Forbidden, Invalid, NotFound, RateLimited, SteadError, Unavailable


class MalformedJson(Invalid):
    """The body is not JSON in UTF-8."""

    code = "malformed_json"
    status = 400


class RequestInvalid(Invalid):
    """The request does not have the form that is documented."""

    code = "request_invalid"


class UnsupportedMediaType(Invalid):
    """The body must be application/json."""

    code = "unsupported_media_type"
    status = 415


class BodyTooLarge(Invalid):
    """The body is too large."""

    code = "body_too_large"
    status = 413


class RouteUnknown(NotFound):
    """There is nothing at this address."""

    code = "route_unknown"


class MethodNotAllowed(Invalid):
    """This address does not take that method."""

    code = "method_not_allowed"
    status = 405


class ServiceOnly(Forbidden):
    """This is for services, not for people."""

    code = "service_only"


class MembersOnly(Forbidden):
    """This is for people of the tenant and its services."""

    code = "members_only"


class ApproversOnly(Forbidden):
    """This is for approvers and services of the tenant."""

    code = "approvers_only"


class HostNotAllowed(Forbidden):
    """This host name is not one under which the MCP endpoint answers."""

    code = "host_not_allowed"


class OriginNotAllowed(Forbidden):
    """Pages of this origin may not call the MCP endpoint."""

    code = "origin_not_allowed"


class ProfileNotNamed(Invalid):
    """A service says for whom it calls the MCP endpoint."""

    code = "profile_not_named"
    status = 400


class ProfileNotAllowed(Forbidden):
    """This is no person for whom the caller may call the MCP endpoint."""

    code = "profile_not_allowed"


class TooManyRequests(RateLimited):
    """Too many requests for now.

    Args:
        limit: The limit that was reached, by its name: it stands in the problem and in ``RateLimit``.
        amount: How many requests it lets through.
        window_s: In how many seconds.
    """

    code = "rate_limited"

    def __init__(
        self,
        detail: str = "",
        *,
        hint: str = "",
        retry_after_s: float = 1.0,
        limit: str,
        amount: int,
        window_s: int,
    ) -> None:
        super().__init__(detail, hint=hint, retry_after_s=retry_after_s, limit=limit)
        self.limit = limit
        self.amount = amount
        self.window_s = window_s


class NotReady(Unavailable):
    """The server is not ready."""

    code = "not_ready"


class Internal(SteadError):
    """Something went wrong that should not have."""

    code = "internal"
