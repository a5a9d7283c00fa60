"""Functions as tools: what their annotations say, and how they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import BaseModel, ConfigDict, create_model

from stead.identity import Principal
from stead.tools.errors import ToolInvalid
from stead.tools.models import Risk, ToolSpec

_CONTEXT_NAMES = {"ctx", "context"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionContext:
    """What a function is told of the action that it carries out.

    Args:
        principal: The tenant, in whose name it acts.
        envelope_id: The action.
        key: The idempotency key: the same on every attempt; to be passed on to whoever is called.
        attempt: From 1.
        account_id: The connected account that was chosen, if any.
    """

    principal: Principal
    envelope_id: UUID
    key: str
    attempt: int
    account_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class LocalTool:
    """A function, and the tool that it is.

    Args:
        context: Name of the parameter that is given the `ActionContext`; None: it takes none.
        model: Its arguments as pydantic reads them.
        asynchronous: Whether it runs in the loop; others run in a thread.
    """

    spec: ToolSpec
    function: Callable[..., Any]
    context: str | None
    model: type[BaseModel]
    asynchronous: bool

    def arguments(self, given: Mapping[str, Any], context: ActionContext) -> dict[str, Any]:
        """The function's arguments.

        Raises:
            pydantic.ValidationError: They do not fit.
        """
        read = self.model.model_validate(dict(given))
        found = {name: getattr(read, name) for name in type(read).model_fields}
        return found if self.context is None else {**found, self.context: context}


def read_function(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    version: str = "1",
    risk: Risk = "medium",
    scopes: Sequence[str] = (),
    idempotent: bool = False,
    amount: str | None = None,
    timeout_s: float = 30.0,
) -> LocalTool:
    """The tool that a function is.

    Args:
        function: Async or not; a parameter annotated `ActionContext`, or a first one named ``ctx`` or ``context``
            without annotation, is given the context and is none of the tool's arguments.
        name: Its slug; the function's name when None.
        version: Of the tool.
        risk: Its tier.
        scopes: What a connected account must have been granted.
        idempotent: Whether two calls with one key have one effect.
        amount: The parameter that says what it spends.
        timeout_s: How long a call may take.

    Raises:
        ToolInvalid: Its parameters cannot be written as JSON Schema.
    """
    slug = name or function.__name__
    context: str | None = None
    fields: dict[str, Any] = {}
    hints = get_type_hints(function, include_extras=True)
    for position, parameter in enumerate(inspect.signature(function).parameters.values()):
        hint = hints.get(parameter.name, Any)
        if hint is ActionContext or (
            position == 0 and parameter.name in _CONTEXT_NAMES and parameter.name not in hints
        ):
            context = parameter.name
        elif parameter.kind in {
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
            parameter.POSITIONAL_ONLY,
        }:
            raise ToolInvalid(
                f"the parameter {parameter.name!r} of the tool {slug!r} has no name that it is called with"
            )
        else:
            fields[parameter.name] = (
                hint,
                ... if parameter.default is inspect.Parameter.empty else parameter.default,
            )
    try:
        model = create_model(f"{slug}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
        schema = model.model_json_schema()
    except Exception as error:  # noqa: BLE001 - pydantic has no common class of what it raises here
        raise ToolInvalid(
            f"the parameters of the tool {slug!r} are none that JSON has ({type(error).__name__})",
            hint="Use numbers, text, lists, enums and pydantic models, and names without a leading underscore; "
            "one that is annotated ActionContext is given the action.",
        ) from None
    schema.pop("title", None)
    spec = ToolSpec(
        slug=slug,
        version=version,
        provider="local",
        display_name=slug.replace("_", " ").replace("-", " ").capitalize(),
        description=inspect.getdoc(function) or "",
        schema=schema,
        risk=risk,
        required_scopes=tuple(scopes),
        idempotent=idempotent,
        needs_account=bool(scopes),
        amount_argument=amount,
        timeout_s=timeout_s,
    )
    return LocalTool(
        spec=spec,
        function=function,
        context=context,
        model=model,
        asynchronous=inspect.iscoroutinefunction(function),
    )
