"""Whose memories are meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stead.db import Transaction
from stead.identity import Principal
from stead.memory import queries
from stead.memory.errors import MemoryInvalid, MemoryOwnerUnknown


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose memories are meant.

    Args:
        profile_id: The person; None: nobody is known, and they are the session's.
        session_id: The session that was named.
        now: The database's clock.
    """

    profile_id: UUID | None
    session_id: UUID | None
    now: datetime

    @property
    def id(self) -> UUID:
        """The person's id or, while nobody is known, the session's."""
        found = self.profile_id or self.session_id
        assert found is not None  # noqa: S101 - `resolve` makes none without
        return found


async def resolve(
    tx: Transaction,
    principal: Principal,
    *,
    profile_id: UUID | None = None,
    session_id: UUID | None = None,
) -> Scope:
    """Finds whose memories a caller means. A person means their own, whoever holds a session that session's, a
    service says.

    Args:
        tx: A transaction as the server or as the caller.
        principal: The caller.
        profile_id: The person; of persons only they themselves may be named.
        session_id: A session. A linked one stands for its person.

    Raises:
        MemoryInvalid: A service named neither.
        MemoryOwnerUnknown: There is no such person or session, it is not the caller's, or the two do not belong
            together.
    """
    if principal.kind == "service" and profile_id is None and session_id is None:
        raise MemoryInvalid(
            "profile_id or session_id is missing", hint="A service says whose memories it means."
        )
    if principal.kind != "service" and profile_id not in {None, principal.profile_id}:
        raise _unknown()
    if principal.kind == "user":
        profile_id = principal.profile_id
    elif principal.kind == "anonymous":
        session_id = session_id or principal.session_id
    row = await queries.scope(tx, principal.tenant.id, profile_id, session_id)
    if row is None or (row["profile_id"], row["session_id"]) != (profile_id, session_id):
        raise _unknown()
    owner = row["owner_id"]
    if profile_id is not None and session_id is not None and owner != profile_id:
        raise _unknown()
    if profile_id is None and session_id is None:
        raise _unknown()
    return Scope(profile_id=profile_id or owner, session_id=session_id, now=row["now"])


def _unknown() -> MemoryOwnerUnknown:
    return MemoryOwnerUnknown(
        "no person or session of this id is yours", hint="Check profile_id and session_id."
    )
