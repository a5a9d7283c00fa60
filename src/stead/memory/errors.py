"""What can go wrong with memories."""

from stead.core.errors import Conflict, Invalid, NotFound, Unavailable


class MemoryUnknown(NotFound):
    """There is no such memory."""

    code = "memory_unknown"


class MemoryOwnerUnknown(NotFound):
    """There is no such person or session whose memories these would be."""

    code = "memory_owner_unknown"


class MemorySuperseded(Conflict):
    """Another memory has taken the place of this one."""

    code = "memory_superseded"


class MemoryInvalid(Invalid):
    """The memory is not valid."""

    code = "memory_invalid"


class EmbeddingDimensionsWrong(Invalid):
    """The embedding does not have the dimensions of the configured model."""

    code = "embedding_dimensions_wrong"


class ExtractionInvalid(Unavailable):
    """The model's answer does not hold facts in the form that was asked for."""

    code = "extraction_invalid"


class EvaluationInvalid(Invalid):
    """Recall is not evaluated over that time."""

    code = "evaluation_invalid"
