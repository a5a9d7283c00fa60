"""What can go wrong in the adapters. Their libraries raise ValueError for the same, so these are such too."""

from stead.core.errors import Invalid, Unavailable


class AdapterArgumentInvalid(Invalid, ValueError):
    """An argument of an adapter does not fit."""

    code = "adapter_argument_invalid"


class AdapterClosed(Unavailable):
    """The adapter's database was closed."""

    code = "adapter_closed"
