"""What can go wrong with evidence and its files."""

from __future__ import annotations

from stead.core.errors import Forbidden, Invalid, NotFound, Unavailable


class EvidenceUnknown(NotFound):
    """There is no such evidence."""

    code = "evidence_unknown"


class EvidencePersonUnknown(Invalid):
    """There is no such person to record evidence of."""

    code = "evidence_person_unknown"


class ArtifactUnknown(NotFound):
    """There is no such artifact."""

    code = "artifact_unknown"


class ArtifactContentMissing(NotFound):
    """The artifact's file is not where this server keeps files."""

    code = "artifact_content_missing"


class ArtifactInvalid(Invalid):
    """The artifact's name or media type is none."""

    code = "artifact_invalid"


class ArtifactTooLarge(Invalid):
    """The artifact is too large."""

    code = "artifact_too_large"
    status = 413


class LinkInvalid(Forbidden):
    """The link is not one of this server's, or its time is over."""

    code = "link_invalid"


class ArtifactStoreUnavailable(Unavailable):
    """The bucket of artifacts does not answer."""

    code = "artifact_store_unavailable"
