"""Who is asking: tenants, profiles, tokens, API keys, signed internal calls.

Owns ``tenants``, ``profiles`` and, privately, API keys, nonces and idempotency keys. What always holds: no
principal without a verified proof; a principal is in exactly one tenant; a profile is made at first sight
of a verified identity; secrets are stored as digests and appear in no error.
"""

from stead.identity import idempotency, keys, profiles, signatures, tenants
from stead.identity.authentication import Admission, Authenticator, Credentials, HeldSession
from stead.identity.housekeeping import sweep
from stead.identity.models import Principal, Tenant, anonymous, tenant_service
from stead.identity.replays import use_message

__all__ = [
    "Admission",
    "Authenticator",
    "Credentials",
    "HeldSession",
    "Principal",
    "Tenant",
    "anonymous",
    "idempotency",
    "keys",
    "profiles",
    "signatures",
    "sweep",
    "tenant_service",
    "tenants",
    "use_message",
]
