"""Evidence: what backs a proposal, as text that can be searched and as files that can be downloaded.

Owns ``evidence_embeddings``, ``evidence_scopes``, ``evidence_artifacts`` and, privately,
``artifact_removals``. What always holds: evidence of a kind that needs a scope is written by no key without it; an
object in the bucket has a row, or stands among those to be removed; a link that opens a file expires.
"""

from stead.evidence import artifacts, history, records, scopes
from stead.evidence.context import HistoryBudget, Past, as_instructions, relevant
from stead.evidence.errors import (
    ArtifactContentMissing,
    ArtifactInvalid,
    ArtifactStoreUnavailable,
    ArtifactTooLarge,
    ArtifactUnknown,
    EvidencePersonUnknown,
    EvidenceUnknown,
    LinkInvalid,
)
from stead.evidence.models import Artifact, Evidence, EvidenceHit, Link, NewArtifact, NewEvidence
from stead.evidence.store import ArtifactConfig, ArtifactStore

__all__ = [
    "Artifact",
    "ArtifactConfig",
    "ArtifactContentMissing",
    "ArtifactInvalid",
    "ArtifactStore",
    "ArtifactStoreUnavailable",
    "ArtifactTooLarge",
    "ArtifactUnknown",
    "Evidence",
    "EvidenceHit",
    "EvidencePersonUnknown",
    "EvidenceUnknown",
    "HistoryBudget",
    "Link",
    "LinkInvalid",
    "NewArtifact",
    "NewEvidence",
    "Past",
    "artifacts",
    "as_instructions",
    "history",
    "records",
    "relevant",
    "scopes",
]
