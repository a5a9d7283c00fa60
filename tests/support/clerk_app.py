"""An application with a governed tool that leaves a line in a file: run by processes that tests kill."""

from __future__ import annotations

import os

from stead import AgentContext, Stead

app = Stead()


@app.tool(risk="high", amount="amount")
def refund(order: str, amount: float) -> dict[str, object]:
    """Gives money back."""
    # At once on disk: what was done is known even of a process that is killed the moment after.
    fd = os.open(os.environ["EFFECTS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, f"refund {order} {amount:g}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    return {"order": order, "refunded": amount}


@app.agent("clerk", tools=[refund])
def clerk(context: AgentContext) -> str:
    """Refunds."""
    return f"You are a clerk.\n{context.memories}"
