"""From a name in the settings to an embedder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from stead.providers.embedders.errors import EmbedderNotConfigured, EmbedderUnknown
from stead.providers.embedders.interface import Embedder

OPENAI_BASE_URL: Final = "https://api.openai.com/v1"

SIZES: Final = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
"""The full length of the vectors of the models that need not say it."""

SHORTENABLE: Final = frozenset({"text-embedding-3-small", "text-embedding-3-large"})
MOST_DIMENSIONS: Final = 16_000  # of pgvector's type vector

ALLOWED: Final = "static, openai/<model>[@<dimensions>], fastembed/<model>"


@dataclass(frozen=True, kw_only=True)
class EmbedderConfig:
    """What embedders need beyond their name.

    Args:
        openai_api_key: May be missing where ``openai_base_url`` is a server that asks for none.
        openai_base_url: Missing means OpenAI itself.
        timeout_s: For one request to a provider.
    """

    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    timeout_s: float = 30.0


def build_embedder(name: str, config: EmbedderConfig) -> Embedder:
    """The embedder of that name. No request is made yet and no model loaded.

    Args:
        name: ``static``; ``openai/<model>``, with ``@<dimensions>`` to shorten the vectors of a
            text-embedding-3 model, or to say how long those of an unknown model are; or
            ``fastembed/<model>``.
        config: Keys and addresses.

    Raises:
        EmbedderUnknown: There is no such embedder, or its size is unknown or impossible.
        EmbedderNotConfigured: It needs a key or an extra that is missing.
    """
    kind, _, model = name.partition("/")
    if name == "static":
        from stead.providers.embedders.static import StaticEmbedder  # noqa: PLC0415 it imports numpy

        return StaticEmbedder()
    if kind == "openai" and model:
        return _openai(model, config)
    if kind == "fastembed" and model:
        from stead.providers.embedders.fastembed import FastEmbedEmbedder  # noqa: PLC0415 likewise

        return FastEmbedEmbedder(model)
    raise EmbedderUnknown(f"there is no embedder {name!r}", hint=f"Allowed are: {ALLOWED}.")


def _openai(name: str, config: EmbedderConfig) -> Embedder:
    model, dimensions, shorten = _sized(name)
    if not config.openai_api_key and not config.openai_base_url:
        raise EmbedderNotConfigured(
            f"the embedder openai/{name} needs an API key",
            hint="Set OPENAI_API_KEY, or STEAD_OPENAI_BASE_URL for a server that needs none.",
        )
    from stead.providers.embedders.openai import OpenAIEmbedder  # noqa: PLC0415 a second to import

    return OpenAIEmbedder(
        model=model,
        dimensions=dimensions,
        shorten=shorten,
        api_key=config.openai_api_key or "none",
        base_url=config.openai_base_url or OPENAI_BASE_URL,
        timeout_s=config.timeout_s,
    )


def _sized(name: str) -> tuple[str, int, bool]:
    """Model, dimensions, and whether the server must be asked to shorten. Raises EmbedderUnknown."""
    match = re.fullmatch(r"(.+?)(?:@([0-9]{1,5}))?", name)
    model, given = (match[1], match[2]) if match else (name, None)
    base = model.rpartition("/")[2]  # gateways put a vendor before it
    full = SIZES.get(base)
    if given is None:
        if full is None:
            raise EmbedderUnknown(
                f"how long the vectors of {model} are is not known",
                hint=f"Write openai/{model}@<dimensions>.",
            )
        return model, full, False
    dimensions = int(given)
    shorten = full is not None and dimensions != full
    most = full or MOST_DIMENSIONS
    if not 1 <= dimensions <= most or (shorten and base not in SHORTENABLE):
        raise EmbedderUnknown(
            f"{model} has no vectors of {dimensions} dimensions", hint=f"At most it has {most}."
        )
    return model, dimensions, shorten
