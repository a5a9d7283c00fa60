"""What can go wrong with the audit log."""

from stead.core.errors import Conflict, Invalid, NotFound


class AuditPayloadInvalid(Invalid):
    """An audit payload holds ids, counts and digests only."""

    code = "audit_payload_invalid"


class AuditKeyMissing(Conflict):
    """The seals of this database are signed, and this process has no key."""

    code = "audit_key_missing"


class AuditDumpInvalid(Invalid):
    """The file is no readable dump of an audit log."""

    code = "audit_dump_invalid"


class AuditAnchorsInvalid(Invalid):
    """The file of anchors is not as it was written."""

    code = "audit_anchors_invalid"


class AuditProofInvalid(Invalid):
    """The proof does not hold."""

    code = "audit_proof_invalid"


class AuditRowUnproven(NotFound):
    """There is no proof of this row."""

    code = "audit_row_unproven"
