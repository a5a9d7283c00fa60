"""What can go wrong with the audit log."""

from stead.core.errors import Conflict, Invalid


class AuditPayloadInvalid(Invalid):
    """An audit payload holds ids, counts and digests only."""

    code = "audit_payload_invalid"


class AuditKeyMissing(Conflict):
    """The seals of this database are signed, and this process has no key."""

    code = "audit_key_missing"


class AuditDumpInvalid(Invalid):
    """The file is no readable dump of an audit log."""

    code = "audit_dump_invalid"
