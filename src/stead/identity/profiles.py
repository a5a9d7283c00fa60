"""Profiles: made at first sight of a verified identity."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from stead.core.ids import new_id, parse_id
from stead.db import Transaction
from stead.identity import queries
from stead.identity.errors import TenantMismatch
from stead.identity.models import Tenant


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A person in a tenant."""

    id: UUID
    email: str | None


async def ensure(tx: Transaction, tenant: Tenant, subject: str, verified_email: str | None) -> Profile:
    """The profile of a verified subject, made if this is the first that is seen of it.

    A UUID (Supabase's ``auth.users.id``) is the profile's own id; any other subject (Clerk's ``user_…``)
    is its ``external_id``.

    Args:
        tx: A transaction of the tenant's service.
        tenant: Where the identity belongs.
        subject: The provider's ``sub``.
        verified_email: The email address, where the provider vouches for it.

    Raises:
        TenantMismatch: The subject has its profile in another tenant.
    """
    own_id = parse_id(subject)
    external_id = None if own_id else subject
    row = await queries.profile_by_subject(tx, tenant.id, own_id, external_id)
    if row is None:
        await queries.insert_profile(tx, tenant.id, own_id or new_id(), external_id, verified_email)
        row = await queries.profile_by_subject(tx, tenant.id, own_id, external_id)
        if row is None:
            raise TenantMismatch("this person belongs to another organisation")
    elif verified_email and row["email"] != verified_email:
        await queries.set_profile_email(tx, tenant.id, row["id"], verified_email)
    return Profile(id=row["id"], email=verified_email or row["email"])


async def find(tx: Transaction, tenant: Tenant, subject: str) -> Profile | None:
    """The profile of a subject, as `ensure` finds it; None where there is none yet."""
    own_id = parse_id(subject)
    row = await queries.profile_by_subject(tx, tenant.id, own_id, None if own_id else subject)
    return None if row is None else Profile(id=row["id"], email=row["email"])


async def ensure_by_email(tx: Transaction, tenant: Tenant, email: str) -> UUID:
    """The profile with that address, made if there is none: for development, where nobody proves anything."""
    known = await queries.profile_by_email(tx, tenant.id, email)
    if known is None:
        known = new_id()
        await queries.insert_profile(tx, tenant.id, known, None, email)
    return known


async def find_by_email(tx: Transaction, tenant: Tenant, email: str) -> UUID | None:
    """The profile with that address; of several the oldest."""
    return await queries.profile_by_email(tx, tenant.id, email)
