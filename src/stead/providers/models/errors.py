"""What can go wrong with a model. None of these repeats what was sent to it or what it said."""

from stead.core.errors import Invalid, Unavailable


class ModelUnknown(Invalid):
    """There is no model of that name."""

    code = "model_unknown"


class ModelNotConfigured(Unavailable):
    """The model needs a key or an extra that is missing."""

    code = "model_not_configured"


class ModelFailed(Unavailable):
    """The model failed."""

    code = "model_failed"


class ModelRateLimited(ModelFailed):
    """The model's provider takes no more requests for now."""

    code = "model_rate_limited"


class ModelOverloaded(ModelFailed):
    """The model's provider is out of order."""

    code = "model_overloaded"


class ModelTimedOut(ModelFailed):
    """The model did not answer in time."""

    code = "model_timed_out"


class ModelInterrupted(ModelFailed):
    """The model's answer broke off."""

    code = "model_interrupted"


class ModelRefused(ModelFailed):
    """The model's provider refused the request."""

    code = "model_refused"
