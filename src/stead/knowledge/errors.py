"""What can go wrong with vectors and their indexes."""

from stead.core.errors import Conflict


class PgvectorMissing(Conflict):
    """The database server offers no pgvector that would do."""

    code = "pgvector_missing"


class EmbeddingsInUse(Conflict):
    """Something else in the database depends on the column of vectors."""

    code = "embeddings_in_use"


class EmbeddingsNotOwned(Conflict):
    """This login does not own Stead's tables."""

    code = "embeddings_not_owned"
