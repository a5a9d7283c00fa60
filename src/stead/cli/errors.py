"""What can go wrong on the command line."""

from stead.core.errors import Conflict, Invalid, Unavailable


class PortTaken(Conflict):
    """The port is in use."""

    code = "port_taken"


class ServerUnreachable(Unavailable):
    """No Stead server answers at that address."""

    code = "server_unreachable"


class ServerRefused(Invalid):
    """The server refused the request."""

    code = "server_refused"


class JobNotClaimable(Conflict):
    """The job is not to be had."""

    code = "job_not_claimable"
