"""The audit log: what was done, by whom, to what; sealed, so that changing it later is found.

Owns ``audit_log`` (and 002's view ``audit_logs``) and, privately, the chain of seals. What always holds: a
row commits with what it tells of; nobody but the owner of the tables can change or delete one; a writer waits for
no lock and computes no digest; a payload holds ids, counts and digests, never a text that somebody wrote.
"""

from stead.audit.chain import Expectations
from stead.audit.dumps import export
from stead.audit.models import AuditEntry, Fault, Head, Report
from stead.audit.recording import record, record_many
from stead.audit.sealing import seal
from stead.audit.signatures import SigningKey
from stead.audit.verifying import audited_tenants, verify, verify_dump

__all__ = [
    "AuditEntry",
    "Expectations",
    "Fault",
    "Head",
    "Report",
    "SigningKey",
    "audited_tenants",
    "export",
    "record",
    "record_many",
    "seal",
    "verify",
    "verify_dump",
]
