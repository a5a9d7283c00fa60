"""The development model: it answers without network, by rule, and says so."""

from stead.providers.models.offline.model import MODEL_NAME, OfflineModel

__all__ = ["MODEL_NAME", "OfflineModel"]
