"""Signed messages that were accepted: each of them once."""

from __future__ import annotations

from stead.db import Transaction
from stead.identity import queries


async def use_message(tx: Transaction, message_id: str) -> bool:
    """Notes a signed message with this transaction; False where it was noted before.

    Kept for longer than a signature is accepted.

    Args:
        tx: The transaction of what the message causes, as the server.
        message_id: What names it, with whoever sent it: up to 256 characters.
    """
    return await queries.use_signature(tx, message_id)
