"""Vectors of whatever is searchable, several models side by side, and the backlog of what waits for one.

Owns, privately, the tables of embeddings, embedding models and the backlog. What always holds: an
embedding is made outside any transaction; its owner exists before it does and takes it along when it goes.
"""

from stead.knowledge.backlog import embed_backlog
from stead.knowledge.embeddings import Vector, insert, model_number

__all__ = ["Vector", "embed_backlog", "insert", "model_number"]
