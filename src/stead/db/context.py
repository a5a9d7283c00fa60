"""Whether a database transaction is open in this context.

A model, embedder or tool call can last minutes. Made inside a transaction it would hold a connection
and row locks for that long, so every provider asserts at its door that none is open.
"""

from __future__ import annotations

from contextvars import ContextVar

in_transaction: ContextVar[bool] = ContextVar("stead_in_transaction", default=False)


def assert_no_transaction(what: str) -> None:
    """Raises RuntimeError when called while a transaction is open in this context.

    Args:
        what: The call about to be made, for the message ("embedding request").
    """
    if in_transaction.get():
        raise RuntimeError(
            f"{what} inside a database transaction: commit first, call, then open another"
        )
