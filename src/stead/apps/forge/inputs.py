"""What agents take: the members of 004's ``input_context``, checked when a job is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from stead.apps.forge.paths import fault_of
from stead.apps.forge.planning import MAX_PLANNED


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _path(path: str) -> str:
    fault = fault_of(path)
    if fault is not None:
        raise ValueError(fault)
    return path


#: What is to be built, decided, learned or looked at, in words.
Idea = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_not_blank)]
#: Only patterns of this kind are looked at: ``saas``, ``ecommerce``, …
ProjectType = Annotated[str, Field(min_length=1, max_length=100)]
#: Files of a plan.
Paths = Annotated[list[Annotated[str, AfterValidator(_path)]], Field(max_length=MAX_PLANNED)]
