"""Handlers by name, and what input they take."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from stead.jobs.errors import JobInputInvalid, JobKindUnknown
from stead.jobs.models import JobFunction


@dataclass(frozen=True, kw_only=True)
class Handler:
    """What carries out jobs of one kind.

    Args:
        function: ``async def handler(job, …)``: the input's members are its further arguments.
        queue: Where its jobs go when nobody says otherwise.
        max_attempts: How often a job is tried.
        timeout_s: How long an attempt may take, waits not counted.
        backoff_s: Seconds before the second attempt; twice as long before each next, with jitter.
        max_backoff_s: At most this.
        model: The input as pydantic reads it; None: there is none, or it takes anything.
        takes_anything: Whether it has ``**kwargs``.
    """

    kind: str
    function: JobFunction
    queue: str
    max_attempts: int
    timeout_s: float
    backoff_s: float
    max_backoff_s: float
    model: type[BaseModel] | None
    takes_anything: bool

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The handler's arguments.

        Raises:
            JobInputInvalid: The input does not fit.
        """
        if self.model is None:
            if given and not self.takes_anything:
                raise JobInputInvalid(f"{self.kind} takes no input", hint="Send an empty object.")
            return dict(given)
        try:
            read = self.model.model_validate(dict(given))
        except ValidationError as error:
            faults = [
                {"field": ".".join(str(place) for place in fault["loc"]), "message": fault["msg"]}
                for fault in error.errors(include_url=False, include_input=False, include_context=False)
            ]
            raise JobInputInvalid(
                f"the input of {self.kind} does not fit: {faults[0]['field']}: {faults[0]['message']}",
                errors=faults[:20],
            ) from None
        return {name: getattr(read, name) for name in type(read).model_fields} | (read.model_extra or {})


class JobRegistry:
    """The handlers that this process has."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add(
        self,
        kind: str,
        function: JobFunction,
        *,
        queue: str = "default",
        max_attempts: int = 3,
        timeout_s: float = 900.0,
        backoff_s: float = 2.0,
        max_backoff_s: float = 600.0,
    ) -> Handler:
        """Registers a handler.

        Args:
            kind: The name of its jobs.
            function: ``async def handler(job, …)``.
            queue: Where its jobs go when nobody says otherwise.
            max_attempts: How often a job is tried.
            timeout_s: How long an attempt may take.
            backoff_s: Seconds before the second attempt; twice as long before each next, with jitter.
            max_backoff_s: At most this.

        Raises:
            ValueError: The name is taken, or the function is not async.
        """
        if kind in self._handlers:
            raise ValueError(f"a handler named {kind!r} is registered already")
        if not inspect.iscoroutinefunction(function):
            raise ValueError(f"{kind}: a job's handler is an async function")
        model, anything = _input_model(kind, function)
        self._handlers[kind] = handler = Handler(
            kind=kind,
            function=function,
            queue=queue,
            max_attempts=max_attempts,
            timeout_s=timeout_s,
            backoff_s=backoff_s,
            max_backoff_s=max_backoff_s,
            model=model,
            takes_anything=anything,
        )
        return handler

    def completed_by(self, others: Mapping[str, JobFunction], *, timeout_s: float) -> JobRegistry:
        """A registry with these handlers and, for kinds that it has none for, those others.

        Args:
            others: Handlers by kind.
            timeout_s: How long an attempt of theirs may take.
        """
        registry = JobRegistry()
        registry._handlers.update(self._handlers)
        for kind, function in others.items():
            if kind not in registry._handlers:
                registry.add(kind, function, timeout_s=timeout_s)
        return registry

    def get(self, kind: str) -> Handler:
        """The handler of a kind.

        Raises:
            JobKindUnknown: There is none.
        """
        handler = self._handlers.get(kind)
        if handler is None:
            known = ", ".join(sorted(self._handlers)) or "none"
            raise JobKindUnknown(f"no handler is registered for {kind!r}", hint=f"There are: {known}.")
        return handler

    @property
    def kinds(self) -> list[str]:
        """Names of all handlers."""
        return sorted(self._handlers)

    @property
    def queues(self) -> list[str]:
        """The queues that handlers name."""
        return sorted({handler.queue for handler in self._handlers.values()} | {"default"})


def _input_model(kind: str, function: JobFunction) -> tuple[type[BaseModel] | None, bool]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    anything = False
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            anything = True
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[parameter.name] = (hints.get(parameter.name, Any), default)
    if not fields:
        return None, anything
    config = ConfigDict(extra="allow" if anything else "forbid")
    return create_model(f"{kind}_input", __config__=config, **fields), anything
