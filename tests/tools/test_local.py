"""Functions as tools, called through the toolbox."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel

from stead.db import Database
from stead.identity import Tenant
from stead.tools import (
    ActionContext,
    LocalTools,
    Toolbox,
    ToolCall,
    ToolInvalid,
    ToolOutcome,
    ToolRefused,
    ToolRegistry,
    ToolRetry,
    with_digest,
)
from tests.support.people import service
from tests.tools.calls import call_of, tool


class Colour(StrEnum):
    RED = "red"


class Line(BaseModel):
    sku: str
    count: int = 1


@dataclass
class Receipt:
    order: str
    lines: list[Line]
    on: date
    colour: Colour
    key: str
    tenant: str


async def order(
    ctx: ActionContext, order_id: str, lines: list[Line], colour: Colour, on: date
) -> Receipt:
    """Orders what is asked for."""
    return Receipt(
        order=order_id, lines=lines, on=on, colour=colour, key=ctx.key, tenant=ctx.principal.tenant.slug
    )


@pytest_asyncio.fixture
async def run() -> AsyncIterator[Callable[..., Any]]:
    """Registers a function and calls it."""
    boxes: list[Toolbox] = []

    async def run(function: Any, arguments: dict[str, Any] | None = None, **fields: Any) -> ToolOutcome:
        registry = ToolRegistry()
        spec = with_digest(registry.add(function, **fields).spec)
        box = Toolbox([LocalTools(registry)])
        boxes.append(box)
        return await box.execute(call_of(spec, arguments))

    yield run
    for box in boxes:
        await box.aclose()


async def test_arguments_and_result_are_json(run: Callable[..., Any]) -> None:
    given = {"order_id": "A-1", "lines": [{"sku": "x"}], "colour": "red", "on": "2026-01-01"}
    outcome = await run(order, given)
    assert outcome == ToolOutcome(
        kind="succeeded",
        result={
            "order": "A-1",
            "lines": [{"sku": "x", "count": 1}],
            "on": "2026-01-01",
            "colour": "red",
            "key": "key-1",
            "tenant": "acme",
        },
    )


async def test_the_context_is_no_argument() -> None:
    spec = ToolRegistry().add(order, name="shop.order", risk="high", scopes=["shop:write"]).spec
    assert set(spec.schema["properties"]) == {"order_id", "lines", "colour", "on"}
    assert (spec.slug, spec.risk, spec.needs_account) == ("shop.order", "high", True)
    assert spec.description == "Orders what is asked for."

    def plain(ctx, amount: float) -> None:  # type: ignore[no-untyped-def]
        ...

    assert set(ToolRegistry().add(plain, amount="amount").spec.schema["properties"]) == {"amount"}


async def test_a_function_that_is_not_async_runs_beside_the_loop(run: Callable[..., Any]) -> None:
    def where() -> str:
        return threading.current_thread().name

    outcome = await run(where)
    assert outcome.result.startswith("tool")


async def test_what_does_not_fit_is_not_called(run: Callable[..., Any]) -> None:
    calls: list[int] = []

    async def count(n: int) -> None:
        calls.append(n)

    outcome = await run(count, {"n": "seven"})
    assert (outcome.kind, outcome.code, calls) == ("permanent", "arguments_invalid", [])
    assert "seven" not in outcome.error


async def refuse() -> None:
    raise ToolRefused("no such order")


async def retry() -> None:
    raise ToolRetry("the shop is closed", after_s=30)


async def fail() -> None:
    raise ValueError("the card is CANARY-1")


async def leave() -> None:
    sys.exit("CANARY-2")


async def cancelled() -> None:
    raise asyncio.CancelledError


async def hang() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("function", "idempotent", "kind", "code"),
    [
        (refuse, False, "permanent", "refused"),
        (retry, False, "retryable", "retry_wanted"),
        (fail, False, "unknown", "exception"),
        (fail, True, "retryable", "exception"),
        (leave, False, "unknown", "exception"),
        (cancelled, False, "unknown", "cancelled"),
        (hang, False, "unknown", "timeout"),
        (hang, True, "retryable", "timeout"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_what_a_function_raises(
    run: Callable[..., Any], function: Any, idempotent: bool, kind: str, code: str
) -> None:
    outcome = await run(function, idempotent=idempotent, timeout_s=0.2)
    assert (outcome.kind, outcome.code) == (kind, code)
    assert "CANARY" not in str(outcome)
    assert outcome.retry_after_s == (30 if function is retry else None)


async def test_a_thread_that_hangs_is_left_behind(run: Callable[..., Any]) -> None:
    release = threading.Event()
    try:
        outcome = await run(lambda: release.wait(60), name="hang", timeout_s=0.2)
    finally:
        release.set()
    assert (outcome.kind, outcome.code) == ("unknown", "timeout")


async def test_cancelling_goes_through() -> None:
    registry = ToolRegistry()
    spec = with_digest(registry.add(hang).spec)
    box = Toolbox([LocalTools(registry)])
    task = asyncio.create_task(box.execute(call_of(spec)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await box.aclose()


@pytest.mark.parametrize(
    ("result", "stored"),
    [
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
        ({"x": float("nan")}, {"x": None}),
        (object(), {"unreadable": True, "type": "object", "because": "PydanticSerializationError"}),
    ],
    ids=["nul", "nan", "object"],
)
async def test_any_result_is_a_success(run: Callable[..., Any], result: Any, stored: Any) -> None:
    async def give() -> Any:
        return result

    assert await run(give) == ToolOutcome(kind="succeeded", result=stored)


async def test_a_large_result_is_cut_and_a_success(run: Callable[..., Any]) -> None:
    async def give() -> str:
        return "x" * 1_000_000

    outcome = await run(give)
    assert outcome.kind == "succeeded"
    assert outcome.result["truncated"] is True
    assert outcome.result["bytes"] == 1_000_002
    assert len(outcome.result["text"]) == 20_000


async def test_another_process_may_have_it() -> None:
    box = Toolbox([LocalTools(ToolRegistry())])
    assert (await box.execute(call_of(tool(provider="local")))).code == "tool_not_here"
    assert (await box.execute(call_of(tool(provider="mcp")))).code == "provider_not_here"
    assert (await box.execute(call_of(tool(provider="mcp")))).kind == "retryable"
    await box.aclose()


async def test_a_broken_provider_is_an_outcome() -> None:
    class Broken:
        name = "http"

        async def execute(self, call: ToolCall) -> ToolOutcome:
            raise RuntimeError(f"CANARY {call.key}")

        async def aclose(self) -> None: ...

    outcome = await Toolbox([Broken()]).execute(call_of(tool()))
    assert (outcome.kind, outcome.code) == ("unknown", "provider_broken")
    assert "CANARY" not in str(outcome)


async def test_nothing_is_called_in_a_transaction(db: Database, tenant: Tenant) -> None:
    box = Toolbox([])
    async with db.transaction(service(tenant)):
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await box.execute(call_of(tool()))


def _any(*args: int) -> None: ...


def _odd(value: threading.Event) -> None: ...


@pytest.mark.parametrize("function", [_any, _odd])
def test_functions_that_are_no_tools(function: Any) -> None:
    with pytest.raises(ToolInvalid):
        ToolRegistry().add(function)


def test_two_tools_of_one_name() -> None:
    registry = ToolRegistry()
    registry.add(refuse, name="x")
    registry.add(refuse, name="x")
    registry.add(retry, name="x", version="2")
    with pytest.raises(ToolInvalid, match="two tools"):
        registry.add(retry, name="x")
