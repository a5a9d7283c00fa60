"""An organisation as a folder: ``organisation.toml``, and one TOML file an agent."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stead.agents import check_schema
from stead.agents.registry import SLUG_PATTERN, TYPE_PATTERN
from stead.apps.mentor.errors import OrganisationInvalid

_TENANT_SLUG: Final = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
_ITSELF: Final = "organisation.toml"
_SHIPPED: Final = Path(__file__).parent / "organisations"
T = TypeVar("T", bound=BaseModel)


class OrganisationFile(BaseModel):
    """The organisation itself."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    slug: str = Field(pattern=_TENANT_SLUG)
    name: str = Field(min_length=1, max_length=200)
    external_org_id: str | None = Field(default=None, min_length=1, max_length=255)


class AgentFile(BaseModel):
    """One agent: its place in the catalogue, and the version that runs.

    Its fields are those of ``POST /v1/agents`` and ``POST /v1/agents/{slug}/versions``. In 003's AgentConfig
    ``slug`` is ``id``, ``max_tokens`` is ``maxTokens`` and ``instructions`` is ``systemPrompt``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str = Field(pattern=SLUG_PATTERN)
    name: str = Field(min_length=1, max_length=200)
    tagline: str | None = Field(default=None, max_length=500)
    description: str | None = Field(default=None, max_length=20_000)
    visibility: Literal["public", "hidden", "internal"] = "public"
    generates: str | None = Field(default=None, pattern=TYPE_PATTERN)
    instructions: str = Field(min_length=1, max_length=100_000)
    model: str | None = Field(default=None, min_length=1, max_length=200)
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, gt=0, le=1_000_000)
    tools: list[str] = Field(default_factory=list[str], max_length=100)
    output_schema: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """An organisation with its agents."""

    itself: OrganisationFile
    agents: Sequence[AgentFile]


def shipped() -> dict[str, Path]:
    """The folders that come with Stead, by name."""
    return {path.name: path for path in sorted(_SHIPPED.iterdir()) if (path / _ITSELF).is_file()}


def read_organisation(folder: Path) -> Organisation:
    """Reads a folder.

    Args:
        folder: With ``organisation.toml``; every other ``*.toml`` in it is an agent.

    Raises:
        OrganisationInvalid: A file is missing, is no TOML, or says what does not fit; or two agents have one slug
            or generate one type.
        AgentInvalid: An output schema is none.
    """
    itself = _read(folder / _ITSELF, OrganisationFile)
    paths = [path for path in sorted(folder.glob("*.toml")) if path.name != _ITSELF]
    agents = [_read(path, AgentFile) for path in paths]
    for what, values in (
        ("are called", [agent.slug for agent in agents]),
        ("generate", [agent.generates for agent in agents if agent.generates]),
    ):
        for value in values:
            if values.count(value) > 1:
                raise OrganisationInvalid(f"{folder}: two agents {what} {value!r}")
    for agent in agents:
        if agent.output_schema is not None:
            check_schema(agent.output_schema)
    return Organisation(itself=itself, agents=agents)


def _read(path: Path, shape: type[T]) -> T:
    try:
        return shape.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise OrganisationInvalid(
            f"{path}: {error.strerror}", hint=f"A folder with {_ITSELF}, and one file an agent."
        ) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in found[:5])
        raise OrganisationInvalid(f"{path}: {said}") from None
    except ValueError as error:
        # No TOML, or not UTF-8. Both say where.
        raise OrganisationInvalid(f"{path}: {error}") from None
