"""Evidence: what backs a proposal, as text that can be searched and as files that can be downloaded."""

from stead.evidence import history

__all__ = ["history"]
