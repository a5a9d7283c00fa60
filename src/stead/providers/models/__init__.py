"""Models behind one name each: ``offline``, ``openai/<model>``, ``anthropic/<model>``.

Names, errors and prices are here; what needs the SDK (`catalog`, `failures`, `retries`, `offline`) is
imported by the run loop alone, because it takes two seconds to load.
"""

from stead.providers.models.errors import (
    ModelFailed,
    ModelInterrupted,
    ModelNotConfigured,
    ModelOverloaded,
    ModelRateLimited,
    ModelRefused,
    ModelTimedOut,
    ModelUnknown,
)
from stead.providers.models.names import ModelConfig, check_model, is_offline, takes_temperature
from stead.providers.models.prices import Price, PriceList

__all__ = [
    "ModelConfig",
    "ModelFailed",
    "ModelInterrupted",
    "ModelNotConfigured",
    "ModelOverloaded",
    "ModelRateLimited",
    "ModelRefused",
    "ModelTimedOut",
    "ModelUnknown",
    "Price",
    "PriceList",
    "check_model",
    "is_offline",
    "takes_temperature",
]
