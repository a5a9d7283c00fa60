"""What goes wrong in a trace stays there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import structlog

_log = structlog.stdlib.get_logger(__name__)
P = ParamSpec("P")
S = TypeVar("S")


def guarded(method: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """Logs what a method raises: a model may answer in a shape that nobody foresaw, and the run goes on."""

    @functools.wraps(method)
    def guard(self: S, *args: P.args, **named: P.kwargs) -> None:
        try:
            method(self, *args, **named)
        except Exception as error:  # noqa: BLE001 - whatever it is, a run does not fail by its trace
            _log.error("trace_broken", reason=type(error).__name__)

    return guard
