"""Asking a model for a document, until what it writes is one.

A model answers in JSON that may not fit. Then it is told what is wrong with it and asked again, twice
at most. Each call is a step of its own, so that after a crash none is made a second time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from stead.agents.frames import storable
from stead.agents.models import Said
from stead.apps.forge.errors import ModelAnswerInvalid
from stead.apps.forge.models import ForgeServices
from stead.core.ids import new_id
from stead.providers.models import is_offline

_log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")

TRIES: Final = 3
_MAX_TURNS: Final = 20
_MAX_ANSWER_CHARS: Final = 400_000
_MAX_REPEATED_CHARS: Final = 40_000
_MAX_FAULTS: Final = 20
_FENCE: Final = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)


class Step(Protocol):
    """Carries a call out, and remembers by its name what it gave: `JobContext.step`."""

    async def __call__(self, name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R: ...


async def directly(name: str, function: Callable[..., Awaitable[R]], *args: Any) -> R:
    """A step that is none: for calls that no job makes."""
    del name
    return await function(*args)


@dataclass(frozen=True, kw_only=True)
class Task(Generic[T]):
    """What a model is asked.

    Args:
        name: The step's.
        shape: The document that is wanted.
        instructions: What is to be done.
        text: What it is done to.
        offline: Makes the document by rule, where there is no model.
        temperature: 0 to 2; None: the model's own.
        faults: What is wrong with a document that has the form.
    """

    name: str
    shape: type[T]
    instructions: str
    text: str
    offline: Callable[[], T]
    temperature: float | None = None
    faults: Callable[[T], Sequence[str]] = field(default=lambda _: ())


async def ask(step: Step, services: ForgeServices, task: Task[T]) -> T:
    """The document that a model makes.

    Args:
        step: How calls are made and remembered.
        services: The model.
        task: What it is asked.

    Raises:
        ModelAnswerInvalid: Three answers in a row were none.
        ModelFailed: A kind of it: refused, overloaded or timed out.
    """
    for turn in range(1, _MAX_TURNS + 1):
        found, faults = await _turn(step, services, task, "" if turn == 1 else f" again ({turn})")
        if found is not None:
            return found
        # Given up before, in an attempt of the job that is over: then it is asked anew, from the beginning.
        mark = new_id().hex
        if await step(f"{task.name}, given up {turn}", _echo, mark) == mark:
            _log.warning(
                "forge_answer_invalid", step=task.name, shape=task.shape.__name__, faults=len(faults)
            )
            break
    raise ModelAnswerInvalid(
        f"the model gave no {task.shape.__name__} in {TRIES} tries",
        hint="Try again, or set STEAD_MODEL to a model that follows JSON schemas.",
    )


async def _turn(
    step: Step, services: ForgeServices, task: Task[T], again: str
) -> tuple[T | None, list[str]]:
    """The document, or what is wrong with the last of so many answers."""
    said = [Said(role="user", text=task.text)]
    faults: list[str] = []
    for attempt in range(1, TRIES + 1):
        name = f"{task.name}{again}" if attempt == 1 else f"{task.name}{again}, try {attempt}"
        written = await step(name, _write, services, task, tuple(said))
        found, faults = _read(task, written)
        if found is not None:
            return found, []
        said += [
            Said(role="assistant", text=written[:_MAX_REPEATED_CHARS] or "(nothing)"),
            Said(role="user", text=_told(faults)),
        ]
    return None, faults


async def _echo(mark: str) -> str:
    return mark


async def _write(services: ForgeServices, task: Task[Any], said: Sequence[Said]) -> str:
    if is_offline(services.model):
        return task.offline().model_dump_json()
    engine = await services.engine.get()
    proposal = await engine.propose(
        services.model,
        name=f"forge {task.shape.__name__}",
        instructions=task.instructions,
        said=said,
        schema=task.shape.model_json_schema(),
        temperature=task.temperature,
    )
    _log.info(
        "forge_model_called",
        step=task.name,
        model=proposal.model,
        input_tokens=proposal.input_tokens,
        output_tokens=proposal.output_tokens,
        cost_usd=proposal.cost_usd,
    )
    return storable(proposal.text[: _MAX_ANSWER_CHARS + 1])


def _read(task: Task[T], written: str) -> tuple[T | None, list[str]]:
    """The document that was written, or what is wrong with it."""
    if len(written) > _MAX_ANSWER_CHARS:
        return None, [f"the answer is longer than {_MAX_ANSWER_CHARS} characters"]
    fenced = _FENCE.match(written)
    try:
        value = storable(json.loads(fenced[1] if fenced else written, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None, ["the answer is not JSON, or breaks off"]
    try:
        found = task.shape.model_validate(value)
    except ValidationError as error:
        # Without the values: they are in the conversation already.
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return None, [f"{_where(e['loc'])}: {e['msg']}" for e in details[:_MAX_FAULTS]]
    faults = list(task.faults(found))[:_MAX_FAULTS]
    return (None, faults) if faults else (found, [])


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the answer"


def _told(faults: Sequence[str]) -> str:
    listed = "\n".join(f"- {fault}" for fault in faults)
    return f"That does not fit:\n{listed}\nAnswer again with the whole JSON object, and nothing else."
