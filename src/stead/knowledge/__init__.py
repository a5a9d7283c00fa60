"""Search over whatever has a text: vectors of several models side by side, postings for BM25, and the backlog
of what waits for a vector.

Owns, privately, the tables of embeddings, documents, postings, totals and the backlog. What always holds: an
embedding is made outside any transaction; a document's index entries come and go with its row, in the same
transaction, by its table's trigger.
"""

from stead.knowledge.asking import embed_question
from stead.knowledge.backlog import embed_backlog, fold_totals, forget_model, reindex
from stead.knowledge.embeddings import Vector, insert, model_number
from stead.knowledge.indexing import IndexRound, index_large_scopes, unindexed
from stead.knowledge.search import Hit, search
from stead.knowledge.vectorizing import Vectorized, vectorize

__all__ = [
    "Hit",
    "IndexRound",
    "Vector",
    "Vectorized",
    "embed_backlog",
    "embed_question",
    "fold_totals",
    "forget_model",
    "index_large_scopes",
    "insert",
    "model_number",
    "reindex",
    "search",
    "unindexed",
    "vectorize",
]
