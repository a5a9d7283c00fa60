"""The audit log: what was done, by whom, to what; sealed, so that changing it later is found.

Owns ``audit_log`` (and 002's view ``audit_logs``) and, privately, the chain of seals, the texts beside the log and
its documents for searching. What always holds: a row commits with what it tells of; nobody but the owner of the
tables can change or delete one; a writer waits for no lock and computes no digest of the chain; a payload holds
ids, counts and digests, and a text that somebody wrote stands beside the log, where it can be erased.
"""

from stead.audit.anchors import Anchored, AnchorFile, read_anchors
from stead.audit.chain import Expectations
from stead.audit.dumps import export
from stead.audit.indexing import index, note_policies
from stead.audit.models import AuditEntry, Fault, Head, Report
from stead.audit.reading import AuditPage, AuditRow, listing, of_documents
from stead.audit.recording import erase, record, record_many
from stead.audit.sealing import seal
from stead.audit.signatures import SigningKey
from stead.audit.verifying import audited_tenants, missing_chains, verify, verify_dump

__all__ = [
    "AnchorFile",
    "Anchored",
    "AuditEntry",
    "AuditPage",
    "AuditRow",
    "Expectations",
    "Fault",
    "Head",
    "Report",
    "SigningKey",
    "audited_tenants",
    "erase",
    "export",
    "index",
    "listing",
    "missing_chains",
    "note_policies",
    "of_documents",
    "read_anchors",
    "record",
    "record_many",
    "seal",
    "verify",
    "verify_dump",
]
